"""The array: colours in turn, of one replica or of several that follow one another.

An array of one replica updates the p-bits of colour ``phase`` in each clock, from
the states that stand in the registers; after the last colour a sweep is done.

An *interleaved* array holds R = C L replicas, C colours and a latency of L
clocks. Colour c updates one replica per clock, the next one in the next clock,
and (c + 1) L - 1 clocks behind the counter ``phase``; when a replica comes to a
colour, all its other colours stand. So every p-bit updates in every clock, and
each replica is what an array of one replica would be. After the last sweep the
replicas take R more clocks to come home.

Of p-bits that take turns at lanes (`image.Image.lanes`) a colour is a clock here, however long it takes: those that
share a register update in all replicas, one replica after another, and then the next ones do.

A p-bit's generator moves with its update and at no other time, clamped or not.
A clamped p-bit keeps its state.
"""

from __future__ import annotations

from .generator import halves, lfsr48_next, lfsr48_word, linear64_next, xoshiro_next, xoshiro_word
from .update import decide, field


def word(generator, register, taken):
    """A random word of a register (a row of words) as it stands."""
    if generator == 1:
        return xoshiro_word(32, int(register[0]), int(register[3]))
    s0, s1, s2, s3 = halves(int(register[0]), int(register[1]))
    if generator == 2:
        return xoshiro_word(16, s0, s3)
    if generator == 3:
        return lfsr48_word(s0, s1, s2)
    return (s0, s1, s2, s3)[taken]


def move(generator, register):
    """Move a register (a row of words) on by one update."""
    first, second = int(register[0]), int(register[1])
    if generator == 1:
        third, fourth = int(register[2]), int(register[3])
        register[0], register[1], register[2], register[3] = xoshiro_next(32, first, second, third, fourth)
        return
    s0, s1, s2, s3 = halves(first, second)
    if generator == 2:
        n0, n1, n2, n3 = xoshiro_next(16, s0, s1, s2, s3)
    elif generator == 3:
        n0, n1, n2 = lfsr48_next(s0, s1, s2)
        n3 = n2 ^ n2
    else:
        n0, n1, n2, n3 = linear64_next((s0, s1, s2, s3))
    register[0], register[1] = n0 | n1 << 16, n2 | n3 << 16


def turn(colour, phase, sweeps_left, under_way, colours, interleave):
    """The replica that a colour updates in a clock, or -1.

    Parameters
    ----------
    colour : int
        The colour.
    phase, sweeps_left, under_way : int
        See `clock`.
    colours, interleave : int
        Of the array.
    """
    if interleave == 1:
        return 0 if sweeps_left and phase == colour else -1
    behind = (colour + 1) * (interleave // colours) - 1
    runs = sweeps_left > 1 if phase >= behind else under_way
    return (phase - behind) % interleave if runs else -1


def advance(phase, sweeps_left, under_way, colours, interleave):
    """Phase, sweeps left and whether a sweep is under way after a clock in which the array ran."""
    if phase + 1 < (colours if interleave == 1 else interleave):
        return phase + 1, sweeps_left, under_way
    return 0, sweeps_left - 1, 1 if interleave > 1 and sweeps_left > 1 else 0


def start(sweeps, interleave):
    """Sweeps left after a clock that saw a start: an interleaved array takes one more to come home."""
    return sweeps + 1 if sweeps and interleave > 1 else sweeps


def stop(phase, sweeps_left, interleave):
    """Sweeps left after a clock that saw a stop, for the counters after it: a sweep under way is finished."""
    home = 1 if interleave > 1 else 0
    return min(sweeps_left, home + 1 if phase else home) if sweeps_left else 0


def clock(
    phase,
    sweeps_left,
    under_way,
    states,
    registers,
    clamped,
    biases,
    weights,
    neighbours,
    slot_first,
    colour_first,
    stream,
    taken,
    beta,
    shift,
    weight_shift,
    generator,
    turns,
):
    """One clock of the array; ``states`` and ``registers`` change in place.

    Parameters
    ----------
    phase, sweeps_left : int
        The two counters before the clock.
    under_way : int
        Whether an interleaved array has begun the sweep before this one, so that replicas are on their way.
    states : ndarray of uint8, shape (interleave, n)
        Bits of the p-bits of each replica.
    registers : ndarray of uint32, shape (streams, generator words)
        Generator registers.
    clamped : ndarray of uint8, shape (n,)
        Which p-bits are clamped.
    biases, weights : ndarray of int32, shapes (n,) and (slots,)
        Folded biases and weights, in units of the weight format's step.
    neighbours, slot_first, colour_first, stream, taken : ndarray of int32
        See `image.Image`.
    beta, shift, weight_shift, generator, turns : int
        Code of beta, `Image.argument_shift`, the unit, the kind of generator and whether p-bits take turns at lanes.

    Returns
    -------
    phase, sweeps_left, under_way : int
        The counters after the clock.
    """
    if sweeps_left == 0:
        return phase, sweeps_left, under_way
    interleave, colours = 1 if turns else len(states), len(colour_first) - 1
    for colour in range(colours):
        replica = turn(colour, phase, sweeps_left, under_way, colours, interleave)
        if replica >= 0:
            beyond = len(states) if turns else replica + 1
            first, last = colour_first[colour], colour_first[colour + 1]
            while first < last:
                register, behind = registers[stream[first]], first + 1
                while behind < last and stream[behind] == stream[first]:
                    behind += 1
                for each in range(replica, beyond):
                    own = states[each]
                    for pbit in range(first, behind):
                        total = field(
                            biases[pbit],
                            weights,
                            neighbours,
                            own,
                            slot_first[pbit],
                            slot_first[pbit + 1],
                            weight_shift,
                        )
                        decided = decide(total, word(generator, register, taken[pbit]), beta, shift)
                        if not clamped[pbit]:
                            own[pbit] = decided
                    move(generator, register)
                first = behind
    return advance(phase, sweeps_left, under_way, colours, interleave)
