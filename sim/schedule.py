"""From which beta to which: read off the energies that a model can gain and lose by one flip."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import RequestError
from ..contract.update import Unit

HOT_FIELD = 0.5
"""Where a schedule begins, beta times the largest root-mean-square field is this: every p-bit is nearly free."""

SMALL_SHARE = 0.1
"""Fields of which so many couplings and biases are smaller are not waited for."""


def beta_range(program: Any) -> tuple[float, float]:
    """Where to begin and end a schedule of beta for a program.

    At the hot end the p-bit with the largest random field, sqrt(sum_j J_ij^2 + h_i^2) if its neighbours
    were independent, follows it hardly. At the cold end one p-bit of the array goes against a field
    of the smallest coupling at any time: sigmoid(-2 beta J) = 1 / n.

    Parameters
    ----------
    program : Program
        Compiled; its quantised couplings count.

    Returns
    -------
    hot, cold : float
        Inverse temperatures in the model's units, within the format of beta.

    Raises
    ------
    RequestError
        If the model has no couplings and biases, or the format of beta is too coarse for it.
    """
    model = program.quantised
    strengths = np.abs(np.concatenate([model.couplings, model.biases]))
    strengths = strengths[strengths > 0]
    if not len(strengths):
        raise RequestError("the model has neither couplings nor biases, so that every state is as good; give beta")
    squares = np.bincount(model.edges.ravel(), np.repeat(model.couplings**2, 2), model.size) + model.biases**2
    spins = 2 if model.unit is Unit.SPIN else 1  # a flip costs twice the field, or the field
    hot = 2 * HOT_FIELD / (spins * math.sqrt(squares.max()))
    cold = math.log(max(model.size, 3)) / (spins * float(np.quantile(strengths, SMALL_SHARE)))
    image = program.image
    least, most = image.beta_step, image.largest_beta
    if not hot <= most / 2:
        raise RequestError(
            f"the couplings of this model are so small that a schedule begins at beta {hot:g}, and the largest beta of "
            f"{image.beta_format} is {most:g}; scale the model's couplings up or compile with a wider beta_format"
        )
    return max(hot, least), min(max(cold, 2 * hot), most)


def geometric(hot: float, cold: float, count: int) -> npt.NDArray[np.float64]:
    """Betas from ``hot`` to ``cold`` in equal ratios, shape (count,); a single one is the cold one."""
    return np.geomspace(hot, cold, count) if count > 1 else np.array([cold])
