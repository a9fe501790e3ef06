"""Reducing: products of three and more variables become couplings of pairs, by an auxiliary bit for a pair at a time.

An auxiliary y stands for x_i x_j in every term of order three or more that holds both. In bits the penalty

    E_right x_i x_j - (E_right + E_wrong) (x_i + x_j) y + (E_right + 2 E_wrong) y

is 0 where y = x_i x_j and at least E_right where y = 0 should be 1, E_wrong where y = 1 should be 0; with both equal it
is Rosenberg's (Cahiers du Centre d'Etudes de Recherche Operationnelle 17, 71, 1975). Both follow from the terms that
hold the pair, see `reduce`.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract.errors import ModelError
from ..contract.update import Unit
from .base import Model
from .edges import Int32, canonical_edges
from .expansion import Expansion
from .polynomial import Polynomial, Terms

BOUND = 1e-3
"""Default of the chance that some auxiliary is wrong."""

MAX_TERMS = 10_000_000
"""Most terms in bits that a polynomial of spins may become: a term of order k becomes 2^k."""

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Reduction(Expansion):
    """A polynomial as a model of pairs of spins: the source's variables first, each once, then the auxiliaries.

    Parameters
    ----------
    source, target, first, copies
        See `Expansion`.
    pairs : ndarray of int32, shape (n_auxiliaries, 2)
        Variables of the target whose product each auxiliary stands for; they come before it.
    """

    pairs: Int32

    def complete(self, bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """States of the target whose auxiliaries are right.

        Parameters
        ----------
        bits : ndarray of uint8, shape (k, n_source)

        Returns
        -------
        ndarray of uint8, shape (k, n_target)
        """
        out = self.spread(bits)
        for y, (i, j) in enumerate(self.pairs.tolist(), self.source.size):
            out[:, y] = out[:, i] & out[:, j]
        return out

    def wrong(self, bits: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Whether some auxiliary of a state is wrong.

        Parameters
        ----------
        bits : ndarray of uint8, shape (k, n_target)

        Returns
        -------
        ndarray of bool, shape (k,)
        """
        i, j = self.pairs.T
        return ((bits[:, i] & bits[:, j]) != bits[:, self.source.size :]).any(axis=1)


def reduce(polynomial: Polynomial, beta: float = 1.0, bound: float | None = BOUND) -> Reduction:
    """Make a polynomial a model of pairs with as few auxiliaries as a greedy choice of pairs gives.

    Let P and N be the sums of the positive and of the negative magnitudes of the terms of the energy, in bits, that an
    auxiliary's pair was taken out of. The wrong value of an auxiliary gains P at most where it should be 1, N at most
    where it should be 0, whatever all other variables are. The penalties are ``E_right = P + D`` and
    ``E_wrong = N + D``.

    - With D >= 0 the least energy over the last auxiliary is that of the polynomial before it was introduced, and so on
      down to the source: every ground state of the target is one of the source, with its energy, and the other way.
    - Given that the auxiliaries after it are right, an auxiliary is wrong with the chance 1 / (1 + exp(beta D)) at
      most. With ``D = ln(n_auxiliaries / bound - 1) / beta`` these add up to ``bound`` at most.
    - Given that all are right, the source's variables are distributed exactly as the source says. So their total
      variation from it is at most the chance that some auxiliary is wrong, hence at most ``bound``.

    Parameters
    ----------
    polynomial : Polynomial
        Spins or bits. The target is of spins either way, which annealing and tempering solve better. Terms of three
        and more spins are expanded in bits first: 2^k of them for order k.
    beta : float
        Inverse temperature at which the bound holds; it holds at any higher one too.
    bound : float, optional
        Chance, below 1, that some auxiliary is wrong at ``beta``. None for D = 0, the smallest penalties that keep the
        ground states: for optimisation, which large ones would freeze.

    Returns
    -------
    Reduction

    Raises
    ------
    ModelError
        If beta or the bound is out of range, or a polynomial of spins has too many terms in bits.

    Notes
    -----
    The array's own rounding of couplings comes on top: ``program.quantisation`` measures it.
    """
    if not 0 < beta < math.inf:
        raise ModelError(f"beta is {beta}; the bound needs a positive, finite one")
    if bound is not None and not 0 < bound < 1:
        raise ModelError(f"bound is {bound}; give a chance between 0 and 1, or None for optimisation")
    low = {term: value for term, value in polynomial.terms().items() if value and len(term) < 3}
    high = {term: value for term, value in polynomial.terms().items() if value and len(term) >= 3}
    spins, n = polynomial.unit is Unit.SPIN, polynomial.size
    found = _Substitutions(n, in_bits(high) if spins else high)
    margin = 0.0 if bound is None else _margin(len(found.pairs), beta, bound)
    bits = found.low
    merge(bits, found.penalties(margin))
    if not spins:
        merge(bits, low)
    terms = in_spins(bits)
    if spins:
        merge(terms, low)
    pairs = np.array(found.pairs, np.int32).reshape(-1, 2)
    target = spin_model(n + len(pairs), terms, polynomial.offset)
    return Reduction(polynomial, target, np.arange(n + 1, dtype=np.int32), np.arange(n, dtype=np.int32), pairs)


