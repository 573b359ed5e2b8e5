"""Falls on rough samples: how deep rims press on edges, and how often the host must look.

    python -m benchmarks.rims [falls per row]

Each row drops the tip of the virtual rig at random places of four graphite samples, with the noise
of the rig and a host that reacts within 1 ms +- 0.3 ms. The comparator, the looks and the watch are
those of the hop engine; only card and protocol are left out, so that falls by the thousand are
quick. `told`: falls that the host ended. `early`: those of them that had come no nearer to the
sample than 20 nm. `pressed`: of the falls that met the sample, how far the tip was pressed on.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sicmctl.hal.capabilities import AmplifierState
from sicmctl.hal.hop import HopRequest, HopStatus, StopRule
from sicmctl.scan.bessel import power_gain
from sicmctl.scan.curve import Tip
from sicmctl.scan.hoptuning import HopTuning
from sicmctl.scan.noise import NoiseModel
from sicmctl.scan.rim import Rim, TipCurve
from sicmctl.scan.steady import SteadyReference
from sicmctl.scan.watch import Watch
from simulators.config import SimConfig
from simulators.world import World
from simulators.world.pack import packed
from simulators.world.pipette import SECTORS, conductance, far_conductance
from simulators.world.sample import look

F64 = NDArray[np.float64]
Known = Callable[[float, float], tuple[float, float]]
"""From a hop's own reference and its sd to what is known by now, A."""

RATE, FILTER, CURRENT, REFERENCE = 50e3, 5e3, 3.24e-9, 2e-3
TIP, NOISE, TUNING = Tip(), NoiseModel(), HopTuning()
SIZE = 20e-6
ABOVE, BELOW, STEP = 1.5e-6, 0.8e-6, 1e-9
"""Way that is computed, above and below the first contact, and its grid, m."""
BESIDE = 5e-4
"""Drop at the start that tells of a wall beside the tip: hops start above their neighbours."""
HOP = 30e-3
"""Time from one fall to the next, s."""
LAG = 2 * 0.7 / (2 * np.pi * 2e3)
"""Time by which the stage trails its command, s."""
BENDING = 0.5e-6
"""As in the world: depth that halves the leak under a pressed rim, m."""


@dataclass
class Fall:
    """How one fall went. depth: below the first contact at the end, m."""

    depth: float
    looks: int
    told: bool


@njit(cache=True)
def _drops(tip, surface, relief, place, leak):
    """Fractional drop at each height of the grid over one place."""
    local = np.empty((SECTORS, 3))
    x, y = place
    _, _, top, _ = look(surface, relief, tip.radius, tip.contact_radius, x, y, local)
    far, n = far_conductance(tip), int((ABOVE + BELOW) / STEP)
    drops = np.empty(n)
    for k in range(n):
        gap = ABOVE - k * STEP
        floor = leak / (1.0 + max(0.0, -gap) / BENDING)
        drops[k] = 1.0 - conductance(tip, local, top + gap, floor) / far
    return drops


def places(count: int, seed: int, config: SimConfig) -> Iterator[F64]:
    """Yield the noise-free drops over random places of one sample."""
    world, rng = World(config, seed), np.random.default_rng(seed)
    tip, surface = packed(world.pipette.tip()), packed(world.sample.surface())
    for _ in range(count):
        place = tuple(c + SIZE * (rng.random() - 0.5) for c in world.sample.centre)
        drops = _drops(tip, surface, world.sample.map, place, rng.uniform(1e-9, 3e-9))
        if drops[0] < BESIDE:
            yield drops


def noise(rng: np.random.Generator, samples: int) -> F64:
    """Noise of the rig behind its filter, A."""
    f = np.fft.rfftfreq(samples, 1 / RATE)
    sd = np.sqrt(NOISE.density(f) * power_gain(f, FILTER) * RATE * samples / 4)
    return np.fft.irfft(sd * (rng.normal(size=len(f)) + 1j * rng.normal(size=len(f))), samples)


def fall(drops: F64, speed: float, setpoint: float, rng: np.random.Generator, known: Known) -> Fall:
    """Let the tip fall from the top of the grid until card or host stop it."""
    top = round(REFERENCE * RATE)
    z = np.linspace(ABOVE, -BELOW, int((ABOVE + BELOW) / speed * RATE))
    true = CURRENT * (1 - np.interp(ABOVE - z, np.arange(len(drops)) * STEP, drops))
    seen = np.concatenate((np.full(top, true[0]), true)) + noise(rng, top + len(z))
    reference, current = float(seen[:top].mean()), seen[top:]
    request = HopRequest(
        x=0, y=0, start=ABOVE, floor=-BELOW, speed=speed, stop=StopRule(setpoint), clear=ABOVE
    )
    curve = TipCurve(TIP, NOISE, CURRENT, FILTER)
    own = curve.blur(REFERENCE) * CURRENT
    state = AmplifierState(1e9, FILTER, "V-Clamp")
    watch = Watch(
        level=reference * (1 - setpoint),
        sign=1.0,
        debounce=1,
        state=state,
        touch_level=reference * (1 - TUNING.touch),
        chunk=12,
        rim=Rim.of(curve, known(reference, own), own, RATE, speed),
    )
    at, looks = 0, 0
    while at < len(z):
        size = max(round(TUNING.looks.wait(request, watch, 1e-3) * RATE), 1)
        block = slice(at, at + size)
        looks += 1
        ended = watch.see(current[block], False, state, None, z[block])
        at += size
        if ended and watch.crossing is not None:
            return Fall(-float(z[watch.crossing]) + LAG * speed, looks, False)
        if ended:
            halted = min(at, len(z)) + max(rng.normal(1e-3, 0.3e-3), 0) * RATE
            crossing = np.flatnonzero(current[at : int(halted)] < watch.level)
            end = at + crossing[0] if len(crossing) else halted
            return Fall(
                speed * (end / RATE + LAG) - ABOVE, looks, watch.status is HopStatus.TOUCHED
            )
    return Fall(BELOW, looks, False)


def main(count: int = 4000) -> None:
    """Print the table."""
    config = SimConfig()
    every = [d for seed in (1, 2, 3, 4) for d in places(count // 4, seed, config)]
    print(f"{len(every)} falls a row; pressed: nm\n")
    print(f"{'nm/ms':>6}{'setpoint':>10}{'looks':>7}{'told':>8}{'early':>8}{'met':>8}", end="")
    print(f"{'median':>9}{'99 %':>7}{'most':>7}{'> 300 nm':>10}")
    for setpoint in (0.01, 0.02):
        for speed in (30e-6, 60e-6, 100e-6, 200e-6):
            rng = np.random.default_rng(7)
            steady = SteadyReference()
            falls = [
                fall(d, speed, setpoint, rng, partial(steady.see, k * HOP))
                for k, d in enumerate(every)
            ]
            line(speed, setpoint, falls)


def line(speed: float, setpoint: float, falls: list[Fall]) -> None:
    """Print one row."""
    depth = np.array([f.depth for f in falls]) * 1e9
    told = np.array([f.told for f in falls])
    met = depth[depth > 0]
    print(
        f"{speed * 1e6:6.0f}{setpoint:10.1%}{np.mean([f.looks for f in falls]):7.1f}"
        f"{told.mean():8.2%}{(told & (depth < -20)).mean():8.2%}{len(met) / len(falls):8.2%}"
        f"{np.median(met):9.0f}{np.percentile(met, 99):7.0f}{met.max():7.0f}"
        f"{np.count_nonzero(met > 300):10d}",
        flush=True,
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
