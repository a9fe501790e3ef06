"""The lattice engine: the mirror of `contract.lattice`."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Value
from amaranth.lib import wiring

from ..contract.generator import WORD_BITS as RANDOM_BITS
from ..contract.lattice import COLOURS, COUPLING_BITS, DIRECTIONS, LatticeShape
from .bank import Bank
from .couplings import CouplingMemory
from .engine import attach, engine_members
from .lattice_lane import LatticeLane
from .lattice_pacer import LatticePacer
from .loader import WORD_BITS, Loader
from .ram import block_ram, read
from .thresholds import Thresholds
from .update import delayed

LANE_BITS = len(DIRECTIONS) * COUPLING_BITS

SPANS = 4
"""Parts of an engine of many lanes, which hear of thresholds one after another: no register reaches all in a clock."""


class Lattice(wiring.Component):
    """Lanes and their generators, the states that stream by them, and the bus that loads all.

    A sweep takes `contract.lattice.LatticeShape.clocks`. The bus is that of `tiled.Tiled`; after a word of
    `Region.BIAS` or of beta it is not ready until thresholds are made. At reset all states and clamps are 0,
    couplings too unless they are in single-port RAM, generator registers are as `contract.generator.powered_up` says,
    and beta is 0.

    Parameters
    ----------
    shape : LatticeShape
        The engine.
    blocks : bool
        Whether there is block RAM for the table of thresholds beside couplings in single-port RAM, and so many states.

    Members
    -------
    write, address, data, ready, running, sweeps_left, beta, state, landed
        See `tiled.Tiled`.
    """

    def __init__(self, shape: LatticeShape, *, blocks: bool = True) -> None:
        self._shape = shape
        self._blocks = blocks
        self._bank = Bank(shape)
        self.generators = self._bank.generators
        self.states = [block_ram(shape.lanes, shape.rounds) for _ in range(COLOURS)]
        """Of each colour's rounds."""
        super().__init__(engine_members(shape.beta_bits))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shape = self._shape
        loader, pacer = Loader(shape, self._bank.count), LatticePacer(shape)
        m.submodules.bank = bank = self._bank
        m.submodules.thresholds = thresholds = Thresholds(shape, blocks=self._blocks or not shape.spram)
        attach(m, self, loader, pacer, busy=thresholds.making)
        bank.listen(m, loader)
        loads_beta, loads_bias = delayed(m, loader.beta, 1), delayed(m, loader.bias, 1)
        m.d.comb += [
            self.landed.eq(pacer.landed),
            bank.moves.eq(pacer.compared.replicate(shape.streams)),
            thresholds.load.eq(loads_bias),
            thresholds.magnitude.eq(loader.data),
            thresholds.beta.eq(self.beta),
            thresholds.fresh.eq(loads_beta | loads_bias),
        ]
        others, own = self._read(m, pacer)
        neighbours = self._neighbours(m, pacer, others)
        decided = self._decide(m, loader, pacer, neighbours, thresholds.complements)
        self._land(m, loader, pacer, own, decided)
        return m

    def _read(self, m: Module, pacer: LatticePacer) -> tuple[Value, Value]:
        """States of the other colour's round, and of a round's own, two clocks after they are asked for.

        Else the others are those at the address on the bus.
        """
        shape = self._shape
        row = self.address[shape.word_bits :]
        rounds = []
        for colour, states in enumerate(self.states):
            m.submodules[f"states_{colour}"] = states
            asked = Mux(pacer.colour == colour, pacer.own, pacer.place)
            rounds.append(read(m, states, Mux(pacer.running, asked, row[1:])))
        others = delayed(m, Mux(Mux(pacer.running, ~pacer.colour, row[0]), rounds[1], rounds[0]), 1)
        word = self.address[: shape.word_bits]
        m.d.comb += self.state.eq(others.word_select(word, WORD_BITS))
        return others, delayed(m, Mux(pacer.colour, rounds[1], rounds[0]), 1)

    def _neighbours(self, m: Module, pacer: LatticePacer, others: Value) -> list[Value]:
        """Of every lane's p-bit the states in `DIRECTIONS`, from a line of two rows of the other colour."""
        lanes, segments = self._shape.lanes, self._shape.segments
        line = [others]
        for _ in range(2 * segments):
            line.append(delayed(m, line[-1], 1))
        below, beside, above = line[0], line[segments], line[-1]
        # in the line a row's last round is followed by the next row's first
        before = Mux(pacer.first, line[1][-1], line[segments + 1][-1])
        after = Mux(pacer.last, line[2 * segments - 1][0], line[segments - 1][0])
        across = Mux(pacer.odd, Cat(beside[1:], after), Cat(before, beside[:-1]))
        return [Cat(above[lane], below[lane], beside[lane], across[lane]) for lane in range(lanes)]

    def _decide(
        self, m: Module, loader: Loader, pacer: LatticePacer, neighbours: list[Value], complements: Value
    ) -> Value:
        """Couplings and lanes; returns the next states of a round."""
        shape = self._shape
        words = []
        for number in range(shape.banks):
            m.submodules[f"couplings_{number}"] = bank = CouplingMemory(COLOURS * shape.rounds, spram=shape.spram)
            m.d.comb += [
                bank.row.eq(Cat(pacer.colour, pacer.couplings)),
                bank.load_row.eq(loader.offset),
                bank.word.eq(loader.data),
            ]
            m.d.sync += bank.load.eq(loader.weight & (loader.offset[shape.row_bits :] == number))
            words.append(bank.data)
        decided = []
        told = self._told(m, complements)
        for number, states in enumerate(neighbours):
            m.submodules[f"lane_{number}"] = lane = LatticeLane()
            m.d.comb += [
                lane.states.eq(states),
                lane.couplings.eq(Cat(words).word_select(number, LANE_BITS)),
                lane.complements.eq(told[number * len(told) // shape.lanes]),
                lane.word.eq(self._bank.words.word_select(number, RANDOM_BITS)),
            ]
            decided.append(lane.decided)
        return Cat(decided)

    def _told(self, m: Module, complements: Value) -> list[Value]:
        """Thresholds as they reach the parts of a large chip, before the first round of a run is compared."""
        told = [complements]
        while len(told) < (SPANS if self._shape.lanes > WORD_BITS else 1):
            told.append(delayed(m, told[-1], 1))
        return told

    def _land(self, m: Module, loader: Loader, pacer: LatticePacer, own: Value, decided: Value) -> None:
        """Write what is decided, but of clamped p-bits their own states; or a word of the bus."""
        shape = self._shape
        width = min(shape.lanes, WORD_BITS)
        row = loader.offset[shape.word_bits :]
        hits = Cat(loader.offset[: shape.word_bits] == word for word in range(shape.lanes // width))
        word = loader.data[:width].replicate(len(hits))
        clamped = self._clamped(m, loader, pacer, hits, word)
        landed = Mux(pacer.running, (own & clamped) | (decided & ~clamped), word)
        pushed = delayed(m, loader.push, 1)
        for colour, states in enumerate(self.states):
            write = states.write_port(granularity=width)
            lands = (pacer.landing & (pacer.colour == colour)).replicate(len(hits))
            m.d.comb += [
                write.addr.eq(Mux(pacer.running, pacer.target, row[1:])),
                write.data.eq(landed),
                write.en.eq(lands | (hits & (pushed & (row[0] == colour)).replicate(len(hits)))),
            ]

    def _clamped(self, m: Module, loader: Loader, pacer: LatticePacer, hits: Value, word: Value) -> Value:
        """Which p-bits of a round are clamped, two clocks after they are asked for."""
        shape = self._shape
        m.submodules.clamps = clamps = block_ram(shape.lanes, COLOURS * shape.rounds)
        write = clamps.write_port(granularity=len(word) // len(hits))
        m.d.comb += [
            write.addr.eq(loader.offset[shape.word_bits :]),
            write.data.eq(word),
            write.en.eq(hits & delayed(m, loader.clamp, 1).replicate(len(hits))),
        ]
        return read(m, clamps, Cat(pacer.colour, delayed(m, pacer.own, 1)))
