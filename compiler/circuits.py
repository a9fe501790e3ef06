"""Circuits of invertible gates on named nets, as Ising models whose ground states are the circuit's solutions.

Energies add up: where every gate is in a ground state the sum is zero, and anywhere else it is at least the gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract.errors import ModelError
from .buses import spelt_out
from .cells import CELLS, COPY
from .gates import AUXILIARY, Gate
from .models import Ising
from .nets import INVERT, ONE, Nets, consequences

GAP = 2.0
"""Every gate of a circuit is scaled to this gap, so that none gives way before the others."""


@dataclass(frozen=True)
class _Use:
    """A gate and the nets at its pins."""

    name: str
    gate: Gate
    nets: tuple[str, ...]


class Circuit:
    """Gates on named nets.

    A net is a string; ``"~a"`` is the inverse of net a, ``"0"`` and ``"1"`` are constants. The circuit becomes a
    model of its ports, which are always variables, and of those inner nets that neither a constant nor another
    net determines: buffers and inverters cost nothing.
    """

    def __init__(self) -> None:
        self.ports: dict[str, None] = {}
        self.port_names: list[str] = []
        self._uses: list[_Use] = []
        self._used: set[str] = set()
        self._equal: list[tuple[str, str]] = []

    def port(self, name: str, width: int | None = None) -> list[str]:
        """Declare a port, a bus ``name[0]``, ``name[1]`` … where a width is given.

        Parameters
        ----------
        name : str
            Of the port.
        width : int, optional
            Bits of a bus; a single net by default.

        Returns
        -------
        list of str
            Its nets, lowest bit first.

        Raises
        ------
        ModelError
            If the name is taken or is none.
        """
        nets = [name] if width is None else [f"{name}[{i}]" for i in range(width)]
        for net in nets:
            if net in self.ports or not net or net[0] in INVERT + "01":
                raise ModelError(f"port {net!r} cannot be declared; use a new name that starts with a letter")
        self.ports |= dict.fromkeys(nets)
        self.port_names.append(name)
        return nets

    def add(self, kind: str | Gate, *nets: str, name: str | None = None) -> None:
        """Put a gate on nets.

        Parameters
        ----------
        kind : str or Gate
            A name of `cells.CELLS`, or a gate of your own.
        *nets : str
            One for each pin but the auxiliaries, in the gate's order.
        name : str, optional
            Of this gate: its auxiliary is the net ``<name>$aux``.

        Raises
        ------
        ModelError
            If there is no such gate, it has another number of pins, or the name is taken.
        """
        gate = CELLS.get(kind) if isinstance(kind, str) else kind
        if gate is None:
            raise ModelError(f"no gate {kind!r}; use {', '.join(CELLS)}")
        own = [pin for pin in gate.pins if pin.startswith(AUXILIARY)]
        if len(nets) != len(gate.pins) - len(own):
            raise ModelError(f"{gate.name} has pins {' '.join(gate.pins)}; {len(nets)} nets were given")
        name = name or f"{gate.name.lower()}{len(self._uses)}"
        if name in self._used:
            raise ModelError(f"there is a gate {name!r} already; give each its own name")
        self._used.add(name)
        self._uses.append(_Use(name, gate, (*nets, *(f"{name}${pin}" for pin in own))))

    def connect(self, first: str, second: str) -> None:
        """Make two nets one: a buffer, or an inverter where one of them is given as ``"~net"``."""
        self._equal.append((first, second))

    def model(self, gap: float = GAP) -> Ising:
        """The circuit as an Ising model, ground energy zero where it has solutions.

        Parameters
        ----------
        gap : float
            Least energy of a state that is no solution.

        Raises
        ------
        ModelError
            If constants contradict the gates, so that there is no solution.
        """
        nets = self._settled({})
        terms = _Terms(nets)
        for port in self.ports:
            terms.add_port(port, gap)
        for use in self._uses:
            terms.add(use.gate, use.nets, gap)
        return terms.model()

    def deduce(self, values: Mapping[str, int]) -> dict[str, int]:
        """What follows from the values of some nets; all nets, if these are all the inputs of a circuit.

        Parameters
        ----------
        values : mapping of str to int
            0 or 1 of nets, or numbers of buses.

        Returns
        -------
        dict of str to int
            Value of every port, and every net at a gate, that is determined by going from gate to gate.

        Raises
        ------
        ModelError
            If the values contradict the gates.
        """
        nets = self._settled(values)
        names = dict.fromkeys([*self.ports, *(net.lstrip(INVERT) for use in self._uses for net in use.nets)])
        found = {name: nets.find(name) for name in names}
        return {name: int(sign > 0) for name, (root, sign) in found.items() if root == ONE and name not in "01"}

    def accepts(self, values: Mapping[str, int]) -> bool:
        """Whether values of all inputs, and of other nets perhaps, agree with every gate; see `deduce`."""
        try:
            self.deduce(values)
        except ModelError:
            return False
        return True

    def _settled(self, values: Mapping[str, int]) -> Nets:
        """Nets joined with what connections, values and gates make equal to them, until nothing more follows."""
        nets = Nets()
        constants = [(net, _constant(net, value)) for net, value in spelt_out(values, self.ports).items()]
        for first, second in (*self._equal, *constants):
            if not nets.join(nets.find(first), nets.find(second)):
                raise ModelError(f"nets {first!r} and {second!r} cannot be equal; the circuit has no solution")
        waiting = list(self._uses)
        changed = True
        while changed:
            changed, still = False, []
            for use in waiting:
                news = consequences(use.gate, [nets.find(net) for net in use.nets])
                if news is None or not all([nets.join(*pair) for pair in news]):
                    raise ModelError(f"gate {use.name} has no row that fits its nets; the circuit has no solution")
                changed |= bool(news)
                if any(nets.find(net)[0] != ONE for net in use.nets):
                    still.append(use)
            waiting = still
        return nets


def _constant(net: str, value: int) -> str:
    if value not in (0, 1):
        raise ModelError(f"net {net} cannot be {value}; it is 0 or 1")
    return str(int(value))


class _Terms:
    """Sums of gates' energies over the variables that are left."""

    def __init__(self, nets: Nets) -> None:
        self._nets = nets
        self._index: dict[str, int] = {}
        self._of_root: dict[str, tuple[int, int]] = {}
        self._couplings: dict[tuple[int, int], float] = {}
        self._biases: dict[int, float] = {}
        self._offset = 0.0

    def add_port(self, port: str, gap: float) -> None:
        """Give a port a variable, the variable of its class if it is the first."""
        root, sign = self._nets.find(port)
        spin = self._index[port] = len(self._index)
        if root == ONE or root in self._of_root:
            self._sum(COPY, [(spin, 1), self._place(root, sign)], gap)
        else:
            self._of_root[root] = (spin, sign)

    def add(self, gate: Gate, nets: Iterable[str], gap: float) -> None:
        """Add a gate on the variables of its nets."""
        places = []
        for net in nets:
            root, sign = self._nets.find(net)
            if root != ONE and root not in self._of_root:
                name = net.lstrip(INVERT)
                self._of_root[root] = (len(self._index), self._nets.find(name)[1])
                self._index[name] = len(self._index)
            places.append(self._place(root, sign))
        self._sum(gate, places, gap)

    def _place(self, root: str, sign: int) -> tuple[int, int]:
        """Variable, -1 for the constant 1, and sign of a literal."""
        if root == ONE:
            return -1, sign
        spin, turn = self._of_root[root]
        return spin, sign * turn

    def _sum(self, gate: Gate, places: Sequence[tuple[int, int]], gap: float) -> None:
        scale = gap / gate.gap
        self._offset += gate.offset * scale
        for pin, (spin, sign) in enumerate(places):
            self._add_bias(spin, gate.biases[pin] * sign * scale)
            for other in range(pin):
                self._add_pair(spin, places[other][0], gate.couplings[pin, other] * sign * places[other][1] * scale)

    def _add_bias(self, spin: int, value: float) -> None:
        if spin < 0:
            self._offset -= value
        else:
            self._biases[spin] = self._biases.get(spin, 0.0) + value

    def _add_pair(self, first: int, second: int, value: float) -> None:
        low, high = sorted((first, second))
        if low == high:
            self._offset -= value
        elif low < 0:
            self._add_bias(high, value)
        else:
            self._couplings[low, high] = self._couplings.get((low, high), 0.0) + value

    def model(self) -> Ising:
        used = {pair: value for pair, value in self._couplings.items() if value}
        biases = np.array([self._biases.get(spin, 0.0) for spin in range(len(self._index))])
        edges = np.array(list(used), np.int64).reshape(-1, 2)
        return Ising.from_edges(
            len(self._index), edges, list(used.values()), biases, labels=list(self._index), offset=self._offset
        )
