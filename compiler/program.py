"""A compiled program: the image, and the only place that knows logical and physical order."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import container
from ..contract.errors import FitError, ImageError, ModelError
from ..contract.formats import SignedFormat, UnsignedFormat
from ..contract.generator import Generator
from ..contract.image import Image
from ..contract.request import Batch, Request
from ..contract.update import Unit
from .colouring import check_colouring, dsatur
from .models import Float, Int32, Model
from .placement import place
from .quantise import Quantisation, choose_format, measure
from .report import Report
from .requests import make_request
from .samples import Samples

BETA_FORMAT = "u[3][9]"
"""Default format of beta: up to 8 in steps of 1/512."""


@dataclass(frozen=True, eq=False)
class Program:
    """A model on a coloured, quantised and placed p-bit array; made by `compile`.

    Parameters
    ----------
    model : Model
        The model as the user gave it, in float.
    image : Image
        The array, in physical order and integer codes.
    order : ndarray of int32, shape (n,)
        Logical variable of each physical p-bit.
    slot_edges : ndarray of int32, shape (slots,)
        Edge of the model whose coupling each slot holds.
    """

    model: Model
    image: Image
    order: Int32
    slot_edges: Int32

    @cached_property
    def quantisation(self) -> Quantisation:
        """What quantising cost."""
        return measure(self.image.weight_format, self.model.couplings, self.model.biases)

    @cached_property
    def report(self) -> Report:
        """Size, colours, quantisation and boards."""
        return Report.of(self.image, self.quantisation)

    @cached_property
    def quantised(self) -> Model:
        """The model that the array really samples: the same, with couplings and biases as quantised."""
        step = self.image.weight_format.step
        couplings = np.zeros(len(self.model.edges))
        couplings[self.slot_edges] = self.image.weights * step
        return _revalued(self.model, couplings, self._to_logical(self.image.unfold() * step))

    def _to_logical(self, physical: npt.NDArray[Any]) -> npt.NDArray[Any]:
        logical = np.empty_like(physical)
        logical[..., self.order] = physical
        return logical

    def request(
        self,
        sweeps: int,
        replicas: int = 1,
        beta: float | tuple[float, float] | npt.ArrayLike = 1.0,
        keep_every: int | None = None,
        burn_in: int = 0,
        initial: npt.ArrayLike | None = None,
        clamp: Mapping[Hashable, npt.ArrayLike] | None = None,
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
            Inverse temperature: constant, linear from start to stop, or of each sweep.
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
            If the run is empty, a label is unknown or beta is outside its format.
        """
        return make_request(
            self.model, self.image, self.order, sweeps, replicas, beta, keep_every, burn_in, initial, clamp, seed
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
        bits = self._to_logical(batch.states.reshape(-1, self.image.size))
        states = bits.astype(np.int8) * 2 - 1 if self.model.unit is Unit.SPIN else bits
        kept = len(request.keep)
        return Samples(
            self.model,
            states,
            np.repeat(request.keep, request.replicas),
            np.tile(np.arange(request.replicas), kept),
            batch.flips,
            batch.wall_ns,
        )

    def reweighted(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> Program:
        """The same array with other couplings and biases: requantised, never recoloured.

        Parameters
        ----------
        couplings : array_like of float, shape (m,)
            In the order of ``model.edges``.
        biases : array_like of float, shape (n,)
            In the model's order.
        """
        model = _revalued(self.model, np.asarray(couplings, np.float64), np.asarray(biases, np.float64))
        weights, codes = _encode(model, self.image.weight_format, self.order, self.slot_edges)
        return replace(self, model=model, image=self.image.with_weights(weights, codes))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program to a file, whole or not at all."""
        meta, arrays = self.image.parts()
        model = self.model
        own = {
            "edges": model.edges,
            "couplings": model.couplings,
            "model_biases": model.biases,
            "visible": model.visible,
            "hidden": model.hidden,
            "order": self.order,
            "slot_edges": self.slot_edges,
        }
        labels = [_plain(label) for label in model.labels]
        header = {"image": meta, "labels": labels, "offset": model.offset, "kind": type(model).__name__}
        container.write_whole(path, container.dump(header, {**arrays, **own}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Program:
        """Read a program from a file.

        Raises
        ------
        ImageError
            If the file is missing, foreign, damaged or of another version.
        """
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ImageError(f"cannot read program {path}: {error.strerror}") from error
        meta, arrays = container.parse(data, str(path))
        image = Image.from_parts(meta["image"], arrays)
        labels = tuple(_hashable(label) for label in meta["labels"])
        fields = (arrays[name] for name in ("edges", "couplings", "model_biases"))
        model = _model_class(meta["kind"]).__new__(_model_class(meta["kind"]))
        Model.__init__(model, image.unit, labels, *fields, meta["offset"], arrays["visible"], arrays["hidden"])
        return cls(model, image, arrays["order"], arrays["slot_edges"])


def compile(
    model: Model,
    *,
    weight_bits: int = 8,
    weight_format: str | SignedFormat | None = None,
    beta_format: str | UnsignedFormat = BETA_FORMAT,
    generator: str = "lfsr32",
    max_degree: int | None = None,
    clamp: Mapping[Hashable, float] | None = None,
) -> Program:
    """Map a model onto a coloured p-bit array in fixed point.

    Parameters
    ----------
    model : Model
        What to sample.
    weight_bits : int
        Most bits of a coupling, the sign included; the format is the finest that clips nothing.
    weight_format : str, optional
        ``s[a][b]`` for couplings and biases instead; values outside saturate and are reported.
    beta_format : str
        ``u[a][b]`` for the inverse temperature.
    generator : {"lfsr32", "xoshiro128"}
        Random-number generator of every p-bit.
    max_degree : int, optional
        Refuse a model with a variable of more neighbours.
    clamp : mapping, optional
        Label to value of variables that are clamped unless a run says otherwise.

    Returns
    -------
    Program

    Raises
    ------
    ModelError, FormatError, FitError
        If the model is malformed, or cannot be mapped.
    """
    if not isinstance(model, Model):
        raise ModelError(
            f"cannot compile a {type(model).__name__}; make a model first, e.g. Ising.from_networkx(graph)"
        )
    if generator.upper() not in Generator.__members__:
        raise ModelError(f"no generator {generator!r}; use {' or '.join(kind.name.lower() for kind in Generator)}")
    _check_degree(model, max_degree)
    colours = dsatur(model.size, model.edges)
    check_colouring(model.edges, colours)
    placement = place(model.edges, colours)
    if weight_format is None:
        chosen = choose_format(np.concatenate([model.couplings, model.biases]), weight_bits)
    else:
        chosen = SignedFormat.parse(str(weight_format))
    weights, codes = _encode(model, chosen, placement.order, placement.slot_edges)
    nothing = np.zeros(model.size, np.uint8)
    image = Image(
        model.unit,
        Generator[generator.upper()],
        chosen,
        UnsignedFormat.parse(str(beta_format)),
        placement.colour_first,
        placement.slot_first,
        placement.neighbours,
        weights,
        codes,
        nothing,
        nothing,
    ).with_weights(weights, codes)
    program = Program(model, image, placement.order, placement.slot_edges)
    if clamp:
        request = program.request(1, clamp=clamp)
        program = replace(program, image=image.with_clamps(request.clamped, request.clamp_values[0]))
    program.image.check()
    return program


def _check_degree(model: Model, max_degree: int | None) -> None:
    degree = int(np.bincount(model.edges.ravel(), minlength=1).max())
    if max_degree is not None and degree > max_degree:
        raise FitError(
            f"graph has degree {degree}, the limit is {max_degree}: raise max_degree or split the largest variables"
        )


def _encode(model: Model, weight_format: SignedFormat, order: Int32, slot_edges: Int32) -> tuple[Int32, Int32]:
    """Weight codes per slot and unfolded bias codes per p-bit."""
    return weight_format.quantise(model.couplings)[slot_edges], weight_format.quantise(model.biases)[order]


def _revalued(model: Model, couplings: Float, biases: Float) -> Model:
    if couplings.shape != model.couplings.shape or biases.shape != model.biases.shape:
        raise ModelError(
            f"{couplings.size} couplings and {biases.size} biases for {len(model.couplings)} edges "
            f"and {model.size} variables"
        )
    other = type(model).__new__(type(model))
    Model.__init__(
        other, model.unit, model.labels, model.edges, couplings, biases, model.offset, model.visible, model.hidden
    )
    return other


def _model_class(name: str) -> type[Model]:
    from . import models, readers

    kinds = (models.Ising, models.BoltzmannMachine, models.RBM, models.Hopfield, readers.MaxCut)
    for kind in kinds:
        if kind.__name__ == name:
            return kind
    raise ImageError(f"program holds a model of unknown kind {name!r}; was it written by a newer version?")


def _plain(label: Hashable) -> Any:
    """A label as JSON can hold it: numbers, strings, and tuples of them as lists."""
    if isinstance(label, tuple):
        return [_plain(part) for part in label]
    if isinstance(label, np.generic):
        return label.item()
    if isinstance(label, str | int | float):
        return label
    raise ModelError(f"label {label!r} cannot be saved; use numbers, strings or tuples of them")


def _hashable(label: Any) -> Hashable:
    return tuple(_hashable(part) for part in label) if isinstance(label, list) else label
