"""Byte streams into and out of simulated RTL: what `Transport` is to a board."""

from __future__ import annotations

from collections import deque
from typing import Any

from amaranth.sim import Simulator

from pbit_hw.contract.errors import LinkError


class RTLTransport:
    """A `Transport` to a component with byte streams ``rx`` and ``tx``, run by Amaranth's simulator.

    Time passes only while bytes are read, and counts in the component's own
    clocks.

    Parameters
    ----------
    component : wiring.Component
        With ``rx: In(stream.Signature(8))`` and ``tx: Out(stream.Signature(8))``.
    clock_hz : int
        What a second is.
    """

    def __init__(self, component: Any, clock_hz: int) -> None:
        self.clocks = 0
        self._clock_hz = clock_hz
        self._to_device: deque[int] = deque()
        self._from_device: deque[int] = deque()
        self._component = component
        self.simulator = Simulator(component)
        self.simulator.add_clock(1 / clock_hz)
        self.simulator.add_process(self._pump)

    async def _pump(self, ctx: Any) -> None:
        rx, tx = self._component.rx, self._component.tx
        ctx.set(tx.ready, 1)
        async for _, _, taken, given, byte in ctx.tick().sample(rx.valid & rx.ready, tx.valid, tx.payload):
            self.clocks += 1
            if taken:
                self._to_device.popleft()
            if given:
                self._from_device.append(byte)
            ctx.set(rx.valid, bool(self._to_device))
            ctx.set(rx.payload, self._to_device[0] if self._to_device else 0)

    def pass_clocks(self, count: int) -> None:
        """Let time pass."""
        until = self.clocks + count
        while self.clocks < until:
            self.simulator.advance()

    def write(self, data: bytes) -> None:
        """Queue bytes for the device."""
        self._to_device.extend(data)

    def read(self, count: int, timeout_s: float) -> bytes:
        """Let time pass until so many bytes came."""
        waiting, since = len(self._from_device), self.clocks
        while waiting < count:
            self.simulator.advance()
            if len(self._from_device) > waiting or self._to_device:
                waiting, since = len(self._from_device), self.clocks
            if self.clocks - since > timeout_s * self._clock_hz:
                self._from_device.clear()
                raise LinkError(f"the RTL sent {waiting} of {count} bytes in {timeout_s} s")
        return bytes(self._from_device.popleft() for _ in range(count))

    def close(self) -> None:
        """Nothing to let go of."""
