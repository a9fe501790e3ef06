"""The sweep kernel: 64 p-bits in one vector, by the contract's own functions.

P-bits lie in the order of their colours, and p-bits of one colour are not
coupled, so updating them one after another, or any of a colour at once, gives
what the array gives in one clock. The kernel works on rows of 64 lanes, in two layouts:

- lanes are *replicas* of one p-bit, which adds up its field from its neighbours' states;
- lanes are *p-bits* of one colour of one replica; their fields stand in memory, and a
  p-bit that changes adds the difference to the fields of its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from llvmlite import ir

from ..contract.activation import ARGUMENT_LIMIT, scaled
from ..contract.generator import Generator, lfsr48_next, lfsr48_word, linear64_next, xoshiro_next, xoshiro_word
from ..contract.update import next_state
from .codegen import LANES, Array, Function, Integers
from .native import Machine, Processor

SHORT_FIELDS = 128
"""Magnitudes of 8-bit fields, which have a table of thresholds of their own for every beta."""


@dataclass(frozen=True)
class Kind:
    """What a kernel is made for.

    Parameters
    ----------
    pbit_lanes : bool
        Whether lanes are p-bits rather than replicas.
    generator : Generator
        Kind of random-number generator.
    field_bits : int
        Width of fields and weights: 8, 16, 32 or 64.
    product_bits : int
        Width of the product of field and beta: 32 or 64. Fields of 8 bits need none.
    shift : int
        `Image.argument_shift`; 0 where no product is needed.
    interleave : int
        Updates by which a generator moves per draw, see `Image.interleave`.
    turns : bool
        Whether p-bits take turns at the registers, see `Image.lanes`; only where lanes are replicas.
    """

    pbit_lanes: bool
    generator: Generator
    field_bits: int
    product_bits: int
    shift: int
    interleave: int = 1
    turns: bool = False

    @property
    def short(self) -> bool:
        """Whether thresholds are looked up by the magnitude of the field."""
        return self.field_bits == 8

    @property
    def halves(self) -> bool:
        """Whether generator registers are kept in halves of 16 bits, the low one first."""
        return self.generator is not Generator.XOSHIRO128

    @property
    def shared(self) -> bool:
        """Whether p-bits share generator registers."""
        return self.generator.share > 1


@cache
def kernel(kind: Kind, processor: Processor) -> Machine:
    """The kernel in machine code.

    It takes arrays, contiguous and those of vectors aligned to 64 bytes:

    - ``states``, uint64, shape (rows,): changed in place;
    - ``registers``, shape (rows, 4, 64): uint32 words, or uint16 halves of two words; changed in place. Shared ones
      have shape (streams, 4, 64), and where lanes are p-bits (rows, 4, 16);
    - ``drawn``, int32, shape (rows + 1,): vector of shared registers that each row draws from, and 0 after them; not
      used where lanes are p-bits, nor where every p-bit has a register of its own;
    - ``frozen``, uint64, shape (rows,): lanes whose state does not change;
    - ``fields``: folded biases, shape (rows,); where lanes are p-bits their fields, shape (rows, 64), changed in place;
    - ``weights``: per slot what a neighbour adds to the p-bit's field; where lanes are p-bits what the p-bit adds to
      its neighbour's;
    - ``neighbours``, ``slot_first``, int32: as in `Image`; p-bits in lanes are counted by 64 a row;
    - ``thresholds``: of short fields uint16 by magnitude, shape (betas, 128); else the contract's table;
    - ``betas``, int32, shape (sweeps,): row of ``thresholds``, or code of beta;
    - ``keep``, int64: ascending sweeps, counted from 1, and a 0 after them;
    - ``out``, uint64, shape (kept, rows): filled with the states after those sweeps;

    and the numbers ``rows`` and ``sweeps``.
    """
    wide = (kind.field_bits, True)
    function = Function(
        "sweeps",
        {
            "states": (64, False),
            "registers": (16 if kind.halves else 32, False),
            "drawn": (32, True),
            "frozen": (64, False),
            "fields": wide,
            "weights": wide,
            "neighbours": (32, True),
            "slot_first": (32, True),
            "thresholds": (16 if kind.short else 32, False),
            "betas": (32, False),
            "keep": (64, True),
            "out": (64, False),
        },
        ("rows", "sweeps"),
    )
    _sweeps(function, kind, processor)
    return Machine(function, processor)


@cache
def energy_kernel(field_bits: int, processor: Processor) -> Machine:
    """Sums over p-bits that are 1 of field and bias, where lanes are replicas: what energies differ by.

    It takes ``states``, ``fields`` (biases), ``weights``, ``neighbours`` and ``slot_first`` as `kernel` does,
    ``out``, int64, shape (64,), which is filled with the sums, and the number ``rows``.
    """
    wide = (field_bits, True)
    integers = {"neighbours": (32, True), "slot_first": (32, True), "out": (64, True)}
    function = Function("energies", {"states": (64, False), "fields": wide, "weights": wide, **integers}, ("rows",))
    nothing = function.constant(0).spread()
    total = function.variable(nothing)
    with function.loop(function.constant(0), function.integers["rows"]) as row:
        share = _gathered_field(function, row).resized(64) + function.arrays["fields"][row].resized(64)
        active = function.arrays["states"][row].recast(1, LANES)
        total.value = total.value + active.choose(share, nothing)
    function.arrays["out"].vectors()[0] = total.value
    return Machine(function, processor)


@cache
def limit_kernel(processor: Processor) -> Machine:
    """The largest magnitude that a field can have.

    It takes ``weights``, int32, shape (slots,), ``biases``, int64, and ``slot_first``, int32, as `kernel` does;
    ``out``, int64, shape (1,), which is set to it; and the number ``rows``.
    """
    arrays = {"weights": (32, True), "biases": (64, True), "slot_first": (32, True), "out": (64, True)}
    function = Function("limit", arrays, ("rows",))
    weights, biases, slot_first, out = function.arrays.values()
    zero = function.constant(0)
    farthest = function.variable(zero)
    with function.loop(zero, function.integers["rows"]) as row:
        highest, lowest = function.variable(biases[row]), function.variable(biases[row])
        with function.loop(slot_first[row].resized(64), slot_first[row + 1].resized(64)) as slot:
            weight = weights[slot].resized(64)
            highest.value = highest.value + weight.at_least(0)
            lowest.value = lowest.value + weight.at_most(0)
        for end in (highest.value, lowest.value * -1):
            farthest.value = (farthest.value < end).choose(end, farthest.value)
    out[0] = farthest.value
    return Machine(function, processor)


@cache
def pair_kernel(processor: Processor) -> Machine:
    """In how many replicas both p-bits of each pair are 1, where lanes are replicas.

    It takes ``states``, uint64, shape (sets, rows); ``mask``, uint64, shape (sets,): lanes that count; ``first`` and
    ``second``, int32, shape (stretches,), and ``begins``, int64, shape (stretches + 1,): see `Pairs.stretches`;
    ``out``, int64, shape (pairs,), which is added to; and the numbers ``sets``, ``rows`` and ``stretches``.
    """
    arrays = {"states": (64, False), "mask": (64, False), "first": (32, True), "second": (32, True)}
    results = {"begins": (64, True), "out": (64, True)}
    function = Function("pairs", arrays | results, ("sets", "rows", "stretches"))
    states, mask, first, second, begins, out = function.arrays.values()
    sets, rows, stretches = function.integers.values()
    zero = function.constant(0)
    with function.loop(zero, stretches) as stretch, function.loop(zero, sets) as place:
        row, counts = states.from_(place * rows), out.from_(begins[stretch])
        word = row[first[stretch].resized(64)] & mask[place]
        others = row.from_(second[stretch].resized(64))
        with function.loop(zero, begins[stretch + 1] - begins[stretch]) as other:
            counts[other] = counts[other] + (others[other] & word).ones()
    return Machine(function, processor)


def _sweeps(function: Function, kind: Kind, processor: Processor) -> None:
    arrays, zero = function.arrays, function.constant(0)
    rows, sweeps = function.integers.values()
    kept = function.variable(zero)
    with function.loop(zero, sweeps) as sweep:
        threshold = _thresholds(function, kind, processor, arrays["betas"][sweep])
        with function.loop(zero, rows) as row:
            word = _draw(function, kind, row)
            with function.when(arrays["frozen"][row] != -1):
                _update(function, kind, row, word, threshold)
        with function.when(arrays["keep"][kept.value] == sweep + 1):
            with function.loop(zero, rows) as row:
                arrays["out"][kept.value * rows + row] = arrays["states"][row]
            kept.value = kept.value + 1


def _update(
    function: Function, kind: Kind, row: Integers, word: Integers, threshold: Callable[[Integers], Integers]
) -> None:
    """The states of a row after an update."""
    arrays = function.arrays
    total = arrays["fields"].vectors()[row] if kind.pbit_lanes else _gathered_field(function, row)
    old = arrays["states"][row]
    changed = (next_state(total, word, threshold(abs(total))).recast(64) ^ old) & ~arrays["frozen"][row]
    arrays["states"][row] = old ^ changed
    if kind.pbit_lanes:
        _scatter(function, row, changed, old, kind.field_bits)


def _draw(function: Function, kind: Kind, row: Integers) -> Integers:
    """The random words of a row, whose registers move on."""
    if kind.shared:
        return _draw_of_pbits(function, kind, row) if kind.pbit_lanes else _draw_of_replicas(function, kind, row)
    registers = function.arrays["registers"].vectors()
    place = function.arrays["drawn"][row].resized(64) >> 2 if kind.turns else row
    words = _register(registers, place)
    if kind.generator is Generator.LFSR48:
        drawn = lfsr48_word(*words[:3])
    else:
        drawn = xoshiro_word(16 if kind.halves else 32, words[0], words[3]).resized(16)
    _move(function, kind, registers, place)
    return drawn


def _draw_of_replicas(function: Function, kind: Kind, row: Integers) -> Integers:
    """The random words of a p-bit in 64 replicas, whose register moves on before a first word is taken again."""
    registers, places = function.arrays["registers"].vectors(), function.arrays["drawn"]
    drawn = registers[places[row].resized(64)]
    with function.when((places[row + 1] & 3) == 0):
        _move(function, kind, registers, (places[row] >> 2).resized(64))
    return drawn


def _draw_of_pbits(function: Function, kind: Kind, row: Integers) -> Integers:
    """The random words of 64 p-bits, of 16 registers; the words of a register go to neighbouring p-bits."""
    count = LANES // kind.generator.share
    registers = function.arrays["registers"]
    held = registers.vectors()[row]
    drawn = held.shuffled(held, [lane % 4 * count + lane // 4 for lane in range(LANES)])
    _move(function, kind, registers.vectors(count), row)
    return drawn


def _register(registers: Array, place: Integers) -> list[Integers]:
    """The four vectors of a register."""
    return [registers[place * 4 + word] for word in range(4)]


def _move(function: Function, kind: Kind, registers: Array, place: Integers) -> None:
    """Move a register on for its next draw."""

    def update() -> None:
        for word, following in enumerate(_following(kind, _register(registers, place))):
            registers[place * 4 + word] = following

    if kind.interleave == 1:
        update()
        return
    with function.loop(function.constant(0), function.constant(kind.interleave)):
        update()


def _following(kind: Kind, words: list[Integers]) -> tuple[Integers, ...]:
    """A register after one update."""
    if kind.generator is Generator.LFSR48:
        return lfsr48_next(*words[:3])
    if kind.shared:
        return linear64_next(words)
    return xoshiro_next(16 if kind.halves else 32, *words)


def _gathered_field(function: Function, row: Integers) -> Integers:
    """`update.field` of a p-bit in 64 replicas."""
    arrays = function.arrays
    total = function.variable(arrays["fields"][row].spread())
    with function.loop(arrays["slot_first"][row].resized(64), arrays["slot_first"][row + 1].resized(64)) as slot:
        before = total.value
        neighbour = arrays["states"][arrays["neighbours"][slot].resized(64)].recast(1, LANES)
        total.value = neighbour.choose(before + arrays["weights"][slot], before)
    return total.value


def _scatter(function: Function, row: Integers, changed: Integers, old: Integers, field_bits: int) -> None:
    """Add what changed in a row to the fields of its neighbours."""
    arrays = function.arrays
    with function.each_bit(changed) as lane:
        pbit = row * LANES + lane
        sign = (function.constant(1) - ((old >> lane) & 1) * 2).resized(field_bits)
        with function.loop(arrays["slot_first"][pbit].resized(64), arrays["slot_first"][pbit + 1].resized(64)) as slot:
            neighbour = arrays["neighbours"][slot].resized(64)
            arrays["fields"][neighbour] = arrays["fields"][neighbour] + arrays["weights"][slot] * sign


def _thresholds(function: Function, kind: Kind, processor: Processor, beta: Integers) -> Callable[[Integers], Integers]:
    """A function from magnitudes of fields to thresholds at a beta."""
    thresholds = function.arrays["thresholds"]
    if not kind.short:

        def computed(magnitude: Integers) -> Integers:
            product = scaled(magnitude.resized(kind.product_bits), beta.resized(kind.product_bits), kind.shift)
            return thresholds.gather(product.at_most(ARGUMENT_LIMIT).resized(32)).resized(16)

        return computed
    table = thresholds.from_(beta.resized(64) * SHORT_FIELDS)
    if not processor.permutes:
        return lambda magnitude: table.gather(magnitude.resized(32))
    return _permuted(function, table.vectors(SHORT_FIELDS)[0])


def _permuted(function: Function, table: Integers) -> Callable[[Integers], Integers]:
    """A lookup in a table of 128 words that stays in vector registers, low and high bytes apart."""
    first, second = range(LANES), range(LANES, 2 * LANES)
    planes = [plane.resized(8) for plane in (table, table >> 8)]
    halves = [[plane.shuffled(plane, half) for half in (first, second)] for plane in planes]
    vector = halves[0][0].value.type
    permute = function.builder.module.declare_intrinsic(
        "llvm.x86.avx512.vpermi2var.qi.512", fnty=ir.FunctionType(vector, [vector] * 3)
    )
    interleaved = [place + plane for place in first for plane in (0, LANES)]

    def look_up(magnitude: Integers) -> Integers:
        low, high = (
            Integers(function.builder, function.builder.call(permute, [half.value, magnitude.value, other.value]))
            for half, other in halves
        )
        return low.shuffled(high, interleaved).recast(16, LANES)

    return look_up
