"""What the engine finds out about the rig before it lets a tip fall: noise and reaction time."""

from dataclasses import dataclass

import numpy as np

from sicmctl.hal.capabilities import F64, AmplifierState, Pause
from sicmctl.hal.errors import UnexpectedState
from sicmctl.hal.hop import Reaction, Waypoint
from sicmctl.scan import motion
from sicmctl.scan.hopper import DaqHopEngine
from sicmctl.scan.mains import MainsTracker
from sicmctl.scan.noise import NoiseModel, estimate_noise

from .rig import Rig

_TRIALS = 12
_SPEED = 20e-6
_STEP = 1e-6
"""A trial ramp: its speed, and the distance after which it ends by itself: after 50 ms."""
_PROOF = 0.2e-6
"""Length of a ramp that tries the comparator, m."""
_APART, _LEAST_APART = 0.1, 0.2
"""How far the level is from the current then: a share of it, and V; a comparator has an offset."""


@dataclass(frozen=True, slots=True)
class Tuneup:
    """What was found. current: A, at the top. sigma: rms of one sample, A.

    Under an alternating bias current, sigma, noise and bandwidth are those of the current through
    the tip behind the lock-in; capacitive: amplitude of what flows past it, A; least_reference:
    shortest time over which a reference may be averaged, s; period: samples; mains: None,
    for no hum is left.
    """

    current: float
    sigma: float
    noise: NoiseModel
    state: AmplifierState
    mains: MainsTracker | None
    reaction: Reaction
    capacitive: float = 0.0
    least_reference: float = 0.0
    period: int = 0


def lift(rig: Rig, hops: DaqHopEngine) -> None:
    """Raise the tip straight to the top of its travel and wait until it rests there."""
    here = rig.stage.commanded
    top = rig.stage.axes["z"].travel.high
    hops.leave(Waypoint(here["x"], here["y"], top, top))
    hops.rest()


def measure_noise(rig: Rig, hops: DaqHopEngine, mains_hz: float, seconds: float = 0.5) -> Tuneup:
    """Watch the resting current: level, noise spectrum, hum. The tip must be far from the sample.

    The reaction time is that of `hops`, measured before.
    """
    block = hops.read(seconds)
    state = rig.amplifier.state(block)
    current = rig.amplifier.current(block)
    mains = MainsTracker(mains_hz, rig.daq.rate)
    mains.learn(block.first, current)
    hops.mains = mains
    quiet = current - mains.hum(block.first, len(block))
    noise = estimate_noise(quiet, rig.daq.rate, state.bandwidth)
    return Tuneup(
        float(current.mean()), float(quiet.std()), noise, state, mains, hops.host_reaction
    )


def measure_reaction(rig: Rig, hops: DaqHopEngine) -> Reaction:
    """Measure how long the host takes from a sample to a halted ramp.

    Each trial starts a slow ramp, halts it in answer to a block of samples, and compares where the
    stage came to rest with where it was at the last sample of that block. The ramps lead upwards;
    where there is no room for them, the stage is raised to the top and moved sideways there. Worst
    is the mean plus four standard deviations, and no less than the longest seen.
    """
    z = rig.stage.axes["z"].travel
    upwards = rig.stage.commanded["z"] + _TRIALS * _STEP <= z.high
    if not upwards:
        lift(rig, hops)
    found = np.array([_trial(rig, hops, "z" if upwards else "x") for _ in range(_TRIALS)])
    found = np.clip(found, 0.0, None)
    worst = max(float(found.max()), float(found.mean() + 4 * found.std(ddof=1)))
    return Reaction(float(found.mean()), worst)


def prove_comparator(rig: Rig, hops: DaqHopEngine) -> None:
    """See that the comparator holds a ramp, and lets one pass, before a fall relies on it.

    Both ramps lead sideways, with the tip at the top of its travel: at a level that the current
    has crossed already, and at one that it has not. Raises UnexpectedState if the comparator looks
    at something else than the pipette current.
    """
    volts = hops.read(10e-3)["pipette_current"]
    now = float(volts.mean())
    apart = max(_APART * abs(now), _LEAST_APART, 8 * float(volts.std()))
    side = -1.0 if now < 0 else 1.0
    limit = 0.999 * rig.amplifier.output_limit
    for wanted, holds in ((now + side * apart, True), (now - side * apart, False)):
        level = min(max(wanted, -limit), limit)
        pause = Pause("pipette_current", level, apart / 2, inverted=now < 0)
        share = _sideways(rig, hops, pause)
        as_it_should = share < 0.05 if holds else share > 0.95
        if as_it_should:
            continue
        what = "ran on at" if holds else "was held at"
        crossed = "had crossed already" if holds else "had not crossed"
        raise UnexpectedState(
            rig.daq.identify().model,
            "try the comparator",
            f"a ramp {what} a level of {level:.2f} V, which the current, at {now:.2f} V, {crossed}",
            "see that the amplifier's output is wired to the terminal in daq.comparator, or hop "
            'with engine = "streamed"',
        )


def _sideways(rig: Rig, hops: DaqHopEngine, pause: Pause) -> float:
    """Start a ramp along x that may be paused; return the share of it that was put out."""
    path = _path(rig, "x", _direction(rig, "x") * _PROOF)
    start = rig.stage.commanded["x"]
    rig.stage.play(path, pause)
    hops.read(path.shape[1] / rig.daq.rate + 2e-3)
    rig.stage.halt()
    return abs(rig.stage.commanded["x"] - start) / _PROOF


def _direction(rig: Rig, name: str) -> float:
    """Return the sign of the way along an axis that there is room for: up, or to the middle."""
    travel = rig.stage.axes[name].travel
    middle = (travel.low + travel.high) / 2
    return 1.0 if name == "z" or rig.stage.commanded[name] < middle else -1.0


def _path(rig: Rig, name: str, way: float) -> F64:
    """Return a slow ramp along one axis, m, shape (axes, n)."""
    here = rig.stage.commanded
    steps = -np.sign(way) * motion.ramp(0.0, -abs(way), _SPEED, rig.daq.rate)
    path = np.vstack([np.full_like(steps, here[other]) for other in rig.stage.axes])
    path[list(rig.stage.axes).index(name)] += steps
    return path


def _trial(rig: Rig, hops: DaqHopEngine, name: str) -> float:
    """Return the reaction time of one trial along an axis, s."""
    rate, axis = rig.daq.rate, rig.stage.axes[name]
    sign = _direction(rig, name)
    path = _path(rig, name, sign * _STEP)
    settled = max(4e-3, 8 / (2 * np.pi * axis.resonance * axis.damping))
    rig.stage.play(path)
    moving = hops.read(settled)
    rig.stage.halt()
    rest = hops.read(settled)
    rig.stage.synchronise(rest)
    tail = max(round(0.5e-3 * rate), 4)
    course = rig.stage.position(moving)[name][-4 * tail :]
    line = np.polynomial.Polynomial.fit(np.arange(len(course)), course, 1)
    last = float(line(len(course) - 1))
    final = float(rig.stage.position(rest)[name][-tail:].mean())
    return sign * (final - last) / _SPEED - axis.lag - axis.sensor_delay
