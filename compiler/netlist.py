"""Yosys' JSON netlists as circuits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..contract.errors import ModelError
from .circuits import Circuit

_GATES = {
    "$_AND_": ("AND", "ABY", ""),
    "$_OR_": ("OR", "ABY", ""),
    "$_XOR_": ("XOR", "ABY", ""),
    "$_NAND_": ("NAND", "ABY", ""),
    "$_NOR_": ("NOR", "ABY", ""),
    "$_XNOR_": ("XNOR", "ABY", ""),
    "$_ANDNOT_": ("AND", "ABY", "B"),
    "$_ORNOT_": ("OR", "ABY", "B"),
    "$_MUX_": ("MUX", "ABSY", ""),
    "$_NMUX_": ("MUX", "ABSY", "Y"),
    "$fa": ("FULL_ADDER", "ABCYX", ""),
    "half adder": ("HALF_ADDER", "ABYX", ""),
}
"""Cell to gate, the cell's pins in the gate's order, and those that are inverted."""

_WIRES = {"$_NOT_": "~", "$_BUF_": "", "$pos": ""}
_MEMORIES = ("ff", "latch", "$mem", "$_DFF", "$_SDFF", "$_DLATCH", "$_SR", "$_ALDFF")

_Cell = tuple[str, str, dict[str, Any]]
"""Name, type, and bit of each pin."""


def read_netlist(netlist: Mapping[str, Any], top: str | None = None) -> Circuit:
    """The circuit of a combinational netlist.

    Ports keep their names, bits of a bus being ``name[0]``, the lowest, and so on; inner nets have the names of the
    source where it names them.

    Parameters
    ----------
    netlist : mapping
        What Yosys' ``write_json`` wrote, of gates after ``simplemap`` and of ``$fa``.
    top : str, optional
        Module; the one marked as top, or else the first, by default.

    Raises
    ------
    ModelError
        If there is no such module, or it has memory, inout ports, x or z, unknown cells, or nets that are not driven
        exactly once.
    """
    module = _module(netlist, top)
    circuit = Circuit()
    names = _Names(module, circuit)
    cells = _with_half_adders([cell for item in module["cells"].items() for cell in _bit_cells(*item)])
    _check_drivers(module, cells, names)
    for name, kind, pins in cells:
        if kind in _WIRES:
            circuit.connect(names[pins["Y"]], _WIRES[kind] + names[pins["A"]])
            continue
        gate, order, inverted = _GATES[kind]
        nets = (("~" if pin in inverted else "") + names[pins[pin]] for pin in order)
        circuit.add(gate, *nets, name=name)
    return circuit


def _module(netlist: Mapping[str, Any], top: str | None) -> Mapping[str, Any]:
    modules = netlist.get("modules", {})
    marked = [name for name, module in modules.items() if int(module.get("attributes", {}).get("top", "0"), 2)]
    chosen = top or [*marked, *modules, ""][0]
    if chosen not in modules:
        raise ModelError(f"the netlist has no module {chosen!r}; its modules are {', '.join(modules) or 'none'}")
    found: Mapping[str, Any] = modules[chosen]
    return found


class _Names:
    """Net of each bit of a netlist; declares the ports."""

    def __init__(self, module: Mapping[str, Any], circuit: Circuit) -> None:
        self._names: dict[Any, str] = {"0": "0", "1": "1"}
        for port, entry in module["ports"].items():
            if entry["direction"] not in ("input", "output"):
                raise ModelError(f"port {port} is {entry['direction']}; a circuit needs input and output ports")
            bits = entry["bits"]
            for bit, net in zip(bits, circuit.port(port, None if len(bits) == 1 else len(bits)), strict=True):
                if bit in self._names:
                    circuit.connect(net, self[bit])
                elif bit in ("x", "z"):
                    raise ModelError(f"{net} is {bit}; give every output a value of 0 or 1 for all inputs")
                else:
                    self._names[bit] = net
        for wire, entry in module["netnames"].items():
            bits = entry["bits"]
            for place, bit in enumerate(bits):
                if not entry["hide_name"]:
                    self._names.setdefault(bit, wire if len(bits) == 1 else f"{wire}[{place}]")

    def __getitem__(self, bit: Any) -> str:
        return self._names.get(bit, f"$net{bit}")


def _bit_cells(name: str, cell: Mapping[str, Any]) -> list[_Cell]:
    """A cell of one bit as it is, or each bit of a wider one."""
    kind, pins = cell["type"], cell["connections"]
    if any(part in kind for part in _MEMORIES):
        raise ModelError(f"{name} is a {kind}, which remembers; only combinational logic has a truth table")
    if kind not in _GATES and kind not in _WIRES:
        raise ModelError(f"{name} is a {kind}, which is no gate; map it to gates with Yosys' techmap and simplemap")
    for pin, bits in pins.items():
        for bit in bits:
            if bit in ("x", "z"):
                raise ModelError(f"pin {pin} of {name} is {bit}; give every net a value of 0 or 1 for all inputs")
    width = len(pins["Y"])
    return [
        (name if width == 1 else f"{name}[{i}]", kind, {pin: bits[i] for pin, bits in pins.items()})
        for i in range(width)
    ]


def _with_half_adders(cells: list[_Cell]) -> list[_Cell]:
    """Cells with an XOR and an AND of the same nets as one half adder, whose carry is the XOR's auxiliary."""
    carries = {frozenset((pins["A"], pins["B"])): name for name, kind, pins in cells if kind == "$_AND_"}
    outputs = {name: pins["Y"] for name, _, pins in cells if "Y" in pins}
    merged, absorbed = [], set()
    for name, kind, pins in cells:
        carry = carries.pop(frozenset((pins["A"], pins["B"])), None) if kind == "$_XOR_" else None
        if carry is not None:
            absorbed.add(carry)
            kind, pins = "half adder", pins | {"X": outputs[carry]}
        merged.append((name, kind, pins))
    return [cell for cell in merged if cell[0] not in absorbed]


def _check_drivers(module: Mapping[str, Any], cells: list[_Cell], names: _Names) -> None:
    """Raise unless every net is driven once, by a cell or an input."""
    ports = module["ports"].values()
    driven = Counter(bit for port in ports if port["direction"] == "input" for bit in port["bits"])
    driven.update(pins[pin] for _, _, pins in cells for pin in "XY" if pin in pins)
    used = {bit for port in ports if port["direction"] == "output" for bit in port["bits"]}
    used |= {bit for _, _, pins in cells for pin, bit in pins.items() if pin not in "XY"}
    for bit in (used | set(driven)) - {"0", "1"}:
        if driven[bit] != 1:
            count = "nothing" if not driven[bit] else f"{driven[bit]} cells"
            raise ModelError(f"net {names[bit]} is driven by {count}; drive it once")
