"""Replicas of a program on a sampler, in the model's own order and units, which stay where each run leaves them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..compiler.models import Model
from ..compiler.program import Program
from ..compiler.requests import beta_codes
from ..contract.errors import ModelError
from ..contract.replicas import Snapshot
from ..contract.sampler import Sampler
from ..contract.update import Unit
from .moments import Float32, Moments, States

Places = npt.NDArray[np.integer[Any]]


def pair_model(program: Program) -> Model:
    """The model that a program samples, if it is one of pairs.

    Raises
    ------
    ModelError
        If it is a polynomial or a formula.
    """
    if not isinstance(program.model, Model):
        kind = type(program.model).__name__.lower()
        raise ModelError(f"a {kind} cannot be trained, nor part of it inferred; give a model of pairs")
    return program.model


class Chains:
    """Chains of states, all of one program, whose weights are the sampler's as they stand.

    Variables are named by their indices. Where several p-bits stand for one, all of them are written and held, and
    the majority is read. Variables that `compile` was told to clamp are held throughout.

    Parameters
    ----------
    sampler : Sampler
        Simulator, board or virtual device.
    count : int
        How many; they begin at random states.

    Raises
    ------
    ModelError
        If the program's model is none of pairs.
    """

    def __init__(self, sampler: Sampler, count: int) -> None:
        self.count = count
        self._sampler = sampler
        model, image = pair_model(self._program), self._program.image
        self._replicas = sampler.replicas(count)
        self._spins = model.unit is Unit.SPIN
        self._moments = Moments(model)
        always = np.flatnonzero(image.clamped)
        self._replicas.write(np.tile(image.clamp_values[always], (count, 1)), always)
        self.hold(np.empty(0, np.intp))

    @property
    def _program(self) -> Program:
        program: Program = self._sampler.program
        return program

    def write(self, variables: Places, rows: States) -> None:
        """Set variables, held ones too.

        Parameters
        ----------
        variables : ndarray of int, shape (k,)
        rows : ndarray, shape (r, k)
            In the model's units; if there are fewer than chains they begin anew, and again.
        """
        bits = (np.resize(rows, (self.count, len(variables))) > 0).astype(np.uint8)
        pbits, owners = self._copies(variables)
        self._replicas.write(bits if owners is None else bits[:, owners], pbits)

    def hold(self, variables: Places) -> None:
        """Clamp these variables where they are, and no others but the program's own clamps."""
        clamped = self._program.image.clamped.copy()
        clamped[self._copies(variables)[0]] = 1
        self._replicas.clamp(clamped)

    def run(self, sweeps: int, beta: float | tuple[float, float] | npt.ArrayLike = 1.0) -> None:
        """Sweep the chains; beta as in `Program.request`."""
        self._replicas.run(beta_codes(self._program.image, beta, sweeps))

    def read(self, variables: Places | None = None) -> npt.NDArray[np.int8]:
        """States of variables, all by default, shape (count, k)."""
        if variables is None:
            variables = np.arange(self._program.model.size)
        pbits, owners = self._copies(variables)
        bits = self._replicas.read(pbits).astype(np.int8)
        if owners is not None:
            firsts = np.flatnonzero(np.diff(owners, prepend=-1))
            counts = np.diff(np.append(firsts, len(owners)))
            # of a tie the first copy decides
            bits = (2 * np.add.reduceat(bits, firsts, axis=1) + bits[:, firsts] > counts).astype(np.int8)
        return 2 * bits - 1 if self._spins else bits

    def moments(self, count: int) -> tuple[Float32, Float32]:
        """Correlations of the model's edges and means of its variables, over the first chains.

        Parameters
        ----------
        count : int
            How many chains count.

        Returns
        -------
        correlations, means : ndarray of float32, shapes (m,) and (n,)
        """
        program = self._program
        if program.expansion is not None:
            return self._moments(self.read()[:count])
        ones, both = self._replicas.counts(program.pairs, count)
        share = np.float32(1 / count)
        means, correlations = share * ones[program.pbits].astype(np.float32), share * both.astype(np.float32)
        if self._spins:
            first, second = program.model.edges.T
            correlations = 4 * correlations - 2 * (means[first] + means[second]) + 1
            means = 2 * means - 1
        return correlations, means

    def follow(self, other: Chains) -> None:
        """Go to the states of as many other chains, and hold nothing but the program's own clamps."""
        self._replicas.write(other._replicas.read())
        self.hold(np.empty(0, np.intp))

    def snapshot(self) -> Snapshot:
        """See `Replicas.snapshot`."""
        return self._replicas.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """See `Replicas.restore`."""
        self._replicas.restore(snapshot)

    def _copies(self, variables: Places) -> tuple[Places, npt.NDArray[np.intp] | None]:
        """P-bits of variables, and the place in ``variables`` that each stands for, unless there is one for each."""
        program = self._program
        if program.expansion is None:
            return program.pbits[variables], None
        first = program.expansion.first
        counts = np.diff(first)[variables]
        owners = np.repeat(np.arange(len(variables)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return program.pbits[program.expansion.copies[first[variables][owners] + within]], owners
