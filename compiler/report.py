"""What the compiler did, for people and scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract.image import Image
from ..contract.targets import TARGETS, Fit, fit
from .quantise import Quantisation


@dataclass(frozen=True)
class Report:
    """Report of a compile.

    Parameters
    ----------
    pbits, edges, colours : int
        Size of the array.
    colour_sizes : tuple of int
        P-bits of each colour.
    degree_histogram : dict of int to int
        How many p-bits have each degree.
    quantisation : Quantisation
        Format and errors.
    boards : dict of str to Fit
        What the array needs of each known board.
    interleave : int
        Replicas in the array.
    """

    pbits: int
    edges: int
    colours: int
    colour_sizes: tuple[int, ...]
    degree_histogram: dict[int, int]
    quantisation: Quantisation
    boards: dict[str, Fit]
    interleave: int = 1

    @classmethod
    def of(cls, image: Image, quantisation: Quantisation) -> Report:
        """The report on an image."""
        degrees, counts = np.unique(image.degrees, return_counts=True)
        return cls(
            image.size,
            image.slots // 2,
            image.colours,
            tuple(int(size) for size in np.diff(image.colour_first)),
            dict(zip(degrees.tolist(), counts.tolist(), strict=True)),
            quantisation,
            {name: fit(image, target) for name, target in TARGETS.items()},
            image.interleave,
        )

    def to_json(self) -> dict[str, Any]:
        """The report as JSON-able fields."""
        quantisation = self.quantisation
        return {
            "pbits": self.pbits,
            "edges": self.edges,
            "colours": self.colours,
            "interleave": self.interleave,
            "colour_sizes": list(self.colour_sizes),
            "degree_histogram": {str(degree): count for degree, count in self.degree_histogram.items()},
            "weight_format": str(quantisation.grid.weight_format),
            "weight_scale": quantisation.grid.scale,
            "max_quantisation_error": quantisation.max_error,
            "rms_quantisation_error": quantisation.rms_error,
            "saturated_couplings": quantisation.saturated_couplings,
            "saturated_biases": quantisation.saturated_biases,
            "boards": {name: _board_json(board) for name, board in self.boards.items()},
        }


def _board_json(board: Fit) -> dict[str, Any]:
    return {
        "form": board.demand.form.value,
        "fits": board.fits,
        "likely": board.likely,
        "reasons": list(board.reasons),
        "luts_estimated": board.luts,
        "luts_available": board.target.luts,
        "ffs_at_least": board.demand.ffs,
        "ffs_available": board.target.ffs,
    }
