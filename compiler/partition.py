"""Dividing an array over devices that tell each other the states of their boundary, a bit per p-bit.

A device holds its own p-bits and a *ghost* of every p-bit of another device that one of its own is coupled to. A
ghost is a clamped p-bit, and an *exchange* sets every ghost to what its p-bit is, so that a device is an ordinary
array. All devices have the colours of the undivided array, and a p-bit draws from the same stream wherever it lies:
with an exchange after every colour they are the undivided array, bit for bit.
"""

from __future__ import annotations

import operator
import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import container
from ..contract.errors import FitError, ImageError, RequestError, ToolError
from ..contract.image import Image
from . import storage
from .base import Model
from .edges import Int32
from .program import Program

CUTS = 10
"""Divisions that METIS tries and keeps the best of: ten cut some per cent fewer edges than one."""


@dataclass(frozen=True)
class PartitionReport:
    """What a division costs.

    Parameters
    ----------
    pbits, ghosts : tuple of int
        P-bits of its own and ghosts of each device.
    cut_edges : int
        Edges whose ends lie on different devices.
    cut_share : float
        The same as a share of all edges.
    link_bits : dict of (int, int) to int
        Bits that one device sends another in an exchange.
    """

    pbits: tuple[int, ...]
    ghosts: tuple[int, ...]
    cut_edges: int
    cut_share: float
    link_bits: dict[tuple[int, int], int]

    def to_json(self) -> dict[str, Any]:
        """The report as JSON-able fields."""
        links = {f"{sender}->{receiver}": bits for (sender, receiver), bits in self.link_bits.items()}
        return {
            "device_pbits": list(self.pbits),
            "device_ghosts": list(self.ghosts),
            "cut_edges": self.cut_edges,
            "cut_share": self.cut_share,
            "link_bits": links,
        }


