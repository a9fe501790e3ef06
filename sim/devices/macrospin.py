"""Free layer of a stochastic tunnel junction as one macrospin: the stochastic Landau-Lifshitz-Gilbert equation.

A unit vector m in the field H = k m + h, with k of each axis the anisotropy or
demagnetising field along it, precesses, is damped and is shaken:

    (1 + a^2) dm/dt = -|g| m x H - a |g| m x (m x H) - |g| m x (m x J) + a |g| m x J

J is the spin current as a field, I mu_B / (q |g| Ms V). Every component of H
has thermal white noise, of variance 2 a kT / (|g| Ms V dt) within a step of dt
(Brown, Phys. Rev. 130, 1677, 1963), which in Stratonovich's sense makes the
Boltzmann distribution the stationary one (Garcia-Palacios and Lazaro, Phys.
Rev. B 58, 14937, 1998). Low-barrier magnets as p-bits: Camsari et al., Phys.
Rev. X 7, 031014, 2017.

The integrator is the semi-implicit midpoint rule SIB of Mentink et al., J.
Phys.: Condens. Matter 22, 176001, 2010: two rotations, which keep |m| = 1 as
they are, and next to no damping of their own. Heun's rule with m renormalised
costs the same, and its own anti-damping heats a magnet of a = 0.01. Of a
Gaussian rotation vector Cayley's rotation makes less diffusion than is due, by
3/2 of the diffusion per step to first order; the noise is raised to mend it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...contract.errors import ModelError, RequestError
from ..jit import kernel

Float = npt.NDArray[np.float64]
Vector = tuple[float, float, float]

GYROMAGNETIC = 1.7608597e7
"""|g| in rad / (s Oe)."""
BOLTZMANN = 1.380649e-16
"""k in erg / K."""
BOHR_MAGNETON = 9.2740101e-21
"""mu_B in emu."""
ELECTRON = 1.602176634e-13
"""q in uA s."""

MAX_ROTATION = 2.0
"""Most radians that a magnet may turn within a step in its anisotropy field and the applied one, both in full."""


@dataclass(frozen=True)
class Macrospin:
    """One magnet, in CGS units.

    Parameters
    ----------
    anisotropy_oe : tuple of float
        Field in Oe per unit of m along x, y and z: positive along an easy axis,
        negative along a hard one. z is normal to the film.
    damping : float
        Gilbert's a.
    saturation_emu_cc : float
        Saturation magnetisation Ms.
    diameter_nm, thickness_nm : float
        Size of the disc.
    temperature_k : float
        Temperature.

    Raises
    ------
    ModelError
        If an anisotropy is not finite or another value is not positive and finite.
    """

    anisotropy_oe: Vector
    damping: float = 0.01
    saturation_emu_cc: float = 1100.0
    diameter_nm: float = 22.0
    thickness_nm: float = 2.0
    temperature_k: float = 300.0

    def __post_init__(self) -> None:
        if np.shape(self.anisotropy_oe) != (3,) or not np.isfinite(self.anisotropy_oe).all():
            raise ModelError(f"anisotropy fields {self.anisotropy_oe} Oe; give three finite ones, along x, y and z")
        for name in ("damping", "saturation_emu_cc", "diameter_nm", "thickness_nm", "temperature_k"):
            if not 0 < getattr(self, name) < math.inf:
                raise ModelError(f"{name} is {getattr(self, name)}; give a positive finite number")

    @classmethod
    def in_plane(cls, easy_oe: float = 1.0, saturation_emu_cc: float = 1100.0, **parameters: float) -> Macrospin:
        """Circular in-plane magnet: 4 pi Ms presses m into the film, where x is weakly easy."""
        anisotropy = (easy_oe, 0.0, -4 * math.pi * saturation_emu_cc)
        return cls(anisotropy, saturation_emu_cc=saturation_emu_cc, **parameters)

    @classmethod
    def perpendicular(cls, barrier_kt: float = 4.0, damping: float = 0.1, **parameters: float) -> Macrospin:
        """Magnet with z as its only easy axis, and the barrier Delta = Hk Ms V / (2 kT)."""
        unit = cls((0.0, 0.0, 0.0), damping, **parameters).thermal_oe
        return cls((0.0, 0.0, 2 * barrier_kt * unit), damping, **parameters)

    @property
    def moment_emu(self) -> float:
        """Magnetic moment Ms V."""
        return self.saturation_emu_cc * math.pi / 4 * self.diameter_nm**2 * self.thickness_nm * 1e-21

    @property
    def thermal_oe(self) -> float:
        """Field in which the moment has the energy kT."""
        return BOLTZMANN * self.temperature_k / self.moment_emu

    @property
    def easy_axis(self) -> int:
        """0, 1 or 2: the axis of least energy."""
        return int(np.argmax(self.anisotropy_oe))

    @property
    def barrier_kt(self) -> float:
        """Energy in kT of the saddle between the two ends of the easy axis."""
        _, saddle, easy = sorted(self.anisotropy_oe)
        return (easy - saddle) / (2 * self.thermal_oe)

    @property
    def diffusion_per_ns(self) -> float:
        """Thermal diffusion on the sphere in rad^2 / ns; without any field <m> decays at twice this rate."""
        return self.damping * GYROMAGNETIC * 1e-9 * self.thermal_oe / (1 + self.damping**2)

    def torque_oe(self, current_ua: float) -> float:
        """Spin current as the field J of the damping-like torque."""
        return current_ua * BOHR_MAGNETON / (ELECTRON * GYROMAGNETIC * self.moment_emu)

    def energy_kt(self, m: npt.ArrayLike, field_oe: Vector = (0.0, 0.0, 0.0)) -> Float:
        """Energy in kT of directions m, shape (..., 3), in an applied field; result of shape (...)."""
        vectors = np.asarray(m, np.float64)
        return -(vectors**2 @ np.array(self.anisotropy_oe) / 2 + vectors @ np.array(field_oe)) / self.thermal_oe

    def run(
        self,
        steps: int,
        *,
        dt_ns: float,
        magnets: int = 1,
        keep_every: int = 1,
        burn_in: int = 0,
        field_oe: Vector = (0.0, 0.0, 0.0),
        spin_current_ua: Vector = (0.0, 0.0, 0.0),
        seed: int = 0,
    ) -> Float:
        """Integrate independent magnets from random directions.

        Parameters
        ----------
        steps : int
            Time steps, burn-in included.
        dt_ns : float
            Time step in ns. Steps of a third of a radian are within half a per
            cent of equilibrium; `docs/devices.md` has a table.
        magnets : int
            Number of magnets.
        keep_every : int
            Steps between kept directions.
        burn_in : int
            Steps before the first.
        field_oe : tuple of float
            Applied field in Oe along x, y and z.
        spin_current_ua : tuple of float
            Spin current in uA along x, y and z.
        seed : int
            Seed.

        Returns
        -------
        ndarray of float64, shape ((steps - burn_in) // keep_every, magnets, 3)

        Raises
        ------
        RequestError
            If the time step is not positive or too long, a drive is not
            finite, or nothing would be kept.
        """
        torque = tuple(self.torque_oe(current) for current in spin_current_ua)
        self._check(dt_ns, np.array([field_oe, torque]))
        if keep_every < 1 or burn_in < 0 or magnets < 1 or steps - burn_in < keep_every:
            raise RequestError(
                f"{steps} steps of {magnets} magnets with a burn-in of {burn_in} keep nothing at one in {keep_every}; "
                "ask for more"
            )
        rng = np.random.default_rng(seed)
        start = rng.normal(size=(magnets, 3))
        start /= np.linalg.norm(start, axis=1, keepdims=True)
        out = np.empty(((steps - burn_in) // keep_every, magnets, 3))
        gain = GYROMAGNETIC * 1e-9 * dt_ns / (1 + self.damping**2)
        variance = 2 * self.damping * self.thermal_oe / (GYROMAGNETIC * 1e-9 * dt_ns)
        noise_oe = math.sqrt(variance * (1 + 1.5 * self.diffusion_per_ns * dt_ns))
        drives = (self.anisotropy_oe, tuple(map(float, field_oe)), torque)
        _run(start, *drives, self.damping, gain, noise_oe, burn_in, keep_every, rng, out)
        return out

    def _check(self, dt_ns: float, drives_oe: Float) -> None:
        """Refuse drives that are no numbers, and steps that turn the magnet too far."""
        if not np.isfinite(drives_oe).all():
            raise RequestError(f"applied fields of {drives_oe.tolist()} Oe (field, spin torque); give finite ones")
        largest = np.abs(self.anisotropy_oe).max() + np.linalg.norm(drives_oe, axis=1).sum()
        limit_ns = MAX_ROTATION / (GYROMAGNETIC * 1e-9 * largest) if largest else math.inf
        if not 0 < dt_ns <= limit_ns:
            raise RequestError(
                f"a time step of {dt_ns} ns in a field of {largest:.4g} Oe is impossible; give a positive one of at "
                f"most {limit_ns:.3g} ns"
            )


@kernel
def _rotation(x, y, z, k, h, torque, damping, gain):
    """Rotation vector of one step at m, along H - a J + m x (a H + J)."""
    p, q, r = h[0] + k[0] * x, h[1] + k[1] * y, h[2] + k[2] * z
    a, b, c = damping * p + torque[0], damping * q + torque[1], damping * r + torque[2]
    return (
        gain * (p - damping * torque[0] + y * c - z * b),
        gain * (q - damping * torque[1] + z * a - x * c),
        gain * (r - damping * torque[2] + x * b - y * a),
    )


@kernel
def _rotate(x, y, z, a, b, c):
    """Solve m' = m + w x (m + m') / 2 for w = (a, b, c): Cayley's rotation."""
    a, b, c = a / 2, b / 2, c / 2
    p, q, r = b * z - c * y, c * x - a * z, a * y - b * x
    scale = 2 / (1 + a * a + b * b + c * c)
    return x + scale * (p + b * r - c * q), y + scale * (q + c * p - a * r), z + scale * (r + a * q - b * p)


@kernel
def _run(start, k, field, torque, damping, gain, noise_oe, burn_in, keep_every, rng, out):
    for magnet in range(len(start)):
        x, y, z = start[magnet]
        for step in range(burn_in + len(out) * keep_every):
            h = (
                field[0] + noise_oe * rng.standard_normal(),
                field[1] + noise_oe * rng.standard_normal(),
                field[2] + noise_oe * rng.standard_normal(),
            )
            ahead = _rotate(x, y, z, *_rotation(x, y, z, k, h, torque, damping, gain))
            middle = (x + ahead[0]) / 2, (y + ahead[1]) / 2, (z + ahead[2]) / 2
            x, y, z = _rotate(x, y, z, *_rotation(*middle, k, h, torque, damping, gain))
            kept = step + 1 - burn_in
            if kept > 0 and kept % keep_every == 0:
                out[kept // keep_every - 1, magnet] = x, y, z
