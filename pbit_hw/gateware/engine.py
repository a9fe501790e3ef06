"""What the engines for many graphs have in common: their members, and how loader and pacer serve them."""

from __future__ import annotations

from typing import Any

from amaranth import Const, Module, Value
from amaranth.lib.wiring import In, Out

from .loader import ADDRESS_BITS, WORD_BITS, Loader
from .update import delayed


def engine_members(beta_bits: int) -> dict[str, Any]:
    """The bus of an engine, and what it says of itself, see `tiled.Tiled`."""
    return {
        "write": In(1),
        "address": In(ADDRESS_BITS),
        "data": In(WORD_BITS),
        "ready": Out(1),
        "running": Out(1),
        "home": Out(1),
        "sweeps_left": Out(WORD_BITS),
        "beta": Out(beta_bits),
        "state": Out(WORD_BITS),
        "landed": Out(1),
    }


def attach(m: Module, engine: Any, loader: Loader, pacer: Any, busy: Value = Const(0)) -> None:  # noqa: B008
    """Connect an engine's bus, its runs and its beta; it takes no word while it is ``busy``."""
    m.submodules.loader, m.submodules.pacer = loader, pacer
    m.d.comb += [
        loader.write.eq(engine.write & ~busy),
        loader.address.eq(engine.address),
        loader.data_in.eq(engine.data),
        loader.running.eq(engine.running),
        engine.ready.eq(loader.ready & ~busy),
        engine.running.eq(pacer.running | pacer.start),
        engine.home.eq(loader.home),
        engine.sweeps_left.eq(pacer.sweeps_left),
        pacer.sweeps.eq(loader.data),
    ]
    # the word stands for a clock more, which saves its decoding from being on the way to everything
    m.d.sync += [pacer.start.eq(loader.start & loader.data.any()), pacer.stop.eq(loader.stop)]
    with m.If(delayed(m, loader.beta, 1)):
        m.d.sync += engine.beta.eq(loader.data)
