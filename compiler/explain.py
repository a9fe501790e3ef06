"""What the compiler did and why, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .expansion import Expansion
from .program import Program


def explain(program: Program) -> list[str]:
    """A sentence or two about each pass.

    Parameters
    ----------
    program : Program

    Returns
    -------
    list of str
    """
    return [*_model(program), *_colours(program), *_interleave(program), *_weights(program), *_registers(program)]


def _model(program: Program) -> Iterator[str]:
    target, expansion = program.target, program.expansion
    unit = target.unit.name.lower()
    if expansion is None:
        yield f"model: {target.size:,} {unit}s, {len(target.edges):,} couplings, a p-bit for each {unit}"
        return
    before, edges = expansion.source.size, len(target.edges)
    yield f"model: {before:,} variables became {target.size:,} {unit}s with {edges:,} couplings"
    yield from _copies(expansion)


def _copies(expansion: Expansion) -> Iterator[str]:
    if auxiliaries := len(expansion.auxiliaries):
        yield f"auxiliaries: {auxiliaries:,} p-bits stand for none of the variables and are dropped from samples"
    counts = np.diff(expansion.first)
    if split := int((counts > 1).sum()):
        yield (
            f"copies: {split:,} variables have several p-bits, up to {counts.max()}; samples take their majority and "
            f"say how often they disagreed"
        )


def _colours(program: Program) -> Iterator[str]:
    sizes = np.diff(program.image.colour_first)
    many = f"{sizes.min():,} to {sizes.max():,} p-bits"
    if lanes := program.image.lanes:
        yield f"colours: {len(sizes)}, of {many} that take turns at {lanes} lanes"
    else:
        yield f"colours: {len(sizes)}, so a sweep takes {len(sizes)} clocks; {many} update at once"


def _interleave(program: Program) -> Iterator[str]:
    image = program.image
    if image.interleave > image.following:
        yield f"interleave: {image.interleave} replicas in the engine, all of them in the same colour"
    elif image.interleave > 1:
        yield (
            f"interleave: {image.interleave} replicas follow one another, {image.latency} clocks a colour; every p-bit "
            f"updates in every clock, and a run takes {image.interleave} clocks more"
        )


def _weights(program: Program) -> Iterator[str]:
    quantisation = program.quantisation
    grid = quantisation.grid
    step = f"steps of {grid.step:g} up to {grid.largest:g}"
    yield f"weights: {grid.weight_format}, {grid.weight_format.bits} bits: {step}"
    if grid.scale != 1:
        yield (
            f"scale: couplings are whole multiples of a step that is no power of two; a register of 1 stands for "
            f"{grid.scale:g}, and the register of beta holds {grid.scale:g} beta"
        )
    clipped = quantisation.saturated_couplings + quantisation.saturated_biases
    if clipped:
        yield f"saturation: {clipped:,} values lie outside and are clipped; use more bits before the point"
    elif quantisation.max_error <= 1e-9 * grid.largest:
        yield "rounding: every coupling and bias is exact"
    else:
        rms, most = quantisation.rms_error, quantisation.max_error
        yield f"rounding: errors of {rms:.2g} (root mean square), {most:.2g} at most"


def _registers(program: Program) -> Iterator[str]:
    image = program.image
    degree = image.degrees.max(initial=0)
    yield f"fields: {image.bias_bits} bits, so that no sum of {degree} couplings and a bias overflows"
    yield f"beta: {image.beta_format}, steps of {image.beta_step:.3g} up to {image.largest_beta:.4g}"
    share = image.generator.share
    each = "a p-bit" if share == 1 else f"for up to {share} p-bits"
    yield f"generator: {image.generator.name.lower()}, {image.generator.bits} bits {each}"
