"""Code made by running Python: integers whose operators write LLVM instructions.

A function of the contract that is called with `Integers` is thereby compiled as
it stands, for scalars and for vectors, and its arithmetic is not written a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

LANES = 64
"""Width of every vector: one state word."""

_POINTER = ir.PointerType()


def _int(bits: int, lanes: int = 1) -> Any:
    return ir.IntType(bits) if lanes == 1 else ir.VectorType(ir.IntType(bits), lanes)


class Integers:
    """An integer in generated code, or a vector of them; arithmetic wraps.

    Plain integers and scalars on the other side of an operator are spread over the lanes.

    Parameters
    ----------
    builder : llvmlite.ir.IRBuilder
        Where the instructions go.
    value : llvmlite.ir.Value
        What it is.
    signed : bool
        How it is compared, shifted right and widened.
    """

    def __init__(self, builder: Any, value: Any, signed: bool = False) -> None:
        self.builder, self.value, self.signed = builder, value, signed
        self.lanes: int = getattr(value.type, "count", 1)
        self.bits: int = getattr(value.type, "element", value.type).width

    def _like(self, value: Any) -> Integers:
        return Integers(self.builder, value, self.signed)

    def _operand(self, other: Any) -> Any:
        if isinstance(other, Integers):
            return (other.spread() if other.lanes < self.lanes else other).value
        code = int(other) & ((1 << self.bits) - 1)
        return ir.Constant(self.value.type, code if self.lanes == 1 else [code] * self.lanes)

    def _compare(self, operator: str, other: Any) -> Integers:
        compare = self.builder.icmp_signed if self.signed else self.builder.icmp_unsigned
        return Integers(self.builder, compare(operator, self.value, self._operand(other)))

    def __add__(self, other: Any) -> Integers:
        return self._like(self.builder.add(self.value, self._operand(other)))

    def __sub__(self, other: Any) -> Integers:
        return self._like(self.builder.sub(self.value, self._operand(other)))

    def __mul__(self, other: Any) -> Integers:
        return self._like(self.builder.mul(self.value, self._operand(other)))

    def __and__(self, other: Any) -> Integers:
        return self._like(self.builder.and_(self.value, self._operand(other)))

    def __or__(self, other: Any) -> Integers:
        return self._like(self.builder.or_(self.value, self._operand(other)))

    def __xor__(self, other: Any) -> Integers:
        return self._like(self.builder.xor(self.value, self._operand(other)))

    def __lshift__(self, other: Any) -> Integers:
        return self._like(self.builder.shl(self.value, self._operand(other)))

    def __rshift__(self, other: Any) -> Integers:
        shift = self.builder.ashr if self.signed else self.builder.lshr
        return self._like(shift(self.value, self._operand(other)))

    def __invert__(self) -> Integers:
        return self._like(self.builder.not_(self.value))

    def __lt__(self, other: Any) -> Integers:
        return self._compare("<", other)

    def __ge__(self, other: Any) -> Integers:
        return self._compare(">=", other)

    def __eq__(self, other: Any) -> Integers:  # type: ignore[override]
        return self._compare("==", other)

    def __ne__(self, other: Any) -> Integers:  # type: ignore[override]
        return self._compare("!=", other)

    def __abs__(self) -> Integers:
        """Magnitude, unsigned; right for every value but the most negative."""
        return Integers(self.builder, (self < 0).choose(self * -1, self).value)

    def choose(self, yes: Integers, no: Integers) -> Integers:
        """``yes`` where this bit is 1, else ``no``."""
        return yes._like(self.builder.select(self.value, yes.value, no.value))

    def at_most(self, limit: int) -> Integers:
        """The smaller of each integer and a limit."""
        return (self < limit).choose(self, self._like(self._operand(limit)))

    def at_least(self, limit: int) -> Integers:
        """The larger of each integer and a limit."""
        return (self >= limit).choose(self, self._like(self._operand(limit)))

    def ones(self) -> Integers:
        """How many bits are 1."""
        return self._like(self.builder.ctpop(self.value))

    def resized(self, bits: int) -> Integers:
        """The same integers, or their low bits, in another width."""
        if bits == self.bits:
            return self
        widen = self.builder.sext if self.signed else self.builder.zext
        change = widen if bits > self.bits else self.builder.trunc
        return self._like(change(self.value, _int(bits, self.lanes)))

    def spread(self) -> Integers:
        """A scalar in every lane."""
        empty = ir.Constant(_int(self.bits, LANES), ir.Undefined)
        first = self.builder.insert_element(empty, self.value, ir.Constant(_int(32), 0))
        return self._like(self.builder.shuffle_vector(first, empty, ir.Constant(_int(32, LANES), [0] * LANES)))

    def recast(self, bits: int, lanes: int = 1) -> Integers:
        """The same bits, cut into lanes in another way; lane 0 is lowest."""
        return Integers(self.builder, self.builder.bitcast(self.value, _int(bits, lanes)))

    def shuffled(self, other: Integers, places: Sequence[int]) -> Integers:
        """Lanes of two vectors, those of ``other`` counted on."""
        chosen = ir.Constant(_int(32, len(places)), list(places))
        return self._like(self.builder.shuffle_vector(self.value, other.value, chosen))


class Array:
    """An array in memory, of integers or of vectors of them, read and written by index.

    Parameters
    ----------
    builder, pointer
        Where instructions go, and the address of its first element.
    bits, lanes : int
        Of an element.
    signed : bool
        Of an element.
    """

    def __init__(self, builder: Any, pointer: Any, bits: int, lanes: int = 1, signed: bool = False) -> None:
        self.builder, self.pointer, self.signed = builder, pointer, signed
        self._bits, self._lanes = bits, lanes

    def address(self, index: Integers | int) -> Any:
        """Address of an element."""
        if isinstance(index, int):
            index = Integers(self.builder, ir.Constant(_int(64), index))
        return self.builder.gep(self.pointer, [index.value], source_etype=_int(self._bits, self._lanes))

    def vectors(self, lanes: int = LANES) -> Array:
        """The same memory in vectors of so many elements."""
        return Array(self.builder, self.pointer, self._bits, lanes, self.signed)

    def from_(self, index: Integers) -> Array:
        """The part of the array that starts at an element."""
        return Array(self.builder, self.address(index), self._bits, self._lanes, self.signed)

    def __getitem__(self, index: Integers | int) -> Integers:
        loaded = self.builder.load(self.address(index), typ=_int(self._bits, self._lanes), align=self._align)
        return Integers(self.builder, loaded, self.signed)

    def __setitem__(self, index: Integers | int, value: Integers) -> None:
        self.builder.store(value.value, self.address(index), align=self._align)

    @property
    def _align(self) -> int:
        return min(self._bits * self._lanes // 8, LANES)

    def gather(self, index: Integers) -> Integers:
        """Elements at a vector of indices."""
        addresses, lanes = self.address(index), index.lanes
        addresses.type = ir.VectorType(_POINTER, lanes)  # llvmlite takes every address for a scalar
        kind = _int(self._bits, lanes)
        function = self.builder.module.declare_intrinsic(
            f"llvm.masked.gather.v{lanes}i{self._bits}.v{lanes}p0",
            fnty=ir.FunctionType(kind, [addresses.type, _int(32), _int(1, lanes), kind]),
        )
        everywhere = ir.Constant(_int(1, lanes), [1] * lanes)
        align = ir.Constant(_int(32), self._bits // 8)
        loaded = self.builder.call(function, [addresses, align, everywhere, ir.Constant(kind, ir.Undefined)])
        return Integers(self.builder, loaded, self.signed)


class Variable:
    """A place that holds an integer or a vector, and may be set again."""

    def __init__(self, builder: Any, initial: Integers) -> None:
        self._builder, self._signed = builder, initial.signed
        with builder.goto_entry_block():
            self._place = builder.alloca(initial.value.type)
        self.value = initial

    @property
    def value(self) -> Integers:
        """What it holds where this is read."""
        return Integers(self._builder, self._builder.load(self._place, typ=self._place.allocated_type), self._signed)

    @value.setter
    def value(self, value: Integers) -> None:
        self._builder.store(value.value, self._place)


class Function:
    """A function under construction, without a result; its arrays do not overlap.

    Parameters
    ----------
    name : str
        Its name in its module.
    arrays : mapping of str to (int, bool)
        Bits of an element, and whether it is signed; passed as addresses.
    integers : sequence of str
        64-bit parameters, after the arrays.
    """

    def __init__(self, name: str, arrays: Mapping[str, tuple[int, bool]], integers: Sequence[str]) -> None:
        self.name = name
        self.parameters = len(arrays) + len(integers)
        module = ir.Module(name)
        kinds = [_POINTER] * len(arrays) + [_int(64)] * len(integers)
        self._function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), name)
        self.builder = ir.IRBuilder(self._function.append_basic_block())
        pointers = self._function.args[: len(arrays)]
        for pointer in pointers:
            pointer.add_attribute("noalias")
        self.arrays = {
            array: Array(self.builder, pointer, bits, signed=signed)
            for pointer, (array, (bits, signed)) in zip(pointers, arrays.items(), strict=True)
        }
        values = self._function.args[len(arrays) :]
        self.integers = {integer: self._integer(value) for integer, value in zip(integers, values, strict=True)}

    def _integer(self, value: Any) -> Integers:
        return Integers(self.builder, value, signed=True)

    def text(self) -> str:
        """Its module as LLVM assembly."""
        self.builder.ret_void()
        return str(self._function.module)

    def constant(self, value: int, bits: int = 64) -> Integers:
        """A scalar."""
        return self._integer(ir.Constant(_int(bits), value))

    def variable(self, initial: Integers) -> Variable:
        """A place that may be set again."""
        return Variable(self.builder, initial)

    @contextmanager
    def repeat_while(self) -> Iterator[Any]:
        """A loop; yields a function that is called once, at its head, with whether to go on."""
        head, body, after = (self._function.append_basic_block(name) for name in ("head", "body", "after"))
        self.builder.branch(head)
        self.builder.position_at_end(head)

        def go_on(condition: Integers) -> None:
            self.builder.cbranch(condition.value, body, after)
            self.builder.position_at_end(body)

        yield go_on
        self.builder.branch(head)
        self.builder.position_at_end(after)

    @contextmanager
    def loop(self, start: Integers, stop: Integers) -> Iterator[Integers]:
        """A loop over integers from ``start`` to before ``stop``."""
        counter = self.variable(start)
        with self.repeat_while() as go_on:
            index = counter.value
            go_on(index < stop)
            yield index
            counter.value = index + 1

    @contextmanager
    def each_bit(self, word: Integers) -> Iterator[Integers]:
        """A loop over the places of the bits that are 1, lowest first."""
        rest = self.variable(word)
        with self.repeat_while() as go_on:
            left = rest.value
            go_on(left != 0)
            place = self.builder.cttz(left.value, ir.Constant(_int(1), 1))
            yield self._integer(place)
            rest.value = left & (left - 1)

    @contextmanager
    def when(self, condition: Integers) -> Iterator[None]:
        """Code that runs if a bit is 1."""
        with self.builder.if_then(condition.value):
            yield
