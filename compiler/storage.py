"""Program files: the image beside the model in float, its labels and where everything lies."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import container
from ..contract.errors import ImageError, ModelError, PbitError
from ..contract.image import Image
from . import models
from .base import Model
from .edges import Int32

_KINDS = {kind.__name__: kind for kind in (getattr(models, name) for name in models.__all__)}


def dump(model: Model, image: Image, order: Int32, slot_edges: Int32) -> bytes:
    """The bytes of a program file; equal programs give equal bytes.

    Parameters
    ----------
    model, image, order, slot_edges
        The fields of a `Program`.

    Raises
    ------
    ModelError
        If a label cannot be stored.
    """
    meta, arrays = image.parts()
    own: dict[str, npt.NDArray[Any]] = {
        "edges": model.edges,
        "couplings": model.couplings,
        "model_biases": model.biases,
        "visible": model.visible,
        "hidden": model.hidden,
        "order": order,
        "slot_edges": slot_edges,
    }
    labels = [_plain(label) for label in model.labels]
    header = {"image": meta, "labels": labels, "offset": model.offset, "kind": type(model).__name__}
    return container.dump(header, {**arrays, **own})


def parse(data: bytes, source: str) -> tuple[Model, Image, Int32, Int32]:
    """The fields of a program from the bytes of its file.

    Parameters
    ----------
    data : bytes
        A whole file.
    source : str
        Its name, for errors.

    Raises
    ------
    ImageError
        If the file is foreign, damaged, of another version, or contradicts itself.
    """
    meta, arrays = container.parse(data, source)
    try:
        image = Image.from_parts(meta["image"], arrays)
        kind = _KINDS[meta["kind"]]
        model = kind.__new__(kind)
        Model.__init__(
            model,
            image.unit,
            tuple(_hashable(label) for label in meta["labels"]),
            arrays["edges"],
            arrays["couplings"],
            arrays["model_biases"],
            float(meta["offset"]),
            arrays["visible"],
            arrays["hidden"],
        )
        consistent = _consistent(model, image, arrays["order"], arrays["slot_edges"])
    except ImageError as error:
        raise ImageError(f"{source}: {error}") from error
    except (PbitError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ImageError(f"{source} does not hold a program ({error}); compile it again") from error
    if not consistent:
        raise ImageError(f"{source} contradicts itself: its image is not that of its model; compile it again")
    return model, image, arrays["order"], arrays["slot_edges"]


def _consistent(model: Model, image: Image, order: Int32, slot_edges: Int32) -> bool:
    """Whether the image holds exactly the model's edges and its quantised values."""
    if not np.array_equal(np.sort(order), np.arange(model.size)) or image.size != model.size:
        return False
    ends = np.sort(order[np.stack([image.owners, image.neighbours], axis=1)], axis=1)
    quantise = image.weight_format.quantise
    return (
        image.slots == 2 * len(model.edges)
        and np.array_equal(model.edges[slot_edges], ends)
        and np.array_equal(quantise(model.couplings)[slot_edges], image.weights)
        and np.array_equal(quantise(model.biases)[order], image.unfold())
    )


def _plain(label: Hashable) -> Any:
    """A label as JSON can hold it: numbers, strings, and tuples of them as lists."""
    if isinstance(label, tuple):
        return [_plain(part) for part in label]
    if isinstance(label, np.generic):
        return label.item()
    if label is None or isinstance(label, str | int | float):
        return label
    raise ModelError(f"label {label!r} cannot be saved; use numbers, strings or tuples of them")


def _hashable(label: Any) -> Hashable:
    return tuple(_hashable(part) for part in label) if isinstance(label, list) else label
