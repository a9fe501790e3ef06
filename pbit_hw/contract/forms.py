"""The forms that a p-bit can be built in, and what an array of each needs at least.

All of them do the same, bit for bit. Flip-flops are counted exactly from the
registers; LUTs and block RAMs can only be estimated before synthesis.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from .generator import Generator
from .image import Image


class Form(enum.Enum):
    """What a p-bit's conditional distribution is made of."""

    ADDER = "adder"
    """A sum of weights, an activation and a comparison: any degree, many LUTs."""
    TABLE = "table"
    """A memory of thresholds for all sets of neighbours, which the device fills itself: few LUTs, small degrees."""
    BAKED = "baked"
    """Constants: weights, biases and beta cannot be loaded."""

    @property
    def latency(self) -> int:
        """Fewest clocks of an update."""
        return 1 if self is Form.ADDER else 2

    def interleave(self, image: Image) -> int:
        """Replicas that such an array holds at least: the image's own, if they are enough."""
        return image.following if image.latency >= self.latency else self.latency * image.colours


@dataclass(frozen=True)
class Demand:
    """What an array needs.

    Parameters
    ----------
    form : Form
        Of its p-bits.
    ffs : int
        Flip-flops of the array's registers: a lower bound of the whole device, which adds its link.
    luts, brams : mapping of str to int
        Estimated LUTs and block RAMs of the whole device, by family.
    multiplications : int
        Products of field and beta.
    degree : int
        Largest degree.
    """

    form: Form
    ffs: int
    luts: Mapping[str, int]
    brams: Mapping[str, int]
    multiplications: int
    degree: int


@dataclass(frozen=True)
class _LutModel:
    """LUTs of a device, fitted to synthesis; F is the field's width, B beta's.

    ``device`` for link and control; per adder p-bit ``pbit``, ``field`` times F,
    ``adder`` times degree times F, ``product`` times (F + 1) B where the family
    multiplies in logic; ``register`` per bit of weights, bias and states where
    flip-flops take logic cells of their own; ``table`` per entry of a table beyond what
    comparison and threshold take, ``compare``, and ``blocks`` where tables lie in block RAM.
    """

    device: float
    tabulator: float
    pbit: float
    field: float
    adder: float
    product: float
    register: float
    compare: float
    table: float
    blocks: bool = False


_MODELS = {
    "ice40": _LutModel(1100, 1050, 500, 0, 1, 1, 1, 20, 0, blocks=True),
    "ecp5": _LutModel(1500, 500, 440, 3, 1.6, 0, 0, 22, 1.5),
    "gowin": _LutModel(2500, 1800, 900, 0, 2, 2, 0, 50, 1.5),
}
FAMILIES = tuple(_MODELS)
"""Families of FPGAs that estimates are made for."""

_DEVICE_BRAMS = {Form.ADDER: 2, Form.BAKED: 2, Form.TABLE: 4}
"""Buffers, and for tables weights, biases, degrees and nodes."""

_GENERATOR_LUTS = {Generator.LFSR48: 66, Generator.XOSHIRO64: 100, Generator.XOSHIRO128: 245, Generator.LINEAR64: 68}

_LEAST_ENTRIES = 16
"""What a LUT holds of a table anyway."""


def demand(image: Image, form: Form = Form.ADDER) -> Demand:
    """What an array needs, before synthesis.

    Parameters
    ----------
    image : Image
        The array; weights and biases do not matter.
    form : Form
        Of its p-bits.
    """
    registers = image.size * (form.interleave(image) + 1) + image.streams * image.generator.bits + 32
    if form is Form.ADDER:
        registers += image.size * image.bias_bits + image.slots * image.weight_format.bits + image.beta_format.bits
    tables = image.size if form is Form.TABLE else 0
    return Demand(
        form=form,
        ffs=registers,
        luts={family: _luts(image, form, model) for family, model in _MODELS.items()},
        brams={family: _DEVICE_BRAMS[form] + tables * model.blocks for family, model in _MODELS.items()},
        multiplications=image.size if form is Form.ADDER else 1,
        degree=int(image.degrees.max(initial=0)),
    )


def _luts(image: Image, form: Form, model: _LutModel) -> int:
    shared = model.device + image.streams * _GENERATOR_LUTS[image.generator]
    shared += image.size * (3 + model.register * form.interleave(image))
    if form is Form.ADDER:
        return round(shared + _adders(image, model))
    entries = sum(max(1 << degree, _LEAST_ENTRIES) for degree in image.degrees.tolist())
    if form is Form.BAKED:
        return round(shared + image.size * model.compare + entries)
    return round(shared + model.tabulator + image.size * model.compare + model.table * entries)


def _adders(image: Image, model: _LutModel) -> float:
    field = image.bias_bits + 2
    pbit = model.pbit + model.field * field + model.product * (field + 1) * image.beta_format.bits
    pbit += model.register * image.bias_bits
    slot = model.adder * field + model.register * image.weight_format.bits
    return image.size * pbit + image.slots * slot
