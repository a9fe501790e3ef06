"""The schedule in hardware: the mirror of `contract.schedule`."""

from __future__ import annotations

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from ..contract.schedule import STEP_WORDS, STEPS
from .ram import block_ram, read

WORD_BITS = 32


class Scheduler(wiring.Component):
    """Carries out a schedule: sets beta, runs the array, has it counted, step by step.

    A step begins 2 clocks per word after the one before it, and its runs follow 2 clocks after one another. At
    reset idle; steps that were not written are undefined.

    Members
    -------
    load : In(1)
        Write ``data`` to the word ``offset`` of the schedule.
    offset : In(8)
        Word, `contract.schedule.STEP_WORDS` per step.
    data : In(32)
        What to write, or how many steps to carry out.
    begin : In(1)
        Carry out ``data`` steps.
    beta : Out(32)
        Code of the step's inverse temperature.
    set_beta : Out(1)
        It takes effect.
    sweeps : Out(32)
        Sweeps of the step's runs.
    start : Out(1)
        Begin a run.
    stop : In(1)
        Do no more after the run under way, and do not count it.
    running : In(1)
        The array runs, from the clock after the start on.
    count : Out(1)
        Begin to count.
    counting : In(1)
        It is counted, from the clock after on.
    steps_left : Out(7)
        Steps to do, the one under way included; 0 when idle.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "load": In(1),
                "offset": In(range(STEPS * STEP_WORDS)),
                "data": In(WORD_BITS),
                "begin": In(1),
                "beta": Out(WORD_BITS),
                "set_beta": Out(1),
                "sweeps": Out(WORD_BITS),
                "start": Out(1),
                "stop": In(1),
                "running": In(1),
                "count": Out(1),
                "counting": In(1),
                "steps_left": Out(bits_for(STEPS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.steps = steps = block_ram(WORD_BITS, STEPS * STEP_WORDS)
        place, waited = Signal(range(STEPS * STEP_WORDS)), Signal()
        write, word = steps.write_port(), read(m, steps, place)
        repeats, counts = Signal(WORD_BITS), Signal()
        last, stopped = Signal(), Signal()
        with m.If(self.stop):
            m.d.sync += stopped.eq(1)
        m.d.comb += [
            write.en.eq(self.load),
            write.addr.eq(self.offset),
            write.data.eq(self.data),
            last.eq(repeats == 1),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [place.eq(0), waited.eq(0), stopped.eq(0)]
                with m.If(self.begin & (self.data != 0)):
                    m.d.sync += self.steps_left.eq(Mux(self.data > STEPS, STEPS, self.data))
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += waited.eq(~waited)
                with m.If(waited):
                    m.d.sync += place.eq(place + 1)
                    with m.Switch(place[: exact_log2(STEP_WORDS)]):
                        for at, register in enumerate((self.beta, self.sweeps, repeats)):
                            with m.Case(at):
                                m.d.sync += register.eq(word)
                        with m.Default():
                            m.d.sync += counts.eq(word)
                            m.next = "BETA"
            with m.State("BETA"):
                m.d.comb += self.set_beta.eq(1)
                m.next = "START"
            with m.State("START"):
                m.d.comb += self.start.eq(1)
                m.next = "RUN"
            with m.State("RUN"), m.If(~self.running):
                m.d.comb += self.count.eq(counts & ~stopped)
                m.next = "COUNT"
            with m.State("COUNT"), m.If(~self.counting):
                m.d.sync += repeats.eq(repeats - 1)
                m.next = "START"
                with m.If(last):
                    m.d.sync += self.steps_left.eq(self.steps_left - 1)
                    m.next = "FETCH"
                    with m.If(self.steps_left == 1):
                        m.next = "IDLE"
                with m.If(stopped):
                    m.d.sync += self.steps_left.eq(0)
                    m.next = "IDLE"
        return m