@dataclass(frozen=True, eq=False)
class Partition:
    """A program whose p-bits are divided over devices; made by `partition`, or by hand.

    A *place* is a p-bit of a device, its own or a ghost. Places are in the physical order of their p-bits, and
    those of one p-bit in the order of devices.

    Parameters
    ----------
    program : Program
        The undivided program.
    device : ndarray of int32, shape (n,)
        Device of each p-bit, in physical order: 0 to K - 1, each of them at least once.

    Raises
    ------
    RequestError
        If the devices are none such.
    """

    program: Program
    device: Int32

    def __post_init__(self) -> None:
        image = self.program.image
        if image.interleave > 1 or image.generator.share > 1 or image.lanes:
            raise RequestError(
                f"a divided array draws with one register per p-bit and holds one replica, this one has "
                f"{image.streams} registers for {image.size} p-bits and holds {image.interleave}; "
                f"compile it with xoshiro64, interleave 1 and no lanes"
            )
        device, size = np.asarray(self.device), image.size
        if device.shape != (size,) or device.dtype.kind not in "iu":
            raise RequestError(f"devices are {device.dtype} of shape {device.shape}; give a number for each of {size}")
        numbers = np.unique(device)
        if not np.array_equal(numbers, np.arange(len(numbers))):
            raise RequestError(f"devices are numbered {numbers[0]} to {numbers[-1]} with gaps; number them from 0 on")
        object.__setattr__(self, "device", device.astype(np.int32))

    @cached_property
    def devices(self) -> int:
        """Number of devices K."""
        return int(self.device.max()) + 1

    @cached_property
    def _keys(self) -> npt.NDArray[np.int64]:
        """K times the p-bit plus the device of each place, ascending."""
        image = self.program.image
        own = self._key(np.arange(image.size), self.device)
        seen = self._key(image.neighbours, self.device[image.owners])
        return np.unique(np.concatenate([own, seen]))

    def _key(self, pbits: npt.NDArray[Any], devices: Int32) -> npt.NDArray[np.int64]:
        return pbits.astype(np.int64) * self.devices + devices

    @cached_property
    def pbits(self) -> Int32:
        """P-bit of the undivided array at each place, shape (places,)."""
        return (self._keys // self.devices).astype(np.int32)

    @cached_property
    def holders(self) -> Int32:
        """Device of each place, shape (places,)."""
        return (self._keys % self.devices).astype(np.int32)

    @cached_property
    def own(self) -> npt.NDArray[np.intp]:
        """Place of each p-bit on its own device, shape (n,)."""
        return np.searchsorted(self._keys, self._key(np.arange(len(self.device)), self.device))

    @cached_property
    def ghosts(self) -> npt.NDArray[np.intp]:
        """Places that are ghosts; an exchange sets place ``ghosts[i]`` to place ``own[pbits[ghosts[i]]]``."""
        return np.flatnonzero(self.holders != self.device[self.pbits])

    @cached_property
    def links(self) -> dict[tuple[int, int], tuple[Int32, Int32]]:
        """What an exchange copies from one device to another.

        Of each sender and receiver, the p-bits of the sender and the ghosts of the receiver, in order and as their
        own programs count them.
        """
        local = np.empty(len(self.pbits), np.int32)
        for number in range(self.devices):
            places = np.flatnonzero(self.holders == number)
            local[places] = np.arange(len(places))
        sources = self.own[self.pbits[self.ghosts]]
        pairs = np.stack([self.holders[sources], self.holders[self.ghosts]], axis=1)
        found = {}
        for sender, receiver in np.unique(pairs, axis=0).tolist():
            chosen = (pairs == (sender, receiver)).all(axis=1)
            found[sender, receiver] = (local[sources[chosen]], local[self.ghosts[chosen]])
        return found

    @cached_property
    def report(self) -> PartitionReport:
        """Sizes, cut edges and bits per exchange."""
        image = self.program.image
        cut = int((self.device[image.owners] != self.device[image.neighbours]).sum()) // 2
        return PartitionReport(
            tuple(np.bincount(self.device).tolist()),
            tuple(np.bincount(self.holders[self.ghosts], minlength=self.devices).tolist()),
            cut,
            cut / max(image.slots // 2, 1),
            {link: len(ghosts) for link, (_, ghosts) in self.links.items()},
        )

    @cached_property
    def _slots(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Places at both ends of each slot of the devices, and the undivided slot that it is of, in order."""
        image = self.program.image
        inner = self.own[image.owners]
        outer = np.searchsorted(self._keys, self._key(image.neighbours, self.device[image.owners]))
        cut = np.flatnonzero(self.device[image.owners] != self.device[image.neighbours])
        owners = np.concatenate([inner, outer[cut]])
        neighbours = np.concatenate([outer, inner[cut]])
        sources = np.concatenate([np.arange(image.slots), cut])
        order = np.lexsort((neighbours, owners))
        return owners[order], neighbours[order], sources[order]

    def union(self, image: Image) -> Image:
        """All devices beside each other as one array, whose p-bits are the places.

        Parameters
        ----------
        image : Image
            The undivided array: that of the program, perhaps with other weights.
        """
        owners, neighbours, sources = self._slots
        clamped, values = image.clamped[self.pbits], image.clamp_values[self.pbits]
        clamped[self.ghosts] = 1
        whole = replace(
            image,
            colour_first=np.searchsorted(self.pbits, image.colour_first).astype(np.int32),
            slot_first=np.searchsorted(owners, np.arange(len(self.pbits) + 1)).astype(np.int32),
            neighbours=neighbours.astype(np.int32),
            biases=np.zeros(len(self.pbits), np.int32),
            clamped=clamped,
            clamp_values=values,
        )
        return whole.with_weights(image.weights[sources], image.unfold()[self.pbits])

    @cached_property
    def programs(self) -> tuple[Program, ...]:
        """The program of each device; variables keep their labels, and the clamped ones are ghosts or were clamped."""
        union = self.union(self.program.image)
        return tuple(self._program(union, np.flatnonzero(self.holders == number)) for number in range(self.devices))

    def _program(self, union: Image, places: npt.NDArray[np.intp]) -> Program:
        """The program of some places of the union that are coupled to no others."""
        program, target = self.program, self.program.target
        slots = np.flatnonzero(np.isin(union.owners, places))
        image = replace(
            union,
            colour_first=np.searchsorted(places, union.colour_first).astype(np.int32),
            slot_first=np.concatenate([[0], np.cumsum(union.degrees[places])]).astype(np.int32),
            neighbours=np.searchsorted(places, union.neighbours[slots]).astype(np.int32),
            weights=union.weights[slots],
            biases=union.biases[places],
            clamped=union.clamped[places],
            clamp_values=union.clamp_values[places],
        )
        variables, order = np.unique(program.order[self.pbits[places]], return_inverse=True)
        edges, slot_edges = np.unique(program.slot_edges[self._slots[2][slots]], return_inverse=True)
        model = Model(
            target.unit,
            tuple(target.labels[variable] for variable in variables),
            np.searchsorted(variables, target.edges[edges]).astype(np.int32),
            target.couplings[edges],
            target.biases[variables],
        )
        return Program(model, image, order.astype(np.int32), slot_edges.astype(np.int32))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program and its division to a file, whole or not at all; `load` of a program reads it too.

        Raises
        ------
        ImageError, ModelError
            See `Program.save`.
        """
        meta, arrays = container.parse(self.program.to_bytes())
        storage.write(path, container.dump(meta, {**arrays, "device": self.device}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Partition:
        """Read a program and its division from a file.

        Raises
        ------
        ImageError
            If the file holds no program or one that is not divided.
        """
        data = storage.read(path)
        program = Program(*storage.parse(data, str(path)))
        device = container.parse(data)[1].get("device")
        if device is None:
            raise ImageError(f"program {path} is not divided; compile it for several devices: pbit compile --devices")
        try:
            return cls(program, device)
        except RequestError as error:
            raise ImageError(f"{path}: {error}") from error


def partition(program: Program, devices: int) -> Partition:
    """Divide a program's p-bits over devices, evenly and with few cut edges.

    METIS by recursive bisection (Karypis and Kumar, SIAM J. Sci. Comput. 20, 359, 1998), the best of ten tries. What
    it finds may differ between platforms, so that a division is kept with its program: see `Partition.save`.

    Parameters
    ----------
    program : Program
        A compiled program.
    devices : int
        How many, 2 or more.

    Returns
    -------
    Partition

    Raises
    ------
    RequestError
        If that is no number of devices for the program's p-bits.
    FitError
        If METIS leaves a device without a p-bit, which a graph of hardly more p-bits than devices may lead to.
    ToolError
        If pymetis is not installed.
    """
    image = program.image
    try:
        count = operator.index(devices)
    except TypeError:
        count = 0
    if not 2 <= count <= image.size:
        raise RequestError(f"devices is {devices!r}; give a whole number from 2 to the program's {image.size} p-bits")
    try:
        import pymetis
    except ImportError:
        raise ToolError("partitioning needs pymetis, which is not installed: pip install pbit-hw[partition]") from None
    graph = pymetis.CSRAdjacency(image.slot_first, image.neighbours)
    _, device = pymetis.part_graph(count, adjacency=graph, recursive=True, options=pymetis.Options(ncuts=CUTS))
    if (used := len(np.unique(device))) < count:
        raise FitError(f"METIS divides {image.size} p-bits over {used} devices only, not {count}; use fewer devices")
    return Partition(program, np.array(device, np.int32))
