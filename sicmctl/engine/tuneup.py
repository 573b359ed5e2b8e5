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
_SPEED = 100e-6
_STEP = 1e-6
"""A trial ramp: up, away from the sample, at this speed and over at most this distance."""


@dataclass(frozen=True, slots=True)
class Tuneup:
    """What was found. current: A, at the top. sigma: rms of one sample, A."""

    current: float
    sigma: float
    noise: NoiseModel
    state: AmplifierState
    mains: MainsTracker
    reaction: Reaction


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
    quiet = current - mains.hum(block.first, len(block))
    noise = estimate_noise(quiet, rig.daq.rate, state.bandwidth)
    return Tuneup(
        float(current.mean()), float(quiet.std()), noise, state, mains, hops.host_reaction
    )


def measure_reaction(rig: Rig, hops: DaqHopEngine) -> Reaction:
    """Measure how long the host takes from a sample to a halted ramp, on ramps upwards.

    Each trial starts a slow ramp, halts it in answer to a block of samples, and compares where the
    stage came to rest with where it was at the last sample of that block. The stage must have room
    above it. Worst is the mean plus four standard deviations, and no less than the longest seen.
    """
    rate = rig.daq.rate
    axis = rig.stage.axes["z"]
    times = []
    for _ in range(_TRIALS):
        here = rig.stage.commanded
        ramp = -motion.ramp(-here["z"], -(here["z"] + _STEP), _SPEED, rate)
        still = np.full_like(ramp, 1.0)
        rig.stage.play(np.vstack((here["x"] * still, here["y"] * still, ramp)))
        moving = hops.read(4e-3)
        rig.stage.halt()
        rest = hops.read(4e-3)
        rig.stage.synchronise(rest)
        tail = max(round(0.5e-3 * rate), 4)
        z = rig.stage.position(moving)["z"][-4 * tail :]
        slope, _offset = np.polyfit(np.arange(len(z)), z, 1)
        last = float(np.polyval((slope, _offset), len(z) - 1))
        final = float(rig.stage.position(rest)["z"][-tail:].mean())
        times.append((final - last) / _SPEED - axis.lag - axis.sensor_delay)
    found = np.clip(np.array(times), 0.0, None)
    worst = max(float(found.max()), float(found.mean() + 4 * found.std(ddof=1)))
    return Reaction(float(found.mean()), worst)


def room_for_reaction(rig: Rig) -> bool:
    """Whether the stage can rise far enough for `measure_reaction`."""
    needed = _TRIALS * _STEP
    return rig.stage.commanded["z"] + needed <= rig.stage.axes["z"].travel.high
