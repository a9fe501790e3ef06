"""The array of p-bits: the mirror of `contract.array`."""

from __future__ import annotations

from typing import Any, NamedTuple

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..contract.errors import FitError
from ..contract.forms import Form
from ..contract.generator import WORD_BITS as RANDOM_BITS
from ..contract.generator import Generator, powered_up
from ..contract.image import Image
from ..contract.registers import OFFSET_BITS
from ..contract.schedule import STEPS
from .conditional import Adder, Baked, Table, entries
from .generator import REGISTER_BITS, RandomGenerator, SharedGenerator
from .loader import ADDRESS_BITS, WORD_BITS, Loader
from .moments import Moments
from .registers import STATE_LATENCY
from .ring import Ring
from .scheduler import Scheduler
from .sequencer import Sequencer
from .tabulate import Tabulator
from .update import delayed

DELAY = 2
"""Clocks from the counters to the p-bits: one register for all, one for each block of them."""

ROW_BITS = 3
"""Low bits of a p-bit's place in its block that are decoded together."""


class Array(wiring.Component):
    """An array of p-bits and the register bus that loads it.

    The counters do what `contract.array.clock` does in each clock that is not spent on making tables, from two clocks
    after a start is taken, and p-bits follow them `DELAY` clocks later: throughput n / colours updates per clock, or
    n where replicas are interleaved. A run of S sweeps takes S times the colours in clocks, or (S + 1) times the
    replicas, and before it, if weights, biases or beta of table p-bits were written, what `tabulate.Tabulator` takes.

    A word on the bus is taken in a clock in which ``write`` and ``ready`` are set. The writable rows of
    `contract.registers` are decoded; a write to any other address does nothing, and while the array runs
    only a stop does something.

    At power-up clamped p-bits have their clamp value, the other states are 0, and generator registers are
    `contract.generator.powered_up`; a reset does not reach them. At reset beta is `Image.reset_beta`, and the rest is
    the image's.

    Parameters
    ----------
    image : Image
        The array.
    form : Form
        What its p-bits are made of. Tables and constants take two clocks at least and so need an interleaved array.
    counting : bool
        Whether it has a schedule and counters, see `contract.schedule`.
    multipliers : int or None
        Hardware multipliers to ask for, one per adder p-bit from the first on; None is
        one for every p-bit. The others multiply in logic, see `activation.Argument`.

    Members
    -------
    write : In(1)
        Write ``data`` to ``address``.
    address : In(32)
        Address, see `contract.registers`.
    data : In(32)
        The word; narrower registers take the low bits.
    ready : Out(1)
        The word is taken.
    running : Out(1)
        The array runs, or tables are made for it.
    home : Out(1)
        The replica at hand is the first.
    state : Out(32)
        The word of `Region.STATE` at the offset of ``address``, `registers.STATE_LATENCY` clocks later.
    sweeps_left : Out(32)
        Sweeps to do, see `sequencer.Sequencer`.
    beta : Out(beta bits)
        Code of the inverse temperature.
    steps_left : Out(7)
        Steps of the schedule to do.
    counter : Out(32)
        The counter at the offset of ``address``, `registers.STATE_LATENCY` clocks later.

    Raises
    ------
    FitError
        If table p-bits or constants are asked for and an update takes one clock, or the image is for lanes.
    """

    def __init__(
        self, image: Image, form: Form = Form.ADDER, *, counting: bool = False, multipliers: int | None = None
    ) -> None:
        if image.lanes:
            raise FitError(
                f"this program is for a tiled engine of {image.lanes} lanes, not for an array; compile it without lanes"
            )
        if image.latency < form.latency:
            raise FitError(
                f"{form.value} p-bits take {form.latency} clocks, with {image.interleave} replicas in the array they "
                f"have {image.latency}; interleave {form.interleave(image)} replicas or use adder p-bits"
            )
        self._image = image
        self._form = form
        self._counting = counting
        in_hardware = image.size if multipliers is None else multipliers
        makers = {
            Form.ADDER: lambda pbit: Adder(image, pbit, multiplier=pbit < in_hardware),
            Form.TABLE: lambda pbit: Table(int(image.degrees[pbit]), image.latency),
            Form.BAKED: lambda pbit: Baked(entries(image, pbit, image.reset_beta), image.latency),
        }
        self._conditionals: list[Any] = [makers[form](pbit) for pbit in range(image.size)]
        self.shown = Signal(image.size)
        """States of the replica at hand."""
        self.rings = [self._ring(pbit) for pbit in range(image.size)]
        self.sequencer = Sequencer(image)
        self.active = Signal(DELAY)
        """Whether each of the last clocks was one of the array's."""
        shared = image.generator is Generator.LINEAR64
        self.generators: list[Any] = [
            SharedGenerator() if shared else RandomGenerator(image.generator, seed)
            for seed in powered_up(image.generator, image.streams).tolist()
        ]
        super().__init__(
            {
                "write": In(1),
                "address": In(ADDRESS_BITS),
                "data": In(WORD_BITS),
                "ready": Out(1),
                "running": Out(1),
                "home": Out(1),
                "state": Out(WORD_BITS),
                "sweeps_left": Out(WORD_BITS),
                "beta": Out(image.beta_format.bits, init=image.reset_beta),
                "steps_left": Out(bits_for(STEPS)),
                "counter": Out(WORD_BITS),
            }
        )

    def _ring(self, pbit: int) -> Ring:
        image = self._image
        home = -(int(image.colour[pbit]) + 1) * image.latency % image.interleave
        clamped = int(image.clamped[pbit])
        return Ring(image.interleave, home, clamped, clamped & int(image.clamp_values[pbit]))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        image = self._image
        adders = image.slots if self._form is Form.ADDER else 0
        m.submodules.loader = loader = Loader(image, max(adders, image.size, image.streams * image.generator.words))
        m.submodules.sequencer = sequencer = self.sequencer
        turns, rotate = Signal(image.colours), Signal()
        m.d.sync += [turns.eq(sequencer.turns), self.active.eq(Cat(sequencer.active | rotate, self.active))]
        moving = sequencer.running | self.active.any()
        orders = _Orders(Signal(), Signal(WORD_BITS), Signal(), Signal(WORD_BITS))
        # a clock after its decoding, so that this is not on the way to the count of sweeps
        begin = delayed(m, loader.start & loader.data.any(), 1)
        word: Value = self.address[:OFFSET_BITS]
        if self._counting:
            word, busy = self._connect_counters(m, loader, begin, orders, rotate, moving)
        else:
            busy = Const(0)
            m.d.comb += [orders.start.eq(begin), orders.set_beta.eq(loader.beta), rotate.eq(loader.rotate)]
            m.d.comb += [orders.sweeps.eq(loader.data), orders.beta.eq(loader.data)]
        m.d.comb += [
            loader.write.eq(self.write),
            loader.address.eq(self.address),
            loader.data_in.eq(self.data),
            loader.running.eq(self.running),
            self.ready.eq(loader.ready),
            self.home.eq(loader.home),
            self.running.eq(moving | busy | begin),
            self.sweeps_left.eq(sequencer.sweeps_left),
            sequencer.start.eq(orders.start),
            sequencer.sweeps.eq(orders.sweeps),
            sequencer.stop.eq(loader.stop),
        ]
        words = -(-image.size // WORD_BITS)
        read = self.shown.word_select(delayed(m, word, 1)[: bits_for(words - 1)], WORD_BITS)
        m.d.sync += self.state.eq(read)
        self._connect_generators(m, loader, turns)
        self._connect_rings(m, loader, turns)
        if self._form is Form.TABLE:
            self._connect_tables(m, loader, orders)
        elif self._form is Form.ADDER:
            self._connect_adders(m, loader, orders)
        return m

    def _connect_counters(
        self, m: Module, loader: Loader, begin: Value, orders: _Orders, rotate: Signal, moving: Value
    ) -> tuple[Value, Value]:
        """The schedule gives orders too, and the counters turn the replicas and read them.

        Returns which word of the states is to be read, and whether a schedule is carried out.
        """
        m.submodules.scheduler = scheduler = Scheduler()
        m.submodules.moments = moments = Moments(self._image, STATE_LATENCY)
        m.d.comb += [
            orders.start.eq(begin | scheduler.start),
            orders.sweeps.eq(Mux(scheduler.start, scheduler.sweeps, loader.data)),
            orders.set_beta.eq(loader.beta | scheduler.set_beta),
            orders.beta.eq(Mux(scheduler.set_beta, scheduler.beta, loader.data)),
            scheduler.load.eq(loader.schedule),
            scheduler.offset.eq(loader.offset),
            scheduler.data.eq(loader.data),
            scheduler.begin.eq(loader.steps),
            scheduler.stop.eq(loader.stop),
            scheduler.running.eq(moving),
            scheduler.counting.eq(moments.busy),
            self.steps_left.eq(scheduler.steps_left),
            moments.begin.eq(scheduler.count),
            moments.states.eq(self.state),
            moments.moving.eq(self.active.any()),
            moments.load.eq(loader.count),
            moments.offset.eq(Mux(loader.count, loader.offset, self.address)),
            moments.data.eq(loader.data),
            self.counter.eq(moments.counter),
            rotate.eq(loader.rotate | moments.rotate),
        ]
        return Mux(moments.busy, moments.word, self.address[:OFFSET_BITS]), scheduler.steps_left.any()

    def _connect_generators(self, m: Module, loader: Loader, turns: Signal) -> None:
        """Generators move with their colour's turn, `DELAY` clocks after the counters."""
        image = self._image
        words, share = image.generator.words, image.generator.share
        inject = Signal()
        m.d.sync += inject.eq(loader.inject)
        for stream, generator in enumerate(self.generators):
            m.submodules[f"generator_{stream}"] = generator
            pbits = (image.stream == stream).nonzero()[0].tolist()
            step, turn = Signal(name=f"step_{stream}", reset_less=True), turns[int(image.colour[pbits[0]])]
            m.d.comb += generator.step.eq(step)
            if share == 1:
                load = Signal(words, name=f"load_{stream}", reset_less=True)
                hits = Cat(loader.generator & loader.hit(stream * words + word) for word in range(words))
                m.d.sync += [step.eq(turn), load.eq(hits)]
                m.d.comb += [generator.load.eq(load), generator.data.eq(loader.data)]
                m.d.comb += self._conditionals[pbits[0]].word.eq(generator.word)
                continue
            clear, hit = Signal(name=f"clear_{stream}", reset_less=True), loader.hit(stream * words + 1)
            m.d.sync += [step.eq(turn | (loader.seed & hit)), clear.eq(loader.clear & hit)]
            m.d.comb += [generator.clear.eq(clear), generator.inject.eq(inject)]
            for place, pbit in enumerate(pbits):
                m.d.comb += self._conditionals[pbit].word.eq(generator.register.word_select(place, RANDOM_BITS))

    def _connect_rings(self, m: Module, loader: Loader, turns: Signal) -> None:
        """Rings go round together; a word of 32 of them has its own strobes."""
        image = self._image
        for word in range(-(-image.size // WORD_BITS)):
            pbits = range(word * WORD_BITS, min((word + 1) * WORD_BITS, image.size))
            shift, replace, clamp = (
                Signal(name=f"{name}_{word}", reset_less=True) for name in ("shift", "replace", "clamp")
            )
            pushed = loader.push & loader.hit(word)
            m.d.sync += [
                shift.eq(self.active[0] | pushed),
                replace.eq(loader.replace & loader.hit(word)),
                clamp.eq(loader.clamp & loader.hit(word)),
            ]
            lands = {}
            for colour in sorted(set(image.colour[pbits].tolist())):
                lands[colour] = Signal(name=f"land_{word}_{colour}", reset_less=True)
                # never at once: what is pushed keeps the registers of blocks from being made one of large fan-out
                m.d.sync += lands[colour].eq(turns[colour] & ~pushed)
            for pbit in pbits:
                ring, conditional = self.rings[pbit], self._conditionals[pbit]
                m.submodules[f"ring_{pbit}"], m.submodules[f"conditional_{pbit}"] = ring, conditional
                m.d.comb += [
                    ring.shift.eq(shift),
                    ring.replace.eq(replace),
                    ring.load_clamp.eq(clamp),
                    ring.data.eq(loader.data[pbit - pbits[0]]),
                    ring.land.eq(lands[int(image.colour[pbit])]),
                    ring.decided.eq(conditional.decided),
                    conditional.neighbours.eq(Cat(self._seen(pbit))),
                    self.shown[pbit].eq(ring.shown),
                ]

    def _seen(self, pbit: int) -> list[Value]:
        """Neighbours of a p-bit, each where the replica is that the p-bit updates."""
        image = self._image
        neighbours = image.neighbours[image.slot_first[pbit] : image.slot_first[pbit + 1]].tolist()
        behind = (image.colour[pbit] - image.colour[neighbours] - 1) * image.latency % image.interleave
        return [self.rings[each].states[place] for each, place in zip(neighbours, behind.tolist(), strict=True)]

    def _connect_adders(self, m: Module, loader: Loader, orders: _Orders) -> None:
        image = self._image
        with m.If(orders.set_beta):
            m.d.sync += self.beta.eq(orders.beta)
        for pbit, adder in enumerate(self._conditionals):
            slots = range(image.slot_first[pbit], image.slot_first[pbit + 1])
            bias, weights = (
                Signal(name=f"load_bias_{pbit}", reset_less=True),
                Signal(len(slots), name=f"load_weights_{pbit}", reset_less=True),
            )
            m.d.sync += [
                bias.eq(loader.bias & loader.hit(pbit)),
                weights.eq(Cat(loader.weight & loader.hit(slot) for slot in slots)),
            ]
            m.d.comb += [
                adder.beta.eq(self.beta),
                adder.data.eq(loader.data[:REGISTER_BITS]),
                adder.load_bias.eq(bias),
                adder.load_weights.eq(weights),
            ]

    def _connect_tables(self, m: Module, loader: Loader, orders: _Orders) -> None:
        """Tables are made before a run if something that they depend on has been written since."""
        m.submodules.tabulator = tabulator = Tabulator(self._image)
        another = orders.set_beta & (orders.beta[: len(self.beta)] != self.beta)
        stale, changed = Signal(init=1), loader.weight | loader.bias | another
        begin = orders.start & orders.sweeps.any() & stale  # without sweeps the array is not kept busy meanwhile
        m.d.comb += [
            tabulator.load_weight.eq(loader.weight),
            tabulator.load_bias.eq(loader.bias),
            tabulator.load_beta.eq(orders.set_beta),
            tabulator.offset.eq(loader.offset),
            tabulator.data.eq(Mux(orders.set_beta, orders.beta, loader.data)),
            tabulator.begin.eq(begin),
            self.sequencer.wait.eq(tabulator.busy),
            self.beta.eq(tabulator.beta),
        ]
        m.d.sync += stale.eq(changed | (stale & ~begin))
        for word in range(-(-self._image.size // WORD_BITS)):
            self._fill_block(m, tabulator, word)

    def _fill_block(self, m: Module, tabulator: Tabulator, word: int) -> None:
        """Registers of what is written to the tables of a block of p-bits."""
        pbits = range(word * WORD_BITS, min((word + 1) * WORD_BITS, self._image.size))
        entry = Signal.like(tabulator.entry, reset_less=True)
        address = Signal.like(tabulator.address, reset_less=True)
        row, block = tabulator.pbit[ROW_BITS : WORD_BITS.bit_length() - 1], tabulator.pbit[WORD_BITS.bit_length() - 1 :]
        rows = Signal(WORD_BITS >> ROW_BITS, name=f"rows_{word}", reset_less=True)
        columns = Signal(1 << ROW_BITS, name=f"columns_{word}", reset_less=True)
        mine = tabulator.write & (block == word)
        m.d.sync += [rows.eq(Cat(mine & (row == place) for place in range(len(rows))))]
        with m.If(mine):
            m.d.sync += [
                entry.eq(tabulator.entry),
                address.eq(tabulator.address),
                columns.eq(Cat(tabulator.pbit[:ROW_BITS] == place for place in range(len(columns)))),
            ]
        for pbit in pbits:
            table, place = self._conditionals[pbit], pbit - pbits[0]
            m.d.comb += [
                table.write.eq(rows[place >> ROW_BITS] & columns[place % len(columns)]),
                table.address.eq(address),
                table.entry.eq(entry),
            ]


class _Orders(NamedTuple):
    """Runs to begin and betas to set, whoever gives the order."""

    start: Signal
    sweeps: Signal
    set_beta: Signal
    beta: Signal
