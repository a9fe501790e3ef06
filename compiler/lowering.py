"""Lowering: whatever a user asks for as a model of pairs, the only kind that an array couples."""

from __future__ import annotations

import os
from typing import Any

from ..contract.errors import ModelError
from .base import Model
from .cnf import Formula
from .expansion import Expansion
from .polynomial import Polynomial
from .reduce import reduce


def lower(model: Any) -> tuple[Model, Expansion | None]:
    """What goes on the array, and how it stands for the user's model if it is another.

    Parameters
    ----------
    model : Model, Polynomial, Formula or Expansion

    Raises
    ------
    ModelError
        If it is none of these.
    """
    if isinstance(model, Polynomial):
        model = reduce(model)
    elif isinstance(model, Formula):
        model = model.model()
    if isinstance(model, Expansion):
        return model.target, model
    if not isinstance(model, Model):
        raise ModelError(f"give a model, not {type(model).__name__}; {_hint(model)}")
    return model, None


def _hint(given: object) -> str:
    if hasattr(given, "is_directed"):
        return "use Ising.from_networkx(graph)"
    if hasattr(given, "vartype"):
        return "use Ising.from_bqm(bqm)"
    if isinstance(given, str | os.PathLike):
        return "use Ising.from_gset(path) for a graph, load(path) for a program"
    return "make one first, for example Ising(h, J)"
