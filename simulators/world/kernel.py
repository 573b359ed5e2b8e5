"""The step kernel: commands in, what the outputs show out, sub-step by sub-step."""

# ruff: noqa: PLR0917  (compiled code takes its arrays by position)

import math

import numpy as np
from numba import boolean, float64, from_dtype, int64

from simulators.compiled import compiled, lean
from simulators.world.amplifier import RAIL, filtered
from simulators.world.meniscus import since_contact, wets
from simulators.world.pipette import (
    RING_WEIGHTS,
    SECTORS,
    conductance,
    flat_conductance,
    rectified,
)
from simulators.world.rig import (
    CONTACT,
    CURRENT,
    DEPTH,
    GAP,
    NOISE_VOLTAGE,
    POTENTIAL,
    STEEPNESS,
    WET,
)
from simulators.world.rng import normal, normals
from simulators.world.sample import height, look, plane
from simulators.world.slow import (
    CHANNELS,
    DRIFT,
    FACTOR,
    NODE,
    OFFSET,
    REFERENCE,
    VIBRATION,
    node,
)
from simulators.world.stage import PLAYS, POSITION, SENSED, VELOCITY, advance, target

TICK = 1e-8

# lateral motion below which the heights under the tip are kept: this share of the gap, which
# changes the current by no more than 5e-5 on a slope of 1, but within these bounds (m)
_KEPT, _LEAST_KEPT, _MOST_KEPT = 0.005, 0.25e-9, 5e-9
_FAR = 60.0  # heights above the highest point, in inner radii, where any surface seems flat
_LEVEL = 20.0  # gaps, in local reliefs, from which the local surface is as good as flat
_LIFTED = 1e-9  # gap (m) at which a contact is over
_BENDING = 0.5e-6  # contact depth (m) that halves the leak under the rim

# what `look` found, and where
_X, _Y, _LOW, _HIGH, _TOP, _STEEP, _LEVEL_HEIGHT = range(7)


@lean()
def sense(rig, relief, state, x, y, z):
    """Conductance (S) of the tip at x, y, z (m, sample frame); gap and steepness go to `state`.

    The gap is that of the rounded rim: above the highest point within the contact radius.
    """
    tip, seen, scalars = rig.tip, state.looked, state.scalars
    kept = min(max(_KEPT * scalars[GAP], _LEAST_KEPT), _MOST_KEPT)
    if abs(x - seen[_X]) > kept or abs(y - seen[_Y]) > kept:
        if z - plane(rig.surface, x, y) - rig.surface.top > _FAR * tip.radius:
            scalars[GAP] = z - height(rig.surface, relief, x, y)
            return flat_conductance(tip, scalars[GAP])
        seen[_X], seen[_Y] = x, y
        seen[_LOW], seen[_HIGH], seen[_TOP], seen[_STEEP] = look(
            rig.surface, relief, tip.radius, tip.contact_radius, x, y, state.local
        )
        seen[_LEVEL_HEIGHT] = _level(state.local)
    gap = z - seen[_TOP]
    scalars[GAP], scalars[STEEPNESS] = gap, seen[_STEEP]
    if z - seen[_HIGH] > max(_LEVEL * (seen[_HIGH] - seen[_LOW]), rig.floor):
        return flat_conductance(tip, z - seen[_LEVEL_HEIGHT])
    floor = rig.floor / (1.0 + max(0.0, -gap) / _BENDING)
    return conductance(tip, state.local, z, floor)


@lean()
def _level(local):
    """Height of the plane that leaks as the sectors do, seen from far above."""
    total = 0.0
    for t in range(SECTORS):
        for k in range(3):
            total += RING_WEIGHTS[k] * local[t, k]
    return total / SECTORS


@lean()
def _mains(noise, t):
    phase = t * noise.mains_frequency
    place = (phase - math.floor(phase)) * (noise.mains.size - 1)
    k = int(place)
    return noise.mains[k] + (place - k) * (noise.mains[k + 1] - noise.mains[k])


@lean()
def _noise_current(rig, state, tick, dt, conductance, current):
    """White and f**2 noise of one sub-step (A)."""
    noise = rig.noise
    density = noise.thermal * (conductance + 1.0 / rig.chain.feedback) + noise.shot * abs(current)
    if density == 0.0 and noise.voltage == 0.0:
        return 0.0
    a, b = normals(noise.current_key, np.uint64(tick))
    voltage = noise.voltage * b / math.sqrt(2.0 * dt)
    slope = (voltage - state.scalars[NOISE_VOLTAGE]) / dt
    state.scalars[NOISE_VOLTAGE] = voltage
    return a * math.sqrt(density / (2.0 * dt)) + noise.capacitance * slope


