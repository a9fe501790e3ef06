"""What p-bits without a clock share: couplings, the drive that a p-bit makes of its field, and the bounds of a run.

P-bit i feels I_i' = g_i (D(I_i) + o_i), where I_i = beta (sum_j J_ij m_j + h_i)
is its drive, D the converter, and g_i and o_i its own sensitivity and offset.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba.extending import register_jitable

from ...contract.errors import ModelError, RequestError
from ...contract.image import Image
from ...contract.update import Unit
from .dac import Dac, convert
from .variation import Variation

Float = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


class Coupling(NamedTuple):
    """Couplings and biases as the device models take them: a tuple that kernels read by name.

    Parameters
    ----------
    first : ndarray of int64, shape (n + 1,)
        Slots of p-bit i are ``first[i]`` to ``first[i + 1]``.
    neighbours, weights : ndarray of int64 and float64, shape (slots,)
        P-bit at the other end of each slot, and the coupling to it.
    biases : ndarray of float64, shape (n,)
        Biases.
    low : int
        Value of a p-bit that is down: -1, or 0 for bits.
    """

    first: Int64
    neighbours: Int64
    weights: Float
    biases: Float
    low: int

    @classmethod
    def of_model(cls, model: Any) -> Coupling:
        """Of a model, in its own order."""
        owners = np.concatenate([model.edges[:, 0], model.edges[:, 1]]).astype(np.int64)
        others = np.concatenate([model.edges[:, 1], model.edges[:, 0]]).astype(np.int64)
        order = np.argsort(owners, kind="stable")
        first = np.searchsorted(owners[order], np.arange(len(model.biases) + 1))
        biases = np.ascontiguousarray(model.biases, np.float64)
        return cls(first, others[order], np.tile(model.couplings, 2)[order], biases, _low(model.unit))

    @classmethod
    def of_image(cls, image: Image) -> Coupling:
        """Of an array, quantised as it is and in physical order."""
        step = np.float64(image.grid.step)
        slots = image.slot_first.astype(np.int64), image.neighbours.astype(np.int64)
        return cls(*slots, image.weights * step, image.unfold() * step, _low(image.unit))

    def scale(self, beta: float) -> float:
        """Drive per unit of field: a bit is a spin under half its field."""
        return beta if self.low < 0 else beta / 2


class Drive(NamedTuple):
    """What a p-bit makes of its field: a tuple that kernels read by name.

    Parameters
    ----------
    scale : float
        Drive per unit of field.
    step, limit : float
        Of the converter; a step of 0 for none.
    sensitivity, offset : ndarray of float64, shape (n,)
        Of each p-bit.
    """

    scale: float
    step: float
    limit: float
    sensitivity: Float
    offset: Float

    @classmethod
    def of(cls, scale: float, variation: Variation, dac: Dac | None) -> Drive:
        """Of devices behind a converter, or behind none."""
        step, limit = (0.0, np.inf) if dac is None else (dac.step, float(dac.limit))
        return cls(float(scale), step, limit, variation.sensitivity, variation.offset)

    def __call__(self, fields: Float) -> Float:
        """Drives that p-bits of given fields feel, shape (..., n) as the fields have."""
        return np.asarray(felt_drive(fields, *self))


@register_jitable
def felt_drive(field: Any, scale: Any, step: Any, limit: Any, sensitivity: Any, offset: Any) -> Any:
    """Drive that p-bits of given fields feel; arrays, or numbers in compiled code."""
    given = scale * field
    if step > 0:
        given = convert(given, step, limit)
    return sensitivity * (given + offset)


def devices_of(size: int, variation: Variation | None) -> Variation:
    """The devices of an array, nominal ones by default; `ModelError` if there are more or fewer than p-bits."""
    if variation is None:
        return Variation.draw(size)
    if variation.size != size:
        raise ModelError(f"{variation.size} devices cannot stand for {size} p-bits; draw as many as there are p-bits")
    return variation


def check_beta(beta: float) -> None:
    """Raise `RequestError` unless beta is finite."""
    if not np.isfinite(beta):
        raise RequestError(f"beta is {beta}; give a finite number")


def check_kept(steps: int, burn_in: int, keep_every: int) -> None:
    """Raise `RequestError` unless a run keeps a state."""
    if keep_every < 1 or burn_in < 0 or steps - burn_in < keep_every:
        raise RequestError(
            f"{steps} steps with a burn-in of {burn_in} keep no state at one in {keep_every}; ask for more steps"
        )


def _low(unit: Unit) -> int:
    return -1 if unit is Unit.SPIN else 0
