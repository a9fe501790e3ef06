"""What a run would take of a physical array in time and energy, by arithmetic on stated costs.

Nothing here is measured, and no energy has a default: whoever states one says
where it is from, and both the numbers and the word `LABEL` go with the result.
An array updates n p-bits in a sweep; an update reads the p-bit's own device
and, once each, the couplings of its neighbours, and whatever leaks does so all
the time. What is outside the array, such as reading samples out, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ...contract.errors import ModelError, RequestError

LABEL = "model, not measured"
"""Stands in every account and every table of them."""

SMTJ_BIT_FJ = 20.0
"""Energy in fJ of one random bit read from a superparamagnetic tunnel junction, by circuit simulation.

Vodenicarevic et al., IEEE International Symposium on Circuits and Systems, 2018, arXiv:1806.09124. A p-bit that
compares a word of 16 junctions, as behind `TelegraphWords`, takes 16 of them per update.
"""


@dataclass(frozen=True)
class Costs:
    """Stated energies of the events of an array.

    Parameters
    ----------
    update_fj : float
        Energy in fJ of one p-bit update without its synapses: device or generator, activation, comparison.
    synapse_fj : float
        Energy in fJ of reading and accumulating one coupling.
    static_uw : float
        Power in microwatts of each p-bit, whatever it does; 0 if the energies hold it.
    source : str
        Where these are from.

    Raises
    ------
    ModelError
        If an energy is negative or not finite, or the source is empty.
    """

    update_fj: float
    synapse_fj: float
    static_uw: float
    source: str

    def __post_init__(self) -> None:
        for name in ("update_fj", "synapse_fj", "static_uw"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ModelError(f"{name} is {value}; give a finite number of at least 0")
        if not self.source.strip():
            raise ModelError("these energies have no source; say where they are from, or that they are assumed")


@dataclass(frozen=True)
class PhysicalArray:
    """P-bits, their couplings, and how long they take to be updated once each.

    Parameters
    ----------
    pbits : int
        Number of p-bits.
    couplings : int
        Number of coupled pairs; either p-bit of a pair reads it when it is updated.
    sweep_ns : float
        Time in ns in which every p-bit is updated once, or once on average.

    Raises
    ------
    ModelError
        If there is no p-bit, a negative number of couplings, or the time is not positive and finite.
    """

    pbits: int
    couplings: int
    sweep_ns: float

    def __post_init__(self) -> None:
        if self.pbits < 1 or self.couplings < 0:
            raise ModelError(f"an array of {self.pbits} p-bits and {self.couplings} couplings; give 1 and 0 or more")
        if not 0 < self.sweep_ns < math.inf:
            raise ModelError(f"a sweep of {self.sweep_ns} ns is impossible; give a positive and finite time")

    @classmethod
    def clocked(cls, program: Any, phase_ns: float) -> Self:
        """An array that updates one colour at a time.

        Parameters
        ----------
        program : Program
            Compiled; has the p-bits, the couplings and the colours.
        phase_ns : float
            Time in ns of each colour: 1e9 / clock_hz in digital logic, which takes one clock.
        """
        return cls(program.model.size, len(program.model.edges), program.image.colours * phase_ns)

    @classmethod
    def autonomous(cls, model: Any, tau_ns: float) -> Self:
        """An array without a clock, in which every p-bit attempts 1 / tau_N flips per unit of time.

        Parameters
        ----------
        model : Model
            Has the p-bits and the couplings.
        tau_ns : float
            Mean dwell time tau_N without drive, in ns.
        """
        return cls(model.size, len(model.edges), tau_ns)

    @property
    def flips_per_s(self) -> float:
        """P-bit updates attempted per second."""
        return self.pbits / self.sweep_ns * 1e9


@dataclass(frozen=True)
class Account:
    """Time and energy of a run; a model, not measured.

    Parameters
    ----------
    flips : float
        P-bit updates attempted.
    samples : float
        Samples they gave.
    time_ns : float
        Wall-clock time of the physical array in ns.
    energy_j : float
        Energy in J.
    source : str
        Where the energies per event are from.
    """

    flips: float
    samples: float
    time_ns: float
    energy_j: float
    source: str

    @property
    def label(self) -> str:
        """`LABEL`, and where the energies are from."""
        return f"{LABEL}; energies: {self.source}"

    @property
    def flips_per_s(self) -> float:
        """P-bit updates attempted per second of the array's time."""
        return self.flips / self.time_ns * 1e9

    @property
    def time_per_sample_ns(self) -> float:
        """Time in ns."""
        return self.time_ns / self.samples

    @property
    def energy_per_sample_j(self) -> float:
        """Energy in J."""
        return self.energy_j / self.samples

    @property
    def power_w(self) -> float:
        """Mean power in W."""
        return self.energy_j / self.time_ns * 1e9

    def __str__(self) -> str:
        return (
            f"{self.flips_per_s:.3g} flips/s, {self.time_per_sample_ns:.3g} ns and {self.energy_per_sample_j:.3g} J "
            f"per sample, {self.power_w:.3g} W ({self.label})"
        )


def account(array: PhysicalArray, costs: Costs, *, flips: float, samples: float) -> Account:
    """Time and energy that a run would take on an array.

    Parameters
    ----------
    array : PhysicalArray
        Runs replicas one after another.
    costs : Costs
        Energies per event.
    flips : float
        P-bit updates attempted, burn-in included: ``Samples.flips``, or p-bits times t / tau_N without a clock.
    samples : float
        Samples they gave: rows, or the independent samples that the rows are worth.

    Raises
    ------
    RequestError
        If either number is not positive and finite.
    """
    for name, value in (("flips", flips), ("samples", samples)):
        if not 0 < value < math.inf:
            raise RequestError(f"{value} {name} make no account; give a positive and finite number")
    time_ns = flips / array.pbits * array.sweep_ns
    update_fj = costs.update_fj + 2 * array.couplings / array.pbits * costs.synapse_fj
    energy_j = 1e-15 * (flips * update_fj + array.pbits * costs.static_uw * time_ns)
    return Account(flips, samples, time_ns, energy_j, costs.source)


def table(accounts: Mapping[str, Account]) -> str:
    """Accounts side by side, as text.

    Parameters
    ----------
    accounts : mapping
        Name to account.

    Returns
    -------
    str
        A line of headings that begins with `LABEL`, and one line for each, with the source of its energies.
    """
    rows: list[tuple[str, ...]] = [(LABEL, "flips/s", "ns/sample", "J/sample", "W", "energies")]
    for name, item in accounts.items():
        figures = (item.flips_per_s, item.time_per_sample_ns, item.energy_per_sample_j, item.power_w)
        rows.append((name, *(f"{figure:.3g}" for figure in figures), item.source))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
