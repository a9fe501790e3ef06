"""From what a user asks for to a `Request` in physical order and integer codes."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError, RequestError
from ..contract.image import Image
from ..contract.request import Request, initial_states
from .base import Variables
from .buses import spelt_out
from .edges import Int32
from .expansion import Expansion

Uint8 = npt.NDArray[np.uint8]

MAX_KEPT_BYTES = 1 << 32
"""Most states, a byte each, that one run may keep."""


def make_request(
    model: Variables,
    expansion: Expansion | None,
    image: Image,
    order: Int32,
    sweeps: int,
    replicas: int,
    beta: Any,
    keep_every: int | None,
    burn_in: int,
    initial: npt.ArrayLike | None,
    clamp: Mapping[Any, npt.ArrayLike] | None,
    seed: int,
) -> Request:
    """See `Program.request`."""
    sweeps, replicas = _count("sweeps", sweeps, 1), _count("replicas", replicas, 1)
    burn_in = _count("burn_in", burn_in, 0)
    keep_every = None if keep_every is None else _count("keep_every", keep_every, 1)
    betas = beta_codes(image, beta, sweeps)
    keep = kept_sweeps(sweeps, betas, keep_every, burn_in)
    if len(keep) * replicas * image.size > MAX_KEPT_BYTES:
        raise RequestError(
            f"{len(keep)} kept sweeps of {replicas} replicas are {len(keep) * replicas * image.size / 1e9:.1f} GB of "
            f"states, the limit is {MAX_KEPT_BYTES / 1e9:.1f} GB; raise keep_every"
        )
    if initial is None:
        states = initial_states(seed, replicas, model.size)
        states = states if expansion is None else expansion.spread(states)[:, order]
    else:
        states = _expanded(expansion, _initial_bits(model, initial, replicas))[:, order]
    if clamp is None:
        clamped, values = image.clamped, np.repeat(image.clamp_values[None], replicas, axis=0)
    else:
        clamped, values = (_expanded(expansion, held)[..., order] for held in clamps(model, clamp, replicas))
    return Request(betas, keep, seed, states, clamped, values)


def _expanded(expansion: Expansion | None, bits: Uint8) -> Uint8:
    """Bits of the model as bits of what is on the array."""
    return bits if expansion is None else expansion.spread(bits)


def _count(name: str, value: Any, least: int) -> int:
    try:
        count = operator.index(value)
    except TypeError:
        raise RequestError(f"{name} is {value!r}; it must be a whole number") from None
    if count < least:
        raise RequestError(f"{name} is {count}; it must be at least {least}")
    return count


def beta_codes(image: Image, beta: Any, sweeps: int) -> Int32:
    """Code of beta in each sweep.

    Parameters
    ----------
    image : Image
        Knows the format.
    beta : float, (float, float) or array_like of shape (sweeps,)
    sweeps : int
    """
    try:
        values = np.asarray(beta, np.float64)
    except (TypeError, ValueError):
        raise RequestError(f"beta is {beta!r}; give a number, (start, stop) or {sweeps} values") from None
    if values.shape == (2,):
        values = np.linspace(values[0], values[1], sweeps)
    if values.ndim and values.shape != (sweeps,):
        raise RequestError(f"beta has shape {values.shape}; give a number, (start, stop) or {sweeps} values")
    return np.broadcast_to(image.beta_codes(values), (sweeps,)).astype(np.int32)


def kept_sweeps(sweeps: int, betas: Int32, keep_every: int | None, burn_in: int) -> npt.NDArray[np.int64]:
    """Sweeps, counted from 1, whose states are kept."""
    if keep_every is None:
        keep_every = 1 if (betas == betas[0]).all() else sweeps - burn_in
    if keep_every < 1 or burn_in + keep_every > sweeps:
        raise RequestError(
            f"nothing would be kept of {sweeps} sweeps with burn_in {burn_in} and keep_every {max(keep_every, 1)}; "
            f"run more sweeps"
        )
    return np.arange(burn_in + keep_every, sweeps + 1, keep_every, dtype=np.int64)


def _initial_bits(model: Variables, initial: npt.ArrayLike, replicas: int) -> Uint8:
    try:
        states = model.values(initial)
    except ModelError as error:
        raise RequestError(f"initial: {error}") from error
    if len(states) != replicas:
        raise RequestError(f"initial holds {len(states)} states for {replicas} replicas; give one for each")
    return (states > 0).astype(np.uint8)


def clamps(model: Variables, clamp: Mapping[Any, npt.ArrayLike], replicas: int) -> tuple[Uint8, Uint8]:
    """Which variables are clamped, shape (n,), and to what in each replica, shape (replicas, n); buses by numbers."""
    clamped = np.zeros(model.size, np.uint8)
    values = np.zeros((replicas, model.size), np.uint8)
    low, high = model.allowed
    for label, wanted in spelt_out(clamp, model.index, model.allowed).items():
        if label not in model.index:
            raise RequestError(f"cannot clamp {label!r}: the model has no such variable; see model.labels")
        array = np.asarray(wanted)
        if array.shape not in ((), (replicas,)):
            raise RequestError(f"clamp of {label!r} has shape {array.shape}; give a value or {replicas} of them")
        if not np.all((array == low) | (array == high)):  # `isin` takes ten times as long
            wrong = array[~np.isin(array, model.allowed)].flat[0]
            raise RequestError(f"cannot clamp {label!r} to {wrong}: it takes {low} or {high}")
        clamped[model.index[label]] = 1
        values[:, model.index[label]] = array > 0
    return clamped, values
