"""Fill the tables of docs/contract.md from the contract itself, and those of docs/boards.md from recorded builds.

python docs/generate.py

A table stands between ``<!-- table NAME -->`` and ``<!-- end -->``; the text
around it is written by hand.
"""

from __future__ import annotations

import ast
import enum
import hashlib
import inspect
import json
import re
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from pbit_hw.contract import activation, container, link
from pbit_hw.contract.engines import ENGINES
from pbit_hw.contract.formats import MAX_BITS, SignedFormat, UnsignedFormat
from pbit_hw.contract.generator import LFSR48_LEAP, LFSR48_SPACING, SPACING64, WORD_BITS, Generator
from pbit_hw.contract.registers import REGISTERS, address
from pbit_hw.contract.targets import TARGETS

FOLDER = Path(__file__).parent
PAGES = ("contract.md", "boards.md")
INTEGERS = {"B": "u8", "H": "u16", "I": "u32"}


def table(head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def member_texts(kind: type[enum.Enum]) -> dict[str, str]:
    """The docstrings below the members of an enumeration."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for member, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            (target,) = member.targets
            texts[ast.unparse(target)] = str(text.value.value).rstrip(".").replace("``", "`")
    return texts


def formats() -> str:
    """Examples of fixed-point formats."""
    rows = [
        (f"`{fmt}`", fmt.bits, f"{-fmt.limit if isinstance(fmt, SignedFormat) else 0} to {fmt.limit}", fmt.step, text)
        for fmt, text in (
            (SignedFormat.parse("s[1][0]"), "weights ±1"),
            (SignedFormat.parse("s[4][6]"), "weights of a model that is to be trained"),
            (SignedFormat(-2, 6), "small weights: magnitudes below 1/4"),
            (UnsignedFormat.parse("u[3][9]"), "inverse temperature, unless told otherwise"),
        )
    ]
    limits = f"\n\nA format has 1 to {MAX_BITS} bits besides the sign."
    return table(("format", "bits", "codes", "step", "for"), rows) + limits


def nodes() -> str:
    """The nodes of the activation at whole x, and the digest of the whole table."""
    per_unit = 1 << activation.NODE_FRAC_BITS
    arguments = np.arange(activation.ARGUMENT_LIMIT + 1) / 2**activation.ARGUMENT_FRAC_BITS
    error = np.abs(activation.TABLE / 65536 - 1 / (1 + np.exp(arguments))).max()
    whole = [(x, x * per_unit, activation.NODES[x * per_unit]) for x in range(14)]
    rows = [(x, k, node, f"{node / 65536:.6f}") for x, k, node in whole]
    digest = hashlib.sha256(activation.TABLE.astype("<i4").tobytes()).hexdigest()
    return (
        table(("x", "node", "threshold", "as a chance"), rows)
        + f"\n\nThere are {len(activation.NODES)} nodes and {len(activation.TABLE)} thresholds; the largest error of a "
        f"chance is {error:.1e}.\nSHA-256 of the thresholds as little-endian 32-bit words: `{digest}`."
    )


def generators() -> str:
    """The kinds of generator."""
    texts = {
        Generator.XOSHIRO128: ("1 step", "high half of the ++ output", "2^64 steps", "2^128 - 1"),
        Generator.XOSHIRO64: ("1 step", "the ++ output", f"{SPACING64} steps", "2^64 - 1"),
        Generator.LFSR48: (f"{LFSR48_LEAP} shifts", "high bits of the sum", f"{LFSR48_SPACING} shifts", "2^48 - 1"),
        Generator.LINEAR64: ("1 step", "a quarter of the register", f"{SPACING64} steps", "2^64 - 1"),
    }
    rows = [(f"`{kind.name}`", int(kind), kind.bits, kind.words, kind.share, *texts[kind]) for kind in Generator]
    word = f"random word ({WORD_BITS} bits)"
    head = ("kind", "value", "bits", "words", "p-bits", "one update", word, "between two streams", "period")
    return table(head, rows)


def registers() -> str:
    """The register map."""
    rows = [
        (f"`{address(r.region, r.offset):#010x}`", r.name, r.count, r.access, r.text.replace("p % 32", "p mod 32"))
        for r in REGISTERS
    ]
    return table(("address", "name", "words", "access", "meaning"), rows)


def _fields(packed: struct.Struct, names: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """Name, type and offset of each field of a packed structure."""
    fields, offset = [], 0
    for code, name in zip(re.findall(r"\d*[a-zA-Z]", packed.format), names, strict=True):
        fields.append((name, INTEGERS.get(code, f"{code[:-1]} bytes"), offset))
        offset += struct.calcsize("<" + code)
    return fields


def frame() -> str:
    """Layout of a frame."""
    (sync, length, opcode, sequence) = _fields(link.HEADER, ("sync", "length", "opcode", "sequence"))
    (crc,) = _fields(link.CRC, ("crc",))
    rows = [
        (sync[2], *sync[:2], f"`{link.SYNC:#04x}`"),
        (length[2], *length[:2], "bytes of payload"),
        (opcode[2], *opcode[:2], "what is asked"),
        (sequence[2], *sequence[:2], "comes back in the answer"),
        (link.HEADER.size, "payload", "length bytes", "see the opcodes"),
        (f"{link.HEADER.size} + length", *crc[:2], "CRC-16/IBM-3740 of all bytes from length to the payload's last"),
    ]
    return table(("offset", "field", "type", "meaning"), rows)


def opcodes() -> str:
    """The opcodes."""
    texts = member_texts(link.Opcode)
    return table(
        ("opcode", "value", "payload -> answer"), ((o.name, f"`{int(o):#04x}`", texts[o.name]) for o in link.Opcode)
    )


def refusals() -> str:
    """The reasons of a refusal."""
    texts = member_texts(link.Refusal)
    return table(("reason", "value", "meaning"), ((r.name, int(r), texts[r.name]) for r in link.Refusal))


def file_layout() -> str:
    """Layout of a file."""
    texts = (f"`{container.MAGIC.decode()}`", f"{container.FILE_VERSION}", "bytes of the header")
    head = _fields(container.HEAD, ("magic", "version", "header length"))
    rows = [(offset, name, kind, text) for (name, kind, offset), text in zip(head, texts, strict=True)]
    rest = [
        (container.HEAD.size, "header", "JSON, UTF-8", "`meta`, and of every array its name, dtype and shape"),
        ("then", "arrays", ", ".join(f"`{dtype}`" for dtype in sorted(container.DTYPES)), "in the header's order"),
        ("last 32", "digest", "32 bytes", "SHA-256 of every byte before it"),
    ]
    return table(("offset", "field", "type", "contents"), [*rows, *rest])


def boards() -> str:
    """Boards, and what their parts hold."""
    head = ("board", "name", "part", "LUTs", "flip-flops", "block RAMs", "multipliers")
    rows = (
        (each.title, f"`{each.name}`", each.part, f"{each.luts:,}", f"{each.ffs:,}", each.brams, each.multipliers)
        for each in TARGETS.values()
    )
    return table(head, rows)


def engines() -> str:
    """Engines of boards."""
    head = ("engine", "board", "kind", "p-bits", "lanes", "replicas", "for")
    rows = (
        (
            f"`{name}`",
            TARGETS[each.board].title,
            each.shape.kind.name.lower(),
            f"{each.shape.sizes[0]:,}",
            each.shape.lanes,
            each.shape.interleave,
            each.text,
        )
        for name, each in ENGINES.items()
    )
    return table(head, rows)


def builds() -> str:
    """What was built, by board and rate."""
    records = [json.loads(path.read_text()) for path in sorted((FOLDER / "builds").glob("*.json"))]
    order = list(TARGETS)
    records.sort(key=lambda each: (order.index(each["board"]), each["form"], each["flips_per_s"]))
    head: tuple[str, ...] = (
        "board",
        "program",
        "form",
        "p-bits",
        "degree",
        "colours",
        "replicas",
        "LUTs",
        "flip-flops",
        "block RAMs",
    )
    head += (
        "Fmax",
        "clock",
        "Gflips/s",
        "Msweeps/s of each replica",
        "kflips/s per LUT",
        "build",
        "memory",
        "`benchmarks/boards.py`",
    )
    return table(head, (_build_row(record) for record in records))


def _build_row(record: dict[str, Any]) -> tuple[object, ...]:
    target, minutes = TARGETS[record["board"]], record["wall_ns"] / 6e10
    return (
        target.title,
        f"`{record['program']}`",
        record["form"],
        *(record[key] for key in ("pbits", "degree", "colours", "interleave")),
        f"{record['luts']:,} ({100 * record['luts'] / target.luts:.0f} %)",
        f"{record['ffs']:,}",
        record["brams"],
        f"{record['fmax_hz'] / 1e6:.1f} MHz",
        f"{record['clock_hz'] / 1e6:.2f} MHz",
        f"{record['flips_per_s'] / 1e9:.3g}",
        f"{record['sweeps_per_s'] / 1e6:.3g}",
        f"{record['flips_per_s'] / record['luts'] / 1e3:,.0f}",
        f"{minutes:.0f} min",
        f"{record['peak_bytes'] / 2**30:.1f} GiB",
        f"`{record['name']}`",
    )


TABLES: dict[str, Callable[[], str]] = {
    "formats": formats,
    "nodes": nodes,
    "generators": generators,
    "registers": registers,
    "frame": frame,
    "opcodes": opcodes,
    "refusals": refusals,
    "file": file_layout,
    "boards": boards,
    "engines": engines,
    "builds": builds,
}


def filled(text: str) -> str:
    """A page with every table as the contract or the records have it."""
    pattern = r"(<!-- table (\w+) -->\n).*?(<!-- end -->)"
    return re.sub(pattern, lambda match: f"{match[1]}{TABLES[match[2]]()}\n{match[3]}", text, flags=re.DOTALL)


if __name__ == "__main__":
    for page in PAGES:
        path = FOLDER / page
        path.write_text(filled(path.read_text()))
