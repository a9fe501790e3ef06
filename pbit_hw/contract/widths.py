"""How the registers of an image fit those of an engine, whatever its kind."""

from __future__ import annotations

from typing import Protocol

from .errors import FitError
from .generator import Generator
from .image import Image


class Widths(Protocol):
    """What the shapes of all engines say of their registers."""

    @property
    def lanes(self) -> int:
        """Lanes."""
        ...

    @property
    def addend_bits(self) -> int:
        """Signed width of what a neighbour adds: weights of spins count twice."""
        ...

    @property
    def bias_bits(self) -> int:
        """Signed width of folded biases and fields, see `Image.bias_bits`."""
        ...

    @property
    def beta_bits(self) -> int:
        """Width of the code of beta."""
        ...

    @property
    def argument_shift(self) -> int:
        """Fraction bits between |field| * beta and the activation's argument."""
        ...

    @property
    def generator(self) -> Generator:
        """Kind of random-number generator."""
        ...


def _addend_bits(image: Image) -> int:
    return image.weight_format.bits + int(image.unit)


def shifts(image: Image, shape: Widths) -> tuple[int, int]:
    """Places by which weights and biases, and the code of beta, are further up in the engine than in the image."""
    both = shape.argument_shift - image.argument_shift
    spare = min(shape.addend_bits - _addend_bits(image), shape.bias_bits - image.bias_bits)
    of_weights = min(max(spare, 0), max(both, 0))
    return of_weights, both - of_weights


def check_widths(image: Image, shape: Widths) -> None:
    """Refuse an image of another number of lanes or generator, or of wider registers.

    Raises
    ------
    FitError
        If it is one.
    """
    if image.lanes != shape.lanes:
        raise FitError(
            f"program is for {image.lanes or 'no'} lanes, the engine has {shape.lanes}; "
            f"compile it with lanes={shape.lanes}"
        )
    if image.generator is not shape.generator:
        own, engine = image.generator.name.lower(), shape.generator.name.lower()
        raise FitError(f"program is for generator {own}, the engine has {engine}; compile it with generator={engine!r}")
    shift = shifts(image, shape)[1]
    needs = {
        "weights": (_addend_bits(image), shape.addend_bits, "use fewer weight bits"),
        "biases": (
            image.bias_bits,
            shape.bias_bits,
            "use fewer weight bits, or smaller degrees, as sparsify makes them",
        ),
        "beta": (image.beta_format.bits + max(shift, 0), shape.beta_bits, "use fewer bits of beta"),
    }
    for name, (needed, there, way_out) in needs.items():
        if needed > there:
            raise FitError(f"{name} of the program need {needed} bits, the engine has {there}: {way_out}")
    if shift < 0:
        raise FitError(
            f"weights and beta of the program have {-shift} fraction bits more than the engine drops; use fewer"
        )
