"""What the boards of one FPGA family have in common: its tools' words, files and options."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Family:
    """How the open tools build for a family.

    Parameters
    ----------
    cells, memories, multipliers : str
        What nextpnr's report calls logic cells, block RAMs and multipliers.
    flip_flop : str
        What the cell types of flip-flops start with in the synthesised netlist.
    bitstream : str
        Suffix of the file that is loaded.
    netlist : str
        What synthesis writes for place and route.
    options : str
        Of nextpnr.
    array_options : str
        Of nextpnr, for arrays: mostly LUTs, where engines are mostly block RAM.
    optimism : float
        By how much nextpnr's Fmax may exceed the true one; above 1, the lowest Fmax in its log counts.
    synthesis : str
        Options of Yosys' ``synth_*``.
    constraint : str
        Constrains the clock net ``{net}`` to ``{mhz}`` MHz, a period of ``{ns}`` ns.
    override : str
        Amaranth's override that takes constraints; "" if there is none and they go to `SDC`.
    """

    cells: str
    memories: str
    multipliers: str
    flip_flop: str
    bitstream: str
    netlist: str
    options: str = ""
    array_options: str = ""
    synthesis: str = ""
    optimism: float = 1.0
    constraint: str = ""
    override: str = ""


SDC = "clocks.sdc"
"""File of clock constraints."""

ICE40 = Family(
    cells="ICESTORM_LC",
    memories="ICESTORM_RAM",
    multipliers="ICESTORM_DSP",
    flip_flop="SB_DFF",
    bitstream=".bin",
    netlist="top.json",
    constraint="set_frequency {net} {mhz:g}",
    override="add_constraints",
)

ICE40_HX = replace(ICE40, multipliers="")  # it has none, and nextpnr does not report them

ECP5 = Family(
    cells="TRELLIS_COMB",
    memories="DP16KD",
    multipliers="MULT18X18D",
    flip_flop="TRELLIS_FF",
    bitstream=".bit",
    netlist="top.json",
    constraint='FREQUENCY NET "{net}" {mhz:g} MHZ;',
    override="add_preferences",
    # The default router stalls on nearly full parts.
    options="--router router2",
    # The default placer stalls where three quarters of the LUTs are used, and the static one where block RAMs are.
    array_options="--placer static",
)

GOWIN = Family(
    cells="LUT4",
    memories="BSRAM",
    multipliers="MULT18X18",
    flip_flop="DFF",
    bitstream=".fs",
    netlist="top.syn.json",
    options=f"--sdc {SDC}",
    # nextpnr leaves paths through a carry that leaves its chain out of its timing: the Fmax of four comparisons in a
    # row came out some seven times too high. It may also lose paths after routing that it knew before.
    synthesis="-noalu -nobram -nodsp",
    optimism=2.0,
    constraint="create_clock -name {net} -period {ns:.6f} [get_nets {net}]",
)
