"""What the engine finds out about the rig before it lets a tip fall: noise and reaction time."""

from dataclasses import dataclass

import numpy as np

from sicmctl.hal.capabilities import AmplifierState
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


def _trial(rig: Rig, hops: DaqHopEngine, name: str) -> float:
    """Return the reaction time of one trial along an axis, s."""
    rate, axis = rig.daq.rate, rig.stage.axes[name]
    here = rig.stage.commanded
    middle = (axis.travel.low + axis.travel.high) / 2
    sign = 1.0 if name == "z" or here[name] < middle else -1.0
    steps = sign * (motion.ramp(0.0, -_STEP, _SPEED, rate) * -1.0)
    path = np.vstack([np.full_like(steps, here[other]) for other in rig.stage.axes])
    path[list(rig.stage.axes).index(name)] += steps
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
