"""Exact equilibrium of a macrospin: the Boltzmann distribution over directions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .macrospin import Float, Macrospin, Vector


@dataclass(frozen=True)
class Equilibrium:
    """Boltzmann distribution over directions, in cells of equal solid angle.

    Parameters
    ----------
    chances : ndarray of float64, shape (rings, sectors)
        Of every cell, by cosine of the angle to z, from -1 to 1, and by
        azimuth from x, from -pi to pi.
    """

    chances: Float

    @property
    def directions(self) -> Float:
        """Middles of the cells, shape (rings, sectors, 3)."""
        return _directions(*self.chances.shape)

    @property
    def mean(self) -> Float:
        """Mean of m, shape (3,)."""
        return np.einsum("rs,rsi->i", self.chances, self.directions)

    @property
    def mean_squares(self) -> Float:
        """Means of the squares of m's components, shape (3,)."""
        return np.einsum("rs,rsi->i", self.chances, self.directions**2)

    def cosine_cdf(self, m_z: npt.ArrayLike) -> Float:
        """Chance of a cosine of the angle to z up to ``m_z``, of its shape."""
        return _cdf(self.chances.sum(axis=1), np.asarray(m_z, np.float64) / 2 + 0.5)

    def azimuth_cdf(self, angle: npt.ArrayLike) -> Float:
        """Chance of an azimuth from -pi up to ``angle`` in rad, of its shape."""
        return _cdf(self.chances.sum(axis=0), np.asarray(angle, np.float64) / (2 * math.pi) + 0.5)


def equilibrium(
    magnet: Macrospin, *, field_oe: Vector = (0.0, 0.0, 0.0), rings: int = 2_000, sectors: int = 360
) -> Equilibrium:
    """Exact equilibrium of a magnet, by the midpoint rule over its directions.

    Without a spin current; but one along an axis about which the magnet is
    round acts as the field ``magnet.torque_oe(current_ua) / magnet.damping``.

    Parameters
    ----------
    magnet : Macrospin
        Which.
    field_oe : tuple of float
        Applied field in Oe along x, y and z.
    rings, sectors : int
        Cells along the cosine of the angle to z and along the azimuth.
    """
    energies = magnet.energy_kt(_directions(rings, sectors), field_oe)
    weights = np.exp(energies.min() - energies)
    return Equilibrium(weights / weights.sum())


def _directions(rings: int, sectors: int) -> Float:
    cosine = ((2 * np.arange(rings) + 1) / rings - 1)[:, None]
    azimuth = math.pi * ((2 * np.arange(sectors) + 1) / sectors - 1)
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), np.broadcast_to(cosine, (rings, sectors))], -1)


def _cdf(chances: Float, position: Float) -> Float:
    """Cumulative chance at a position from 0 to 1 along cells of equal width."""
    edges = np.linspace(0, 1, len(chances) + 1)
    return np.interp(position, edges, np.append(0.0, np.cumsum(chances)))