@lean()
def _touch(rig, state):
    """Follow a contact; whether it began, ended or broke the tip just now."""
    s = state.scalars
    depth = -s[GAP]
    if s[CONTACT] == 0.0:
        if depth < 0.0:
            return False
        s[CONTACT], s[DEPTH] = 1.0, depth
        return True
    s[DEPTH] = max(s[DEPTH], depth)
    if depth < -_LIFTED:
        s[CONTACT] = 0.0
        return True
    return depth > rig.break_depth


@lean()
def _record(rig, state, share, row):
    """Write one row of truth at the node that lies `share` of a sub-step back."""
    now, old, s = state.axes, state.old, state.scalars
    row[0] = state.time[1] * NODE * TICK
    for a in range(3):
        row[1 + a] = now[a, POSITION] + share * (old[a] - now[a, POSITION])
        row[4 + a] = state.before[DRIFT + a]
        row[7 + a] = state.before[VIBRATION + a]
    row[10] = s[CURRENT] + share * (old[3] - s[CURRENT])
    row[11] = s[GAP] + share * (old[4] - s[GAP])
    row[12] = s[CONTACT]
    row[13], row[14], row[15] = rig.tip.radius, rig.shortening, rig.sample_offset


@lean()
def _move(rig, state):
    """Move the axes towards their targets for one sub-step."""
    old = state.old
    for a in range(3):
        old[a] = state.axes[a, POSITION]
        advance(rig.stepping, a, state.targets[a], state.axes, state.creeps)
    old[3], old[4] = state.scalars[CURRENT], state.scalars[GAP]


@lean()
def _shown(rig, state, tick, dt, conductance, potential, command, current):
    """What a sub-step's mean current through the tip (A) is at the amplifier's input, filtered.

    Returns it (A), and whether the input stage was saturated.
    """
    s, chain = state.scalars, rig.chain
    charging = chain.stray_capacitance * (command - s[POTENTIAL]) / dt
    s[POTENTIAL] = command
    current += charging + _mains(rig.noise, tick * TICK)
    current += _noise_current(rig, state, tick, dt, conductance, s[CURRENT])
    if chain.shows_potential:
        current = potential * chain.volts_per_volt / chain.gain
    clipped = min(max(current, -chain.input_limit), chain.input_limit)
    return filtered(rig.bessel, clipped, state.modes), clipped != current


@lean()
def _sub_step(rig, relief, state, command, tick, length, truth, rows):
    """One sub-step of `length` ticks that ends at `tick`.

    Returns the filtered input current (A), whether the input stage was saturated, whether a
    contact wants attention, and the number of truth rows written so far.
    """
    dt, s, old, place = length * TICK, state.scalars, state.old, state.place
    _move(rig, state)
    crossed = tick >= (state.time[1] + 1) * NODE
    if crossed:
        state.time[1] += 1
        _next_node(rig, state, state.time[1] + 1)
    share = (tick - state.time[1] * NODE) / NODE
    before, after = state.before, state.after
    _place(state, share)
    g = sense(rig, relief, state, place[0], place[1], place[2] + rig.shortening)
    passed = 0.5  # share of the sub-step that the present current stands for
    if rig.meniscus.height > 0.0:
        was, s[WET] = s[WET], wets(rig.meniscus, s[WET], s[GAP])
        g = rig.meniscus.wet if s[WET] else rig.meniscus.dry
        if s[WET] > was:
            passed = since_contact(rig.meniscus, old[4], s[GAP])
    g *= rig.open_share * (before[FACTOR] + share * (after[FACTOR] - before[FACTOR]))
    potential = command + before[OFFSET] + share * (after[OFFSET] - before[OFFSET])
    s[CURRENT] = g * rectified(rig.tip, potential)
    touched = _touch(rig, state)
    if crossed:
        _record(rig, state, share * NODE / length, truth[rows])
        rows += 1
    # the mean over the sub-step, to second order; noise and charging are such means already
    mean = old[3] + passed * (s[CURRENT] - old[3])
    shown, saturated = _shown(rig, state, tick, dt, g, potential, command, mean)
    return shown, saturated, touched, rows


@lean()
def _next_node(rig, state, n):
    """Let node n be the next one, and the next one be the last."""
    for c in range(CHANNELS):
        state.before[c] = state.after[c]
    node(rig.slow, n, rig.rates, state.slow, state.after)


@lean()
def _place(state, share):
    """Find where the tip would be if it were not broken, `share` of a node after the last."""
    for k in range(3):
        a = state.before[DRIFT + k] + state.before[VIBRATION + k]
        b = state.after[DRIFT + k] + state.after[VIBRATION + k]
        state.place[k] = state.axes[k, POSITION] + (a + share * (b - a))


