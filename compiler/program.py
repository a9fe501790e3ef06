"""A compiled program: the image, and the only place that knows logical and physical order."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import FitError, ModelError
from ..contract.formats import Grid, SignedFormat, UnsignedFormat
from ..contract.generator import GENERATOR_NAMES, Generator
from ..contract.image import Image
from ..contract.replicas import Pairs
from ..contract.request import Batch, Request
from ..contract.targets import TARGETS, Target
from ..contract.update import Unit
from . import storage
from .base import Model, Variables
from .colouring import check_colouring, colour
from .edges import Int32
from .expansion import Expansion
from .lowering import lower
from .placement import Placement, place
from .quantise import Quantisation, check_widths, choose_grid, measure
from .report import Report
from .requests import make_request
from .samples import Samples

BETA_FORMAT = "u[3][9]"
"""Default format of beta: up to 8 in steps of 1/512."""

GENERATOR = "xoshiro64"
"""Default generator: passes TestU01's Crush at half the logic of ``xoshiro128``, see docs/contract.md."""


_LASTING = ("pbits", "_edges", "pairs")
"""Cached properties of a program that do not depend on weights."""

COLOURINGS = ("few", "fast", "exact")
"""Ways to colour; the first is the default."""


@dataclass(frozen=True, eq=False)
class Program:
    """A model on a coloured, quantised and placed p-bit array; made by `compile`.

    Parameters
    ----------
    target : Model
        What is on the array, in float: the user's model, or what it was expanded to.
    image : Image
        The array, in physical order and integer codes.
    order : ndarray of int32, shape (n,)
        Variable of the target at each physical p-bit.
    slot_edges : ndarray of int32, shape (slots,)
        Edge of the target whose coupling each slot holds.
    expansion : Expansion, optional
        How the user's model became the target.
    """

    target: Model
    image: Image
    order: Int32
    slot_edges: Int32
    expansion: Expansion | None = None

    @property
    def model(self) -> Any:
        """The model as the user gave it, a `Model` unless it had terms of more than two variables."""
        return self.target if self.expansion is None else self.expansion.source

    @cached_property
    def quantisation(self) -> Quantisation:
        """What quantising cost."""
        return measure(self.image.grid, self.target.couplings, self.target.biases)

    @cached_property
    def report(self) -> Report:
        """Size, colours, quantisation and boards."""
        return Report.of(self.image, self.quantisation)

    @cached_property
    def quantised(self) -> Model:
        """The model that the array really samples: the target, with couplings and biases as quantised."""
        step = self.image.grid.step
        couplings = np.zeros(len(self.target.edges))
        couplings[self.slot_edges] = self.image.weights * step
        return self.target.with_values(couplings, self._to_logical(self.image.unfold() * step))

    @cached_property
    def clamps(self) -> dict[Any, int]:
        """Label and value of the variables that are clamped unless a run says otherwise."""
        clamped, values = self._to_logical(self.image.clamped), self._to_logical(self.image.clamp_values)
        if self.expansion is not None:
            leaders = self.expansion.copies[self.expansion.first[:-1]]
            clamped, values = clamped[leaders], values[leaders]
        model = self.model
        return {model.labels[place]: model.allowed[values[place]] for place in np.flatnonzero(clamped)}

    def _to_logical(self, physical: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return physical.take(self.pbits, axis=-1)

    @cached_property
    def pbits(self) -> npt.NDArray[np.intp]:
        """P-bit of each variable of the target, shape (n,)."""
        return np.argsort(self.order)

    @cached_property
    def _edges(self) -> npt.NDArray[np.intp]:
        """`slot_edges` as numpy indexes fastest."""
        return self.slot_edges.astype(np.intp)

    @cached_property
    def pairs(self) -> Pairs:
        """P-bits at both ends of each edge of the target, in its order."""
        first, second = self.pbits[self.target.edges.T].astype(np.int32)
        return Pairs(first, second)

    def request(
        self,
        sweeps: int,
        replicas: int = 1,
        beta: float | tuple[float, float] | npt.ArrayLike = 1.0,
        keep_every: int | None = None,
        burn_in: int = 0,
        initial: npt.ArrayLike | None = None,
        clamp: Mapping[Any, npt.ArrayLike] | None = None,
        seed: int = 0,
    ) -> Request:
        """Translate a run to physical order and integer codes.

        Parameters
        ----------
        sweeps : int
            Sweeps per replica.
        replicas : int
            Independent replicas.
        beta : float, (float, float) or array_like of shape (sweeps,)
            Inverse temperature: constant, linear from the first sweep to the last, or of each sweep.
        keep_every : int, optional
            Keep the states after every so many sweeps; by default every sweep
            at constant beta, and the last alone when beta changes.
        burn_in : int
            Sweeps before any is kept.
        initial : array_like, shape (replicas, n), optional
            States before the first sweep, in the model's order and units; random by default.
        clamp : mapping, optional
            Label to value, or to one value per replica; by default the clamps given to `compile`.
        seed : int
            User seed.

        Raises
        ------
        RequestError, FormatError
            If the run is empty or keeps too much, a shape, label or value is wrong, or beta is outside its format.
        """
        return make_request(
            self.model,
            self.expansion,
            self.image,
            self.order,
            sweeps,
            replicas,
            beta,
            keep_every,
            burn_in,
            initial,
            clamp,
            seed,
        )

    def decode(self, batch: Batch, request: Request) -> Samples:
        """Translate a batch back to the model's order and units.

        Parameters
        ----------
        batch : Batch
            What a sampler returned.
        request : Request
            What it was asked.
        """
        bits, broken = self._to_logical(batch.states.reshape(-1, self.image.size)), None
        if self.expansion is not None:
            bits, broken = self.expansion.decode(bits), self.expansion.broken(bits)
        states = bits.astype(np.int8) * 2 - 1 if self.model.unit is Unit.SPIN else bits
        kept = len(request.keep)
        return Samples(
            self.model,
            states,
            np.repeat(request.keep, request.replicas),
            np.tile(np.arange(request.replicas), kept),
            batch.flips,
            batch.wall_ns,
            broken,
        )

    def reweighted(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> Program:
        """The same array with other couplings and biases: requantised, never recoloured.

        Parameters
        ----------
        couplings : array_like of float, shape (m,)
            In the order of ``model.edges``.
        biases : array_like of float, shape (n,)
            In the model's order.

        Raises
        ------
        ModelError
            If a shape differs, a value is not finite, or the model was reduced from another form.
        """
        expansion = None if self.expansion is None else self.expansion.reweighted(couplings, biases)
        target = self.target.with_values(couplings, biases) if expansion is None else expansion.target
        image = self.image.with_weights(*_encode(target, self.image, self.order, self._edges))
        program = replace(self, target=target, image=image, expansion=expansion)
        program.__dict__.update({name: self.__dict__[name] for name in _LASTING if name in self.__dict__})
        return program

    def follow(self, model: Variables) -> Program:
        """The same array for a model of the same graph, unit and labels: requantised, never recoloured.

        Parameters
        ----------
        model : Model

        Raises
        ------
        ModelError
            If anything but couplings and biases differs, or this program's model was reduced from another form.
        """
        mine = self.model
        if not (isinstance(mine, Model) and isinstance(model, Model)):
            raise ModelError("only models of pairs can be given to a compiled program; compile the model again")
        if (model.unit, model.labels) != (mine.unit, mine.labels) or not np.array_equal(model.edges, mine.edges):
            raise ModelError(
                f"{model!r} is not of the graph of the program's {mine!r}, or is labelled otherwise; compile it again"
            )
        return self.reweighted(model.couplings, model.biases)

    def interleaved(self, replicas: int) -> Program:
        """The same program on hardware that holds so many replicas.

        Parameters
        ----------
        replicas : int
            1, or a multiple of the colours, through which they follow one another; with lanes, as many as the engine
            has. See docs/contract.md.

        Raises
        ------
        ImageError
            If there can be no such array.
        """
        return replace(self, image=self.image.interleaved(replicas))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program to a file, whole or not at all.

        Raises
        ------
        ImageError
            If the file cannot be written.
        ModelError
            If a label is neither a number nor a string nor a tuple of them.
        """
        storage.write(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The bytes of the program's file; see `save`."""
        return storage.dump(self.target, self.image, self.order, self.slot_edges, self.expansion)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Program:
        """Read a program from a file.

        Raises
        ------
        ImageError
            If the file is missing, foreign, damaged or of another version.
        """
        return cls(*storage.parse(storage.read(path), str(path)))


def load(path: str | os.PathLike[str]) -> Program:
    """Read a program from a file; see `Program.load`."""
    return Program.load(path)


def compile(
    model: Variables | Expansion,
    *,
    weight_bits: int = 8,
    weight_format: str | SignedFormat | None = None,
    beta_format: str | UnsignedFormat = BETA_FORMAT,
    generator: str = GENERATOR,
    max_degree: int | None = None,
    target: str | None = None,
    colouring: str = COLOURINGS[0],
    clamp: Mapping[Any, float] | None = None,
    interleave: int = 1,
    lanes: int = 0,
) -> Program:
    """Map a model onto a coloured p-bit array in fixed point.

    Parameters
    ----------
    model : Model, Polynomial, Formula or Expansion
        What to sample, or what a pass made of it. A polynomial is reduced to pairs faithfully at beta up to 1, a
        formula for its ground states alone.
    weight_bits : int
        Bits of a coupling, the sign included: the finest format that clips nothing, or a narrower one that is exact.
        Values that are whole multiples of a common step, such as 0.1, are exact too: the step is scaled to a power of
        two, and beta the other way.
    weight_format : str, optional
        ``s[a][b]`` for couplings and biases instead; values outside saturate and
        are reported. It stays when weights change, so a model that is to be trained wants room: ``s[4][6]``.
    beta_format : str
        ``u[a][b]`` for the inverse temperature.
    generator : {"xoshiro64", "xoshiro128", "lfsr48", "linear64"}
        Random-number generator of every p-bit. ``lfsr48`` saves 30 to 50 LUTs a p-bit, and of ``linear64`` four p-bits
        share one, see docs/contract.md.
    max_degree : int, optional
        Refuse a model with a variable of more neighbours.
    target : str, optional
        Name of a board: refuse what cannot fit it.
    colouring : {"few", "fast", "exact"}
        Colours are clocks per sweep: as few as some seconds of search find, those of one pass of DSATUR, or provably
        as few as there can be, for small graphs.
    clamp : mapping, optional
        Label to value of variables that are clamped unless a run says otherwise.
    interleave : int
        Replicas in the array: 1, or a multiple of the colours, so that every p-bit updates in every clock; with lanes,
        as many as the engine has.
    lanes : int
        Lanes of the tiled engine that the program is for, at which p-bits take turns; 0 for an array of its own.

    Returns
    -------
    Program

    Raises
    ------
    ImageError
        If so many replicas cannot follow one another through the colours, or p-bits cannot take turns at so many lanes.
    ModelError
        If it is no model, or there is no such generator, board or colouring.
    FormatError
        If a format is malformed, or its fields are too wide for the array.
    FitError
        If a variable has more than ``max_degree`` neighbours, or the array does not fit the board.
    RequestError
        If a clamp names no variable, or a value that it cannot take.
    """
    pairs, expansion = lower(model)
    if generator.upper() not in Generator.__members__:
        raise ModelError(f"no generator {generator!r}; use {' or '.join(GENERATOR_NAMES)}")
    if max_degree is not None:
        _check_degree(pairs, max_degree, f"limit is {max_degree}")
    if target is not None:
        _check_degree(pairs, _board(target).max_degree, f"board {target} supports {_board(target).max_degree}")
    grid = _grid(pairs, weight_bits, weight_format)
    if colouring not in COLOURINGS:
        raise ModelError(f"no colouring {colouring!r}; use {' or '.join(COLOURINGS)}")
    colours = colour(pairs.size, pairs.edges, improve=colouring == "few", exact=colouring == "exact")
    check_colouring(pairs.edges, colours)
    placement = place(pairs.edges, colours, by_degree=lanes > 0)
    image = _image(pairs, placement, grid, UnsignedFormat.parse(str(beta_format)), Generator[generator.upper()])
    if lanes:
        image = replace(image, lanes=lanes)
    program = Program(pairs, image, placement.order, placement.slot_edges, expansion)
    if clamp:
        request = program.request(1, clamp=clamp)
        program = replace(program, image=image.with_clamps(request.clamped, request.clamp_values[0]))
    if interleave != 1:
        program = program.interleaved(interleave)
    program.image.check()
    if target is not None and (reasons := program.report.boards[target].reasons):
        raise FitError(f"the array cannot fit board {target}: {'; '.join(reasons)}; use a smaller model or fewer bits")
    return program


def _grid(model: Model, weight_bits: int, weight_format: str | SignedFormat | None) -> Grid:
    """The stated grid, or the best of so many bits."""
    if weight_format is not None:
        return Grid(SignedFormat.parse(str(weight_format)))
    return choose_grid(np.concatenate([model.couplings, model.biases]), weight_bits)


def _image(
    model: Model,
    placement: Placement,
    grid: Grid,
    beta_format: UnsignedFormat,
    generator: Generator,
) -> Image:
    nothing = np.zeros(model.size, np.uint8)
    image = Image(
        unit=model.unit,
        generator=generator,
        weight_format=grid.weight_format,
        beta_format=beta_format,
        colour_first=placement.colour_first,
        slot_first=placement.slot_first,
        neighbours=placement.neighbours,
        weights=np.zeros(len(placement.slot_edges), np.int32),
        biases=np.zeros(model.size, np.int32),
        clamped=nothing,
        clamp_values=nothing,
        scale=grid.scale,
    )
    check_widths(image)
    return image.with_weights(*_encode(model, image, placement.order, placement.slot_edges))


def _board(name: str) -> Target:
    if name not in TARGETS:
        raise ModelError(f"no board {name!r}; use {' or '.join(TARGETS)}")
    return TARGETS[name]


def _check_degree(model: Model, max_degree: int, limit: str) -> None:
    degree = int(np.bincount(model.edges.ravel(), minlength=1).max())
    if degree > max_degree:
        raise FitError(
            f"graph has degree {degree}, {limit}: split variables with sparsify(model, {max_degree}), "
            f"`pbit compile --sparsify {max_degree}`, or use a sparser graph"
        )


def _encode(model: Model, image: Image, order: Int32, slot_edges: npt.NDArray[np.integer[Any]]) -> tuple[Int32, Int32]:
    """Weight codes per slot and unfolded bias codes per p-bit."""
    return image.grid.codes(model.couplings).take(slot_edges), image.grid.codes(model.biases).take(order)
