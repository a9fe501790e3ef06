"""Quantisation: which format couplings and biases get, and what that costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract.errors import FormatError
from ..contract.formats import MAX_BITS, Grid, SignedFormat
from ..contract.image import Image
from .edges import Float

FINEST_FRAC_BITS = 32
"""A chosen format has no more fraction bits: couplings below 2^-32 do nothing at any beta."""

REGISTER_BITS = 32
"""Widest register of the map: folded biases must fit it."""

PRODUCT_BITS = 62
"""Widest product of field and beta, shifted to the activation's argument, that simulators compute exactly."""


COMMON = 1e-9
"""Values this near, relative to the largest, to whole multiples of a step are meant to be such."""


@dataclass(frozen=True)
class Quantisation:
    """What quantising did.

    Parameters
    ----------
    grid : Grid
        What registers can hold.
    max_error, rms_error : float
        Of couplings and biases together, in the model's units.
    saturated_couplings, saturated_biases : int
        Values that the format clips.
    """

    grid: Grid
    max_error: float
    rms_error: float
    saturated_couplings: int
    saturated_biases: int


def choose_grid(values: npt.ArrayLike, weight_bits: int) -> Grid:
    """The grid that holds the values exactly, if one of ``weight_bits`` does, else the finest that clips nothing.

    Equal, opposite and commensurate couplings, and so the ties of frustrated models, survive if all values are whole
    multiples of a common step.

    Parameters
    ----------
    values : array_like of float
        Couplings and biases.
    weight_bits : int
        Most bits, the sign included.

    Raises
    ------
    FormatError
        If ``weight_bits`` is no width of a format.
    """
    array = np.asarray(values, np.float64)
    plain = Grid(choose_format(array, weight_bits))
    if np.array_equal(plain.round(array), array):
        return plain
    step = common_step(array, (1 << (weight_bits - 1)) - 1)
    if step is None:
        return plain
    frac_bits = math.floor(-math.log2(step))  # so that the scale is from 1/2 to 1, and beta's range grows
    if frac_bits > FINEST_FRAC_BITS:
        return plain
    magnitude_bits = int(np.rint(np.abs(array).max() / step)).bit_length()
    return Grid(SignedFormat(magnitude_bits - frac_bits, frac_bits), step * 2.0**frac_bits)


def common_step(values: Float, most: int) -> float | None:
    """The largest step that all values are whole multiples of, or None if some would be more than ``most`` steps.

    Parameters
    ----------
    values : ndarray of float64
    most : int
        Largest multiple.
    """
    sizes = np.unique(np.abs(values))
    sizes = sizes[sizes > 0]
    if not 0 < len(sizes) <= most:
        return None
    slack, step = COMMON * sizes[-1], sizes[-1]
    for size in sizes:
        step = _common_divisor(step, size, slack)
        if step * (most + 0.5) < sizes[-1]:
            return None
    multiples = np.rint(sizes / step)
    step = float(sizes @ multiples / (multiples @ multiples))
    return step if np.abs(sizes - step * multiples).max() <= slack else None


def _common_divisor(larger: float, smaller: float, slack: float) -> float:
    """Euclid's algorithm, with remainders up to the slack taken for none."""
    while smaller > slack:
        larger, smaller = smaller, abs(larger - smaller * round(larger / smaller))
    return larger


def choose_format(values: npt.ArrayLike, weight_bits: int) -> SignedFormat:
    """The finest format of ``weight_bits`` bits that clips nothing, or a narrower one that is exact.

    Parameters
    ----------
    values : array_like of float
        Couplings and biases.
    weight_bits : int
        Most bits, the sign included.

    Raises
    ------
    FormatError
        If ``weight_bits`` is no width of a format.
    """
    if not 2 <= weight_bits <= MAX_BITS + 1:
        raise FormatError(f"weight_bits is {weight_bits}; use 2 to {MAX_BITS + 1}")
    largest = float(np.abs(np.asarray(values, np.float64)).max(initial=0.0))
    if largest == 0.0:
        return SignedFormat(2, weight_bits - 3)  # a model that is yet to be trained
    frac_bits = min(weight_bits - 1 - int(np.floor(np.log2(largest))) - 1, FINEST_FRAC_BITS)
    # Rounding may carry the largest value past the limit: then one fraction bit less.
    if SignedFormat(weight_bits - 1 - frac_bits, frac_bits).saturated(largest):
        frac_bits -= 1
    return _trim(values, SignedFormat(weight_bits - 1 - frac_bits, frac_bits))


def _trim(values: npt.ArrayLike, wide: SignedFormat) -> SignedFormat:
    """The narrowest format that holds the same values exactly; the wide one where even that rounds."""
    codes = np.abs(wide.quantise(values))
    if not np.array_equal(codes * wide.step, np.abs(values)):
        return wide
    together = int(np.bitwise_or.reduce(codes, axis=None))
    spare = (together & -together).bit_length() - 1
    frac_bits = wide.frac_bits - spare
    magnitude_bits = max(1, int(codes.max()).bit_length() - spare)
    return SignedFormat(magnitude_bits - frac_bits, frac_bits)


def measure(grid: Grid, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> Quantisation:
    """What a grid does to couplings and biases.

    Parameters
    ----------
    grid : Grid
    couplings, biases : array_like of float
    """
    values = np.concatenate([np.ravel(couplings), np.ravel(biases)]).astype(np.float64)
    errors = np.abs(grid.round(values) - values)
    return Quantisation(
        grid,
        float(errors.max(initial=0.0)),
        float(np.sqrt(np.mean(errors**2))),
        grid.saturated(couplings),
        grid.saturated(biases),
    )


def check_widths(image: Image) -> None:
    """Refuse formats whose fields overflow the array's registers or its products.

    Raises
    ------
    FormatError
        Naming the width and the limit.
    """
    weights, beta = image.weight_format, image.beta_format
    if image.bias_bits > REGISTER_BITS:
        raise FormatError(
            f"degree {image.degrees.max()} at {weights} needs fields of {image.bias_bits} bits, registers have "
            f"{REGISTER_BITS}; use fewer weight bits"
        )
    product_bits = image.bias_bits + beta.bits - min(image.argument_shift, 0)
    if max(product_bits, image.argument_shift) > PRODUCT_BITS:
        raise FormatError(
            f"formats {weights} and {beta} need {max(product_bits, image.argument_shift)} bits in the activation, "
            f"the limit is {PRODUCT_BITS}; scale the couplings to about 1 and beta the other way"
        )
