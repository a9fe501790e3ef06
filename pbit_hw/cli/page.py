"""A compile report as one HTML file with its pictures in it."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..compiler.explain import explain
from ..compiler.fidelity import Fidelity
from ..compiler.program import Program
from ..contract.container import write_whole
from ..contract.errors import RequestError
from .picture import BLUE, ORANGE, new_figure

MOST_DRAWN = 150
"""P-bits up to which the graph is drawn."""

MOST_TICKS = 12

CELLS = 200
"""Most rows of the picture of the couplings' matrix."""

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; } td, th { padding: .2rem .9rem .2rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; } tbody tr:nth-child(odd) { background: #f6f6f6; } td.number { text-align: right; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; } .pictures svg { height: auto; max-width: 100%; }
.yes { color: #00724d; } .no { color: #b3400a; }
"""


def write_page(path: str, program: Program, title: str, rows: Sequence[Fidelity]) -> None:
    """Write the report to a file, whole or not at all; see `page`.

    Raises
    ------
    RequestError
        If the file cannot be written.
    """
    try:
        write_whole(path, page(program, title, rows).encode())
    except OSError as error:
        raise RequestError(f"cannot write page {path}: {error.strerror}; give a folder that exists") from error


def page(program: Program, title: str, rows: Sequence[Fidelity]) -> str:
    """The report as HTML.

    Parameters
    ----------
    program : Program
    title : str
        Heading.
    rows : sequence of Fidelity
        What other numbers of weight bits would do.

    Raises
    ------
    ToolError
        If matplotlib is not installed.
    """
    pictures = [_matrix(program), _degrees(program), _weights(program)]
    if program.image.size <= MOST_DRAWN:
        pictures.insert(0, _graph(program))
    sections = (
        ("What the compiler did", _list(explain(program))),
        ("Graph and couplings", _pictures(pictures)),
        ("What if weights had fewer or more bits", _divergences(rows) + _what_if(rows)),
        ("Boards", _boards(program)),
    )
    body = "".join(f"<h2>{html.escape(name)}</h2>\n{content}\n" for name, content in sections)
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    heading = f"<h1>{html.escape(title)}</h1>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{heading}\n{body}</body></html>\n'


def what_if_rows(rows: Iterable[Fidelity]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the table of fidelities, for people."""
    rows = list(rows)
    enumerated = all(row.exact for row in rows)
    names = ["bits", "format", "scale", "largest error", "clipped", "KL" if enumerated else "KL, leading order"]
    cells = []
    for row in rows:
        fields = row.to_json()
        cell = [str(fields["bits"]), fields["weight_format"], f"{fields['weight_scale']:.4g}"]
        cell += [f"{fields['max_error']:.2g}", str(fields["saturated"]), f"{row.kl:.2g}"]
        if enumerated:
            cell.append("-" if row.gap is None or row.kept_gap is None else f"{row.kept_gap:.3g} of {row.gap:.3g}")
        cells.append(cell)
    return names + (["gap left"] if enumerated else []), cells


def _list(lines: Iterable[str]) -> str:
    items = "".join("<tr><th>{}</th><td>{}</td></tr>".format(*map(html.escape, line.split(": ", 1))) for line in lines)
    return f"<table><tbody>{items}</tbody></table>"


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _what_if(rows: Sequence[Fidelity]) -> str:
    names, cells = what_if_rows(rows)
    return _table(names, [[html.escape(cell) for cell in row] for row in cells])


def _boards(program: Program) -> str:
    rows = []
    for name, fit in program.report.boards.items():
        kind, verdict = ("yes", "likely fits") if fit.likely else ("no", "likely too large")
        if fit.reasons:
            verdict = "does not fit: " + "; ".join(fit.reasons)
        luts = f"about {fit.luts:,} of {fit.target.luts:,}"
        ffs = f"at least {fit.demand.ffs:,} of {fit.target.ffs:,}"
        rows.append([html.escape(name), f'<span class="{kind}">{html.escape(verdict)}</span>', luts, ffs])
    return _table(["board", "verdict", "LUTs", "flip-flops"], rows)


def _pictures(pictures: Iterable[str]) -> str:
    return f'<div class="pictures">{"".join(pictures)}</div>'


def _svg(figure: Any) -> str:
    """The figure as an element of HTML."""
    data = io.StringIO()
    figure.savefig(data, format="svg")
    text = data.getvalue()
    return text[text.index("<svg") :]


def _axes(title: str, width: float = 4.6, height: float = 3.6) -> tuple[Any, Any]:
    figure = new_figure("pbit compile --html")
    figure.set_size_inches(width, height)
    axes = figure.add_subplot()
    axes.set_title(title, fontsize="medium")
    return figure, axes


def _graph(program: Program) -> str:
    import networkx as nx
    from matplotlib.collections import LineCollection

    image = program.image
    graph: Any = nx.Graph()
    graph.add_nodes_from(range(image.size))
    graph.add_edges_from(zip(image.owners.tolist(), image.neighbours.tolist(), strict=True))
    layout = nx.spring_layout(graph, seed=0)
    places = np.array([layout[p] for p in range(image.size)])
    figure, axes = _axes("p-bits by colour; positive couplings solid, negative dashed")
    ends = np.stack([image.owners, image.neighbours], axis=1)
    for sign, style, colour in ((1, "solid", BLUE), (-1, "dashed", ORANGE)):
        lines = list(places[ends[(image.weights * sign > 0) & (image.owners < image.neighbours)]])
        axes.add_collection(LineCollection(lines, linestyle=style, colors=colour, linewidths=0.8, zorder=1))
    axes.scatter(*places.T, c=image.colour, cmap="tab20", s=60 if image.size <= 40 else 20, edgecolors="k", zorder=2)
    if image.size <= 40:
        for p, place in enumerate(places):
            label = str(program.target.labels[program.order[p]])
            axes.annotate(label, place, xytext=(5, 5), textcoords="offset points", fontsize=7)
    axes.set_axis_off()
    return _svg(figure)


def _matrix(program: Program) -> str:
    image = program.image
    cells = min(image.size, CELLS)
    edges = np.linspace(0, image.size, cells + 1)
    counts, _, _ = np.histogram2d(image.owners, image.neighbours, bins=(edges, edges))
    figure, axes = _axes("couplings, p-bits sorted by colour")
    axes.imshow(np.where(counts > 0, counts, np.nan), cmap="viridis", extent=(0, image.size, image.size, 0))
    for first in image.colour_first[1:-1]:
        axes.axhline(first, color=ORANGE, linewidth=0.8)
        axes.axvline(first, color=ORANGE, linewidth=0.8)
    axes.set_xlabel("p-bit")
    axes.set_ylabel("p-bit")
    return _svg(figure)


def _degrees(program: Program) -> str:
    figure, axes = _axes("neighbours of a p-bit", height=3)
    histogram = program.report.degree_histogram
    axes.bar(list(histogram), list(histogram.values()), color=BLUE)
    axes.set_xlabel("degree")
    axes.set_ylabel("p-bits")
    if len(histogram) <= MOST_TICKS:
        axes.set_xticks(list(histogram))
    axes.yaxis.get_major_locator().set_params(integer=True)
    return _svg(figure)


def _weights(program: Program) -> str:
    figure, axes = _axes("couplings and biases as quantised", height=3)
    quantised = program.quantised
    shown = {"couplings": (quantised.couplings, BLUE), "biases": (quantised.biases, ORANGE)}
    shown = {name: entry for name, entry in shown.items() if len(entry[0])}
    bins = np.histogram_bin_edges(np.concatenate([values for values, _ in shown.values()]), bins=40)
    for name, (values, colour) in shown.items():
        axes.hist(values, bins=bins, color=colour, alpha=0.6, label=name)
    axes.set_xlabel("value, in the model's units")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylabel("how many")
    axes.legend(fontsize="small")
    return _svg(figure)


def _divergences(rows: Sequence[Fidelity]) -> str:
    if len(rows) < 2:
        return ""  # exact with the fewest bits
    beta = f"beta {rows[0].beta:g}" + ("" if all(row.exact for row in rows) else ", leading order")
    figure, axes = _axes(f"divergence of the distribution at {beta}", height=3)
    bits = [row.quantisation.grid.weight_format.bits for row in rows]
    axes.plot(bits, [max(row.kl, 1e-12) for row in rows], "o-", color=BLUE)
    axes.set_yscale("log")
    axes.set_xlabel("bits of a weight")
    axes.set_ylabel("KL, nats")
    return _pictures([_svg(figure)])
