"""The array: colours in turn, one per clock.

While ``sweeps_left`` is not zero, the p-bits of colour ``phase`` update in
each clock from the states that stand in the registers, and the phase moves on;
after the last colour a sweep is done. A p-bit's generator moves with its
update and at no other time, clamped or not. A clamped p-bit takes its clamp
value in every clock, running or not.
"""

from __future__ import annotations

from .generator import halves, lfsr48_next, lfsr48_word, xoshiro_next, xoshiro_word
from .update import decide, field


def draw(generator, register):
    """Read the random word of one p-bit's register (a row of words) and move the register on."""
    first = int(register[0])
    if generator == 1:
        s1, s2, s3 = int(register[1]), int(register[2]), int(register[3])
        register[0], register[1], register[2], register[3] = xoshiro_next(32, first, s1, s2, s3)
        return xoshiro_word(32, first, s3)
    s0, s1, s2, s3 = halves(first, int(register[1]))
    if generator == 2:
        n0, n1, n2, n3 = xoshiro_next(16, s0, s1, s2, s3)
        register[0], register[1] = n0 | n1 << 16, n2 | n3 << 16
        return xoshiro_word(16, s0, s3)
    n0, n1, n2 = lfsr48_next(s0, s1, s2)
    register[0], register[1] = n0 | n1 << 16, n2
    return lfsr48_word(s0, s1, s2)


def advance(phase, sweeps_left, colours):
    """Phase and sweeps left after a clock in which the array ran."""
    if phase + 1 < colours:
        return phase + 1, sweeps_left
    return 0, sweeps_left - 1


def stop(phase):
    """Sweeps left after a clock that saw a stop, for the phase after it: a sweep under way is finished."""
    return 1 if phase else 0


def clock(
    phase,
    sweeps_left,
    states,
    registers,
    clamped,
    clamp_values,
    biases,
    weights,
    neighbours,
    slot_first,
    colour_first,
    beta,
    shift,
    weight_shift,
    generator,
):
    """One clock of the array; ``states`` and ``registers`` change in place.

    Parameters
    ----------
    phase, sweeps_left : int
        The two counters before the clock.
    states, clamped, clamp_values : ndarray of uint8, shape (n,)
        Bits of the p-bits, which are clamped, and to what.
    registers : ndarray of uint32, shape (n, generator words)
        Generator registers.
    biases, weights : ndarray of int32, shapes (n,) and (slots,)
        Folded biases and weights, in units of the weight format's step.
    neighbours, slot_first, colour_first : ndarray of int32
        See `image.Image`.
    beta, shift, weight_shift, generator : int
        Code of beta, `Image.argument_shift`, the unit and the kind of generator.

    Returns
    -------
    phase, sweeps_left : int
        The counters after the clock.
    """
    if sweeps_left != 0:
        for pbit in range(colour_first[phase], colour_first[phase + 1]):
            total = field(
                biases[pbit], weights, neighbours, states, slot_first[pbit], slot_first[pbit + 1], weight_shift
            )
            states[pbit] = decide(total, draw(generator, registers[pbit]), beta, shift)
        phase, sweeps_left = advance(phase, sweeps_left, len(colour_first) - 1)
    for pbit in range(len(states)):
        if clamped[pbit]:
            states[pbit] = clamp_values[pbit]
    return phase, sweeps_left