def _margin(auxiliaries: int, beta: float, bound: float) -> float:
    return max(0.0, math.log(auxiliaries / bound - 1) / beta) if auxiliaries else 0.0


def spin_model(size: int, terms: Terms, offset: float) -> Model:
    """The model of terms of two spins at most; those that are zero are no edges."""
    edges = [term for term, value in terms.items() if len(term) == 2 and value]
    biases = np.zeros(size)
    for term, value in terms.items():
        if len(term) == 1:
            biases[term[0]] = value
    couplings = [terms[term] for term in edges]
    ends, strengths = canonical_edges(size, np.array(edges, np.int64).reshape(-1, 2), couplings)
    return Model(Unit.SPIN, tuple(range(size)), ends, strengths, biases, offset - terms.get((), 0.0))


def merge(terms: Terms, more: Terms) -> None:
    """Add terms to others."""
    for term, value in more.items():
        terms[term] = terms.get(term, 0.0) + value


def in_bits(terms: Terms) -> Terms:
    """Terms of spins m = 2 x - 1 as terms of the bits x."""
    expanded = sum(1 << min(len(term), 60) for term in terms)
    if expanded > MAX_TERMS:
        raise ModelError(
            f"terms of up to {max(map(len, terms))} spins are {expanded} terms of bits, the limit is {MAX_TERMS}; "
            f"state the energy in bits, or split its longest terms"
        )
    bits: Terms = {}
    for term, value in terms.items():
        for size in range(len(term) + 1):
            part = value * 2.0**size * (-1) ** (len(term) - size)
            for some in itertools.combinations(term, size):
                bits[some] = bits.get(some, 0.0) + part
    return bits


def in_spins(terms: Terms) -> Terms:
    """Terms of bits x = (1 + m) / 2 as terms of the spins m."""
    spins: Terms = {}
    for term, value in terms.items():
        for some in itertools.chain.from_iterable(itertools.combinations(term, k) for k in range(len(term) + 1)):
            spins[some] = spins.get(some, 0.0) + value / 2 ** len(term)
    return spins


class _Substitutions:
    """Pairs of bits, the one that most terms share first, until no term has more than two variables."""

    def __init__(self, size: int, terms: Terms) -> None:
        self.low = {term: value for term, value in terms.items() if len(term) < 3}
        self.pairs: list[Pair] = []
        self._size = size
        self._gains: list[tuple[float, float]] = []
        self._high = [(set(term), value) for term, value in terms.items() if len(term) >= 3 and value]
        self._holders: defaultdict[Pair, set[int]] = defaultdict(set)
        for place, (term, _) in enumerate(self._high):
            for pair in itertools.combinations(sorted(term), 2):
                self._holders[pair].add(place)
        self._heap = [(-len(places), pair) for pair, places in self._holders.items()]
        heapq.heapify(self._heap)
        for pair in self._most_shared():
            self._substitute(pair)

    def _most_shared(self) -> Iterator[Pair]:
        """Pairs by how many terms hold them now; numbers on the heap are old ones, and never too small."""
        while self._heap:
            count, pair = heapq.heappop(self._heap)
            now = len(self._holders.get(pair, ()))
            if now == -count:
                yield pair
            elif now:
                heapq.heappush(self._heap, (-now, pair))

    def _substitute(self, pair: Pair) -> None:
        y = self._size + len(self.pairs)
        self.pairs.append(pair)
        places = sorted(self._holders.pop(pair))
        values = [self._high[place][1] for place in places]
        self._gains.append((sum(-v for v in values if v < 0), sum(v for v in values if v > 0)))
        for place in places:
            self._shorten(place, pair, y)
        fresh = {(r, y) for place in places for r in self._high[place][0] if (r, y) in self._holders}
        for new in fresh:
            heapq.heappush(self._heap, (-len(self._holders[new]), new))

    def _shorten(self, place: int, pair: Pair, y: int) -> None:
        """Put y for a pair into a term."""
        term, value = self._high[place]
        term.difference_update(pair)
        for r in term:
            for end in pair:
                self._forget((min(r, end), max(r, end)), place)
            if len(term) > 1:
                self._holders[r, y].add(place)
        if len(term) == 1:
            merge(self.low, {(*term, y): value})
        term.add(y)

    def _forget(self, pair: Pair, place: int) -> None:
        self._holders[pair].discard(place)
        if not self._holders[pair]:
            del self._holders[pair]

    def penalties(self, margin: float) -> Terms:
        """What holds the auxiliaries, as terms."""
        terms: Terms = {}
        for y, ((i, j), (positive, negative)) in enumerate(zip(self.pairs, self._gains, strict=True), self._size):
            right, wrong = positive + margin, negative + margin
            own: Terms = {(i, j): -right, (i, y): right + wrong, (j, y): right + wrong, (y,): -(right + 2 * wrong)}
            merge(terms, own)
        return terms
