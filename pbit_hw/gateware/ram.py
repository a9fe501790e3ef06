"""Block RAM of which no word is used that is read while it is written.

Amaranth's own synchronous ports give the old word then. Block RAM does not, so that tools add a register and a
multiplexer for every bit of a port, as much logic as there is in a lane. What the bus loads is written while nothing
runs, and a word that is read then is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

from amaranth import Module, Shape, Signal, Value
from amaranth.lib import memory


def block_ram(shape: int | Shape, depth: int, init: Sequence[int] = ()) -> memory.Memory:
    """A memory for `read`; at power-up its first words are ``init``, the others 0."""
    return memory.Memory(shape=shape, depth=depth, init=init, attrs={"no_rw_check": 1})


def read(m: Module, ram: memory.Memory, address: Value) -> Signal:
    """The word at an address, a clock later; in hardware anything if it is written in the clock of the address."""
    port = ram.read_port(domain="comb")
    # the register is the block's own, which has no value at power-up that tools could give it
    word = Signal(ram.shape, reset_less=True, attrs={"init": ""})
    m.d.comb += port.addr.eq(address)
    m.d.sync += word.eq(port.data)
    return word
