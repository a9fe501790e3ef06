"""Fixed-point formats: ``s[a][b]`` (sign, a integer bits, b fraction bits) and ``u[a][b]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .errors import FormatError

MAX_BITS = 24
"""Widest magnitude (a + b) of a format."""


def _parse(kind: str, text: str) -> tuple[int, int]:
    match = re.fullmatch(rf"{kind}\[(-?\d+)\]\[(-?\d+)\]", text.strip())
    if match is None:
        raise FormatError(f"{text!r} is not a fixed-point format; write it as {kind}[a][b], for example {kind}[3][4]")
    return int(match[1]), int(match[2])


@dataclass(frozen=True)
class SignedFormat:
    """Sign, ``int_bits`` integer bits and ``frac_bits`` fraction bits, saturating symmetrically.

    Parameters
    ----------
    int_bits : int
        Integer bits a; may be negative where all values are small.
    frac_bits : int
        Fraction bits b; may be negative where all values are large.
    """

    int_bits: int
    frac_bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.int_bits + self.frac_bits <= MAX_BITS:
            raise FormatError(f"format {self} has {self.int_bits + self.frac_bits} magnitude bits; use 1 to {MAX_BITS}")

    @classmethod
    def parse(cls, text: str) -> SignedFormat:
        """Read ``s[a][b]``."""
        return cls(*_parse("s", text))

    def __str__(self) -> str:
        return f"s[{self.int_bits}][{self.frac_bits}]"

    @property
    def bits(self) -> int:
        """Width in bits, the sign included."""
        return 1 + self.int_bits + self.frac_bits

    @property
    def limit(self) -> int:
        """Largest magnitude as an integer; the most negative code is not used."""
        return (1 << (self.int_bits + self.frac_bits)) - 1

    @property
    def step(self) -> float:
        """Value of one unit in the last place."""
        return 2.0**-self.frac_bits

    def quantise(self, values: npt.ArrayLike, scale: float = 1.0) -> npt.NDArray[np.int32]:
        """Round half to even to the nearest code and saturate.

        Parameters
        ----------
        values : array_like of float
            Finite values, any shape.
        scale : float
            What a register of value 1 stands for.

        Returns
        -------
        ndarray of int32
            Codes of the same shape; ``codes * step * scale`` are the values.
        """
        scaled = np.asarray(np.asarray(values, np.float64) / (self.step * scale))
        if not np.isfinite(scaled).all():
            raise FormatError(f"cannot quantise a value that is not finite to {self}")
        np.rint(scaled, out=scaled)
        limit = float(self.limit)
        return np.clip(scaled, -limit, limit, out=scaled).astype(np.int32)

    def saturated(self, values: npt.ArrayLike) -> int:
        """Count the values that `quantise` would clip."""
        return int((np.abs(np.rint(np.asarray(values, dtype=np.float64) / self.step)) > self.limit).sum())


@dataclass(frozen=True)
class Grid:
    """The values that weight registers can hold, in a model's units.

    Parameters
    ----------
    weight_format : SignedFormat
        Of the registers.
    scale : float
        What a register of value 1 stands for.
    """

    weight_format: SignedFormat
    scale: float = 1.0

    @property
    def step(self) -> float:
        """What the last bit stands for."""
        return self.weight_format.step * self.scale

    @property
    def largest(self) -> float:
        """The largest value."""
        return self.weight_format.limit * self.step

    def codes(self, values: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Codes of the nearest values of the grid."""
        return self.weight_format.quantise(values, self.scale)

    def round(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The nearest values of the grid."""
        return self.codes(values) * np.float64(self.step)

    def saturated(self, values: npt.ArrayLike) -> int:
        """How many values lie outside."""
        return self.weight_format.saturated(np.asarray(values, np.float64) / self.scale)


@dataclass(frozen=True)
class UnsignedFormat:
    """``int_bits`` integer bits and ``frac_bits`` fraction bits without a sign.

    Parameters
    ----------
    int_bits, frac_bits : int
        Integer and fraction bits.
    """

    int_bits: int
    frac_bits: int

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise FormatError(f"format {self} has {self.bits} bits; use 1 to {MAX_BITS}")

    @classmethod
    def parse(cls, text: str) -> UnsignedFormat:
        """Read ``u[a][b]``."""
        return cls(*_parse("u", text))

    def __str__(self) -> str:
        return f"u[{self.int_bits}][{self.frac_bits}]"

    @property
    def bits(self) -> int:
        """Width in bits."""
        return self.int_bits + self.frac_bits

    @property
    def limit(self) -> int:
        """Largest code."""
        return (1 << self.bits) - 1

    @property
    def step(self) -> float:
        """Value of one unit in the last place."""
        return 2.0**-self.frac_bits

    def quantise(self, values: npt.ArrayLike, name: str = "value", scale: float = 1.0) -> npt.NDArray[np.int32]:
        """Round ``scale`` times the values to the nearest code; one outside the range is an error, not clipped.

        Parameters
        ----------
        values : array_like of float
            Values, any shape.
        name : str
            What the value is, for the error.
        scale : float
            What a value of 1 has in the register.

        Returns
        -------
        ndarray of int32
            Codes of the same shape.

        Raises
        ------
        FormatError
            If a value is negative, not finite or above the format.
        """
        floats = np.asarray(values, dtype=np.float64)
        step = self.step / scale
        bad = ~(np.isfinite(floats) & (floats >= 0) & (np.rint(floats / step) <= self.limit))
        if bad.any():
            worst = floats[bad].flat[0]
            raise FormatError(
                f"{name} {worst:g} is outside {self}, 0 to {self.limit * step:g}; scale the model's couplings "
                f"or compile with a wider format"
            )
        return np.rint(floats / step).astype(np.int32)