@lean()
def _sensors(rig, state, tick, row):
    """What the three position sensors show at `tick` (V)."""
    keep = state.keep
    gx, gy = normals(rig.noise.lateral_key, np.uint64(tick))
    gz = normal(rig.noise.vertical_key, np.uint64(tick))
    for a, g in ((0, gx), (1, gy), (2, gz)):
        kick = math.sqrt(1.0 - keep[a] * keep[a]) * rig.axes.sensor_noise[a]
        state.sensor_noise[a] = keep[a] * state.sensor_noise[a] + kick * g
        sensed = state.axes[a, SENSED] + state.sensor_noise[a]
        row[1 + a] = (sensed - rig.axes.zero[a]) / rig.axes.metres_per_volt[a]


@lean()
def _watching(row, output, low, high, is_high):
    """Whether any comparator changes state on this row."""
    for w in range(output.size):
        value = row[output[w]]
        if (value < low[w]) if is_high[w] else (value > high[w]):
            return True
    return False


@lean()
def rest(rigs, relief, states):
    """Bring everything where 0 V at all inputs has brought it long ago."""
    rig, state = rigs[0], states[0]
    for a in range(3):
        u = min(max(rig.axes.zero[a], 0.0), rig.axes.range[a])
        for p in range(PLAYS):
            state.plays[a, p] = u / rig.axes.range[a]
        u = target(rig.axes, a, 0.0, state.plays)
        state.axes[a, POSITION] = state.axes[a, SENSED] = u
        state.axes[a, VELOCITY] = 0.0
        for c in range(state.creeps.shape[1]):
            state.creeps[a, c] = u
    state.slow[REFERENCE] = 1.0
    for n in range(2):
        _next_node(rig, state, n)
    _place(state, 0.0)
    place = state.place
    sense(rig, relief, state, place[0], place[1], place[2] + rig.shortening)


@lean(nogil=True)
def run(rigs, relief, states, drive, period, substeps, watches, out, truth):
    """Run until the drive ends, a watch changes state, or a contact wants attention.

    rigs, states: the rig and its state, each the only record of an array. relief: the sample's,
    shape (n, n), m. drive: shape (n, 4), V. watches: arrays output, low, high, is_high. out: shape
    (n, 9), V. truth: room for every node that can be crossed.
    Returns the number of steps done, of truth rows written, and whether a watch changed state.
    """
    rig, state = rigs[0], states[0]
    for a in range(3):
        state.keep[a] = math.exp(-period * TICK / rig.axes.sensor_time[a])
    chain, rows = rig.chain, np.int64(0)  # of one type, so that a sub-step compiles once
    for k in range(drive.shape[0]):
        start = state.time[0]
        command = chain.command_scale * drive[k, 0] if chain.commanded else 0.0
        for a in range(3):
            state.targets[a] = target(rig.axes, a, drive[k, 1 + a], state.plays)
        current, saturated, touched = 0.0, False, False
        last = start
        for j in range(substeps):
            tick = start + period * (j + 1) // substeps
            current, over, touch, rows = _sub_step(
                rig, relief, state, command, tick, period / substeps, truth, rows
            )
            saturated, touched, last = saturated or over, touched or touch, tick
        state.time[0] = last
        volts = chain.gain * (current + chain.offset)
        out[k, 0] = min(max(volts, -RAIL), RAIL)
        for t in range(4):
            out[k, 4 + t] = chain.telegraphs[t]
        out[k, 8] = 5.0 if saturated or abs(volts) >= RAIL else 0.0
        _sensors(rig, state, last, out[k])
        if _watching(out[k], watches[0], watches[1], watches[2], watches[3]):
            return k + 1, rows, True
        if touched:
            return k + 1, rows, False
    return drive.shape[0], rows, False


def compile_steps(rigs, states):
    """Compile the parts of `run` that `rest` has no use for, by their types alone.

    For another process than the one that compiles `run`, which then finds them done.
    """
    rows, whole, real = float64[::1], int64, float64
    records = from_dtype(rigs.dtype), from_dtype(states.dtype)
    for part, others in (
        (_shown, (whole, real, real, real, real, real)),
        (_move, ()),
        (_record, (real, rows)),
        (_sensors, (whole, rows)),
        (_touch, ()),
    ):
        part.compile((*records, *others))
    _watching.compile((rows, int64[::1], rows, rows, boolean[::1]))


@compiled()
def heights_for_conductance(tip, surface, relief, x, y, share, floor):
    """z (m) of the tip where its conductance is `share` of that far away, at each x, y.

    x, y: shape (n,), m. By bisection; the current rises monotonically with z.
    """
    wanted = share / (tip.far_resistance + tip.series_resistance)
    local, out = np.empty((SECTORS, 3)), np.empty(x.size)
    for k in range(x.size):
        _, high, _, _ = look(surface, relief, tip.radius, tip.contact_radius, x[k], y[k], local)
        low, above = high - 50.0 * tip.radius, high + 200.0 * tip.radius
        for _ in range(60):
            middle = 0.5 * (low + above)
            if conductance(tip, local, middle, floor) < wanted:
                low = middle
            else:
                above = middle
        out[k] = 0.5 * (low + above)
    return out
