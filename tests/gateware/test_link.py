"""The link's RTL alone, with a bus model in place of the array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from pbit_hw.compiler import Ising, compile
from pbit_hw.contract import link
from pbit_hw.contract.image import Image
from pbit_hw.contract.link import Frame, Opcode, Refusal
from pbit_hw.contract.registers import Control, Region, address, identity
from pbit_hw.gateware.frames import FrameReceiver
from pbit_hw.gateware.link import Link

from .rtl_transport import RTLTransport

pytestmark = pytest.mark.usefixtures("undefined_reads")

CLOCK_HZ = 10_000
CONTROLS = (Control.SWEEPS, Control.BETA, Control.STOP, Control.ROTATE)
SWEEPS, BETA, STOP, ROTATE = (address(Region.CONTROL, offset) for offset in CONTROLS)
WEIGHT, STATE = address(Region.WEIGHT), address(Region.STATE)


@pytest.fixture(scope="module")
def image() -> Image:
    """A ring of 70 p-bits, whose state is three words and whose weights are more than one request holds."""
    edges = [(p, (p + 1) % 70) for p in range(70)]
    return compile(Ising.from_edges(70, edges, np.ones(70))).image


class LinkBench:
    """A `Link` whose array is three clocks per sweep and counts its sweeps in its states.

    Parameters
    ----------
    image : Image
        The array.
    pause : int
        Clocks for which it takes no other word after one.
    fixed : int
        See `contract.registers.identity`.
    """

    def __init__(self, image: Image, pause: int = 0, fixed: int = 0) -> None:
        self.writes: list[tuple[int, int]] = []
        self.write_clocks: list[int] = []
        self.byte_clock = 0
        self.beta = 0x123
        self.states = [0] * image.interleave
        self.at_hand = 0
        self._pause = pause
        self._clocks_left = 0
        self._dut = Link(image, identity(image, CLOCK_HZ, fixed), image.beta_format.bits)
        self.transport = RTLTransport(self._dut, CLOCK_HZ)
        self.transport.simulator.add_process(self._array)

    async def _array(self, ctx: Any) -> None:
        dut, paused = self._dut, 0
        async for _, _, byte, write, at, word in ctx.tick().sample(
            dut.rx.valid & dut.rx.ready, dut.write & dut.ready, dut.address, dut.data
        ):
            if byte:
                self.byte_clock = self.transport.clocks
            self._clocks_left, paused = max(self._clocks_left - 1, 0), max(paused - 1, 0)
            if write:
                self.writes.append((at, word))
                self.write_clocks.append(self.transport.clocks)
                self._carry_out(at, word)
                paused = self._pause
            values = {
                "ready": paused == 0,
                "running": self._clocks_left > 0,
                "home": self.at_hand == 0,
                "sweeps_left": -(-self._clocks_left // 3),
                "state": self.states[self.at_hand] >> 32 * (at & 0xFFFFFF) & 0xFFFFFFFF,
                "beta": self.beta,
            }
            for name, value in values.items():
                ctx.set(getattr(dut, name), value)

    def _carry_out(self, at: int, word: int) -> None:
        if at == STOP:
            self._clocks_left %= 3
        elif self._clocks_left == 0 and at == ROTATE:
            self.at_hand = (self.at_hand + 1) % len(self.states)
        elif self._clocks_left == self.at_hand == 0 and at == SWEEPS:
            self._clocks_left = 3 * word
            self.states = [(state << 8 | word + place) % (1 << 70) for place, state in enumerate(self.states)]

    def answer(self) -> Frame:
        header = self.transport.read(link.HEADER.size, 1.0)
        return link.decode(header + self.transport.read(link.payload_length(header) + link.CRC.size, 1.0))

    def ask(self, opcode: int, payload: bytes, sequence: int = 7) -> Frame:
        self.transport.write(link.encode(Frame(opcode, sequence, payload)))
        return self.answer()

    def read(self, at: int, words: int = 1) -> list[int]:
        frame = self.ask(Opcode.READ, link.READ.pack(at, words))
        assert (frame.opcode, frame.sequence) == (Opcode.READ, 7)
        return np.frombuffer(frame.payload, "<u4").tolist()


@pytest.fixture
def bench(image: Image) -> LinkBench:
    return LinkBench(image)


@pytest.fixture
def interleaved(image: Image) -> LinkBench:
    """Four replicas, and an array that is slow to take words."""
    return LinkBench(image.interleaved(4), pause=3)


def write_payload(at: int, words: list[int]) -> bytes:
    return link.WRITE.pack(at) + np.array(words, "<u4").tobytes()


def refused(frame: Frame, reason: Refusal, sequence: int = 7) -> bool:
    return frame == Frame(Opcode.REFUSE, sequence, bytes([reason]))


@pytest.mark.parametrize("fixed", [0, 0xFEEDBEEF])
def test_every_control_register_reads_alone(image, fixed):
    bench = LinkBench(image.interleaved(4), fixed=fixed)
    expected = identity(image.interleaved(4), CLOCK_HZ, fixed)
    assert expected[Control.FIXED] == fixed
    for offset, word in expected.items():
        assert bench.read(address(Region.CONTROL, offset)) == [word]
    assert bench.read(BETA) == [bench.beta]
    assert bench.read(SWEEPS) == [0]


def test_the_identity_reads_at_once(bench, image):
    expected = identity(image, CLOCK_HZ)
    assert bench.read(address(Region.CONTROL), Control.CLOCK_HZ + 1) == [expected[k] for k in range(10)]


def test_state_words_are_packed(bench):
    bench.states = [0x2A_89ABCDEF_01234567]
    bench.transport.pass_clocks(2)
    assert bench.read(STATE, 3) == [0x01234567, 0x89ABCDEF, 0x2A]
    assert bench.read(STATE + 1) == [0x89ABCDEF]


def test_longest_write_is_one_word_per_clock(bench):
    words = np.random.default_rng(1).integers(0, 1 << 32, link.MAX_WRITE_WORDS).tolist()
    frame = bench.ask(Opcode.WRITE, write_payload(WEIGHT + 11, words))
    assert frame == Frame(Opcode.WRITE, 7)
    assert bench.writes == [(WEIGHT + 11 + k, word) for k, word in enumerate(words)]
    assert bench.write_clocks == [bench.byte_clock + 9 + k for k in range(len(words))]


def test_words_wait_until_the_array_takes_them(interleaved):
    words = list(range(1, 30))
    assert interleaved.ask(Opcode.WRITE, write_payload(WEIGHT, words)) == Frame(Opcode.WRITE, 7)
    assert interleaved.writes == [(WEIGHT + k, word) for k, word in enumerate(words)]
    first = interleaved.write_clocks[0]
    assert interleaved.write_clocks == list(range(first, first + 4 * len(words), 4))


def test_sequence_and_opcode_come_back(bench):
    for sequence in (0, 255):
        assert bench.ask(Opcode.WRITE, write_payload(BETA, [1]), sequence) == Frame(Opcode.WRITE, sequence)


def test_sample_answers_once_per_run(bench):
    bench.transport.write(link.encode(Frame(Opcode.SAMPLE, 9, link.SAMPLE.pack(5, 4))))
    for run in range(1, 5):
        states = int.from_bytes(bytes([5] * run), "big")
        assert bench.answer() == Frame(Opcode.SAMPLE, 9, states.to_bytes(12, "little"))
    assert [write for write in bench.writes if write[0] != ROTATE] == [(SWEEPS, 5)] * 4
    assert bench.read(SWEEPS) == [0]


def test_sample_returns_every_replica_and_ends_at_the_first(interleaved):
    interleaved.transport.write(link.encode(Frame(Opcode.SAMPLE, 9, link.SAMPLE.pack(5, 3))))
    for run in range(1, 4):
        replicas = [int.from_bytes(bytes([5 + place] * run), "big") for place in range(4)]
        assert interleaved.answer() == Frame(
            Opcode.SAMPLE, 9, b"".join(each.to_bytes(12, "little") for each in replicas)
        )
    assert [at for at, _ in interleaved.writes] == [SWEEPS, *[ROTATE] * 4] * 3
    assert interleaved.at_hand == 0


def test_sample_of_no_sweeps_reads_the_states(bench):
    bench.states = [0x77]
    assert bench.ask(Opcode.SAMPLE, link.SAMPLE.pack(0, 1)).payload[1:] == bytes([0x77]) + bytes(10)


@pytest.mark.parametrize("at", range(1, 18))
def test_a_damaged_frame_changes_nothing(bench, at):
    """A flipped bit anywhere behind the sync byte is refused, or the frame never ends and is forgotten."""
    data = bytearray(link.encode(Frame(Opcode.WRITE, 3, write_payload(WEIGHT, [1, 2]))))
    assert len(data) == 19
    data[at] ^= 0x04
    bench.transport.write(bytes(data))
    if at in (1, 2):  # the length: too long a frame never ends
        bench.transport.pass_clocks(100)
    else:
        sequence = 3 ^ 0x04 if at == 4 else 3
        assert refused(bench.answer(), Refusal.CRC, sequence)
    assert bench.writes == []


@pytest.mark.parametrize("opcode", [0, 4, 0x7F, 0x81, 0xFF])
def test_unknown_opcode(bench, opcode):
    assert refused(bench.ask(opcode, write_payload(WEIGHT, [1])), Refusal.OPCODE)
    assert bench.writes == []


@pytest.mark.parametrize(
    ("opcode", "payload"),
    [
        (Opcode.READ, b""),
        (Opcode.READ, link.READ.pack(0, 1)[:-1]),
        (Opcode.READ, link.READ.pack(0, 1) + b"\0"),
        (Opcode.READ, link.READ.pack(0, 0)),
        (Opcode.READ, link.READ.pack(0, 0x4000)),
        (Opcode.WRITE, b""),
        (Opcode.WRITE, b"\0\0\0"),
        (Opcode.WRITE, link.WRITE.pack(WEIGHT)),
        (Opcode.WRITE, link.WRITE.pack(WEIGHT) + b"\0\0\0"),
        (Opcode.WRITE, link.WRITE.pack(WEIGHT) + b"\0\0\0\0\0"),
        (Opcode.WRITE, link.WRITE.pack(WEIGHT) + bytes(4 * link.MAX_WRITE_WORDS + 4)),
        pytest.param(Opcode.WRITE, link.WRITE.pack(WEIGHT) + bytes(65_528), marks=pytest.mark.slow),
        (Opcode.SAMPLE, link.SAMPLE.pack(1, 1)[:-1]),
        (Opcode.SAMPLE, link.SAMPLE.pack(1, 1) + b"\0\0"),
        (Opcode.SAMPLE, link.SAMPLE.pack(1, 0)),
    ],
)
def test_wrong_length(bench, image, opcode, payload):
    assert refused(bench.ask(opcode, payload), Refusal.LENGTH)
    assert bench.writes == []
    assert bench.read(address(Region.CONTROL, Control.SIZE)) == [image.size]


@pytest.mark.parametrize(
    ("access", "at", "words"),
    [
        ("r", STOP, 1),
        ("r", SWEEPS, 2),
        ("r", WEIGHT, 1),
        ("r", STATE, 4),
        ("r", STATE + 3, 1),
        ("r", address(Region.CONTROL, Control.FIXED), 2),
        ("r", 7 << 24, 1),
        ("r", 0x81000000, 1),
        ("r", STATE, 0x3FFF),
        ("r", ROTATE, 1),
        ("r", BETA, 3),
        ("w", STATE, 4),
        ("w", STATE + 3, 1),
        ("w", address(Region.CONTROL, Control.CLOCK_HZ), 2),
        ("w", BETA, 2),
        ("w", WEIGHT + 139, 2),
        ("w", WEIGHT + 140, 1),
        ("w", WEIGHT | 0x800000, 1),
        ("w", WEIGHT - 1, 2),
    ],
)
def test_bad_address_is_refused_as_a_whole(bench, access, at, words):
    if access == "r":
        frame = bench.ask(Opcode.READ, link.READ.pack(at, words))
    else:
        frame = bench.ask(Opcode.WRITE, write_payload(at, [0] * words))
    assert refused(frame, Refusal.ADDRESS)
    assert bench.writes == []


def test_a_run_may_be_read_and_stopped_and_no_more(bench):
    assert bench.ask(Opcode.WRITE, write_payload(SWEEPS, [1000])) == Frame(Opcode.WRITE, 7)
    words = [(SWEEPS, [1]), (BETA, [5]), (STOP, [1, 1]), (STATE, [0, 1]), (WEIGHT, [1]), (ROTATE, [0])]
    words += [(address(region), [1]) for region in (Region.CLAMP, Region.BIAS, Region.GENERATOR)]
    for at, payload in words:
        assert refused(bench.ask(Opcode.WRITE, write_payload(at, payload)), Refusal.BUSY)
    assert refused(bench.ask(Opcode.SAMPLE, link.SAMPLE.pack(1, 1)), Refusal.BUSY)
    assert refused(bench.ask(Opcode.SAMPLE, link.SAMPLE.pack(0, 1)), Refusal.BUSY)
    assert 0 < bench.read(SWEEPS)[0] < 1000
    assert bench.read(STATE, 3)[0] == 1000 % (1 << 70) & 0xFFFFFFFF
    assert bench.writes == [(SWEEPS, 1000)]
    assert bench.ask(Opcode.WRITE, write_payload(STOP, [0])) == Frame(Opcode.WRITE, 7)
    assert bench.writes == [(SWEEPS, 1000), (STOP, 0)]
    bench.transport.pass_clocks(3)
    assert bench.read(SWEEPS) == [0]
    assert bench.ask(Opcode.WRITE, write_payload(BETA, [5])) == Frame(Opcode.WRITE, 7)
    assert bench.ask(Opcode.WRITE, write_payload(SWEEPS, [0])) == Frame(Opcode.WRITE, 7)


def test_a_run_begins_where_the_first_replica_is_at_hand(interleaved):
    for turn in range(1, 5):
        assert interleaved.ask(Opcode.WRITE, write_payload(ROTATE, [0])) == Frame(Opcode.WRITE, 7)
        starts = [
            interleaved.ask(Opcode.SAMPLE, link.SAMPLE.pack(0, 1)),
            interleaved.ask(Opcode.WRITE, write_payload(SWEEPS, [0])),
        ]
        assert [refused(frame, Refusal.BUSY) for frame in starts] == [turn < 4] * 2
        assert interleaved.ask(Opcode.WRITE, write_payload(STATE, [1])) == Frame(Opcode.WRITE, 7)
        assert interleaved.ask(Opcode.WRITE, write_payload(STOP, [1])) == Frame(Opcode.WRITE, 7)


def test_the_first_reason_in_order_is_named(bench):
    bench.ask(Opcode.WRITE, write_payload(SWEEPS, [10_000]))
    assert refused(bench.ask(Opcode.WRITE, write_payload(SWEEPS, [1] * 40)), Refusal.ADDRESS)
    assert refused(bench.ask(Opcode.WRITE, write_payload(STATE, [])), Refusal.LENGTH)
    assert refused(bench.ask(99, b""), Refusal.OPCODE)


def test_garbage_before_sync_is_dropped(bench, image):
    bench.transport.write(bytes(b for b in range(256) if b != link.SYNC))
    assert bench.read(address(Region.CONTROL, Control.SIZE)) == [image.size]


def test_writes_may_follow_one_another(bench):
    frames = [Frame(Opcode.WRITE, k, write_payload(WEIGHT + k, [k])) for k in range(20)]
    bench.transport.write(b"".join(map(link.encode, frames)))
    assert [bench.answer().sequence for _ in frames] == list(range(20))
    assert bench.writes == [(WEIGHT + k, k) for k in range(20)]


def test_reads_behind_one_another_wait_their_turn(bench):
    frames = [Frame(Opcode.READ, k, link.READ.pack(STATE, 3)) for k in range(3)]
    bench.transport.write(b"".join(map(link.encode, frames)))
    assert [bench.answer() for _ in frames] == [Frame(Opcode.READ, k, bytes(12)) for k in range(3)]


@pytest.mark.parametrize(
    ("arrived", "silent_clocks", "forgotten"),
    [(7, link.IDLE_CYCLES - 1, False), *((k, link.IDLE_CYCLES, True) for k in (1, 7, 10))],
)
def test_half_a_frame_is_forgotten_after_silence(arrived, silent_clocks, forgotten):
    """The receiver alone: 65,536 clocks are many for a simulator."""
    first, second = (link.encode(Frame(Opcode.WRITE, k, bytes(4))) for k in (1, 2))
    dut, seen, period_s = FrameReceiver(), [], 1e-6

    async def send(ctx: Any, data: bytes) -> None:
        ctx.set(dut.bytes.valid, 1)
        for byte in data:
            ctx.set(dut.bytes.payload, byte)
            await ctx.tick().until(dut.bytes.ready)
            if ctx.get(dut.requests.valid):
                seen.append((ctx.get(dut.requests.payload.header.sequence), ctx.get(dut.requests.payload.intact)))
        ctx.set(dut.bytes.valid, 0)

    async def bench(ctx: Any) -> None:
        ctx.set(dut.requests.ready, 1)
        await send(ctx, first[:arrived])
        await ctx.delay((silent_clocks - 0.5) * period_s)
        await ctx.tick()
        await send(ctx, first[arrived:] + second)

    simulator = Simulator(dut)
    simulator.add_clock(period_s)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == ([(2, 1)] if forgotten else [(1, 1), (2, 1)])


def test_a_slow_host_loses_nothing(image):
    """The same answers byte for byte when the host takes a byte only now and then."""
    dut = Link(image, identity(image, CLOCK_HZ), image.beta_format.bits)
    request = link.encode(Frame(Opcode.READ, 1, link.READ.pack(0, 10)))
    got: list[int] = []

    async def send(ctx: Any) -> None:
        ctx.set(dut.rx.valid, 1)
        for byte in request:
            ctx.set(dut.rx.payload, byte)
            await ctx.tick().until(dut.rx.ready)
        ctx.set(dut.rx.valid, 0)

    async def take(ctx: Any) -> None:
        rng = np.random.default_rng(3)
        while len(got) < 47:
            await ctx.tick().repeat(int(rng.integers(1, 6)))
            ctx.set(dut.tx.ready, 1)
            got.append(*(await ctx.tick().sample(dut.tx.payload).until(dut.tx.valid)))
            ctx.set(dut.tx.ready, 0)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(send)
    simulator.add_testbench(take)
    simulator.run()
    expected = np.array([identity(image, CLOCK_HZ)[k] for k in range(10)], "<u4").tobytes()
    assert link.decode(bytes(got)) == Frame(Opcode.READ, 1, expected)
