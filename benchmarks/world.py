"""How fast the virtual rig computes its current: `python -m benchmarks.world`.

Prints, for each situation, the median and the spread of several runs at 50 kS/s and a 5 kHz filter.
"""

import statistics
import time

import numpy as np

from simulators.config import NoiseConfig, SampleConfig, SimConfig
from simulators.world import World

SAMPLES, RUNS, PERIOD = 100_000, 7, 2000
FLAT = SampleConfig(kind="flat")
GRAPHITE = SampleConfig(kind="graphite")


def silent(config: SimConfig) -> SimConfig:
    """The same rig without noise, drift and vibration."""
    return config.ideal_stage().model_copy(update={"noise": NoiseConfig.off()})


def seconds(config: SimConfig, above: float | None, sweep: float = 0.0) -> list[float]:
    """Times (s) of the runs, the tip `above` (m) its 2 % set point, or at rest if None.

    sweep: lateral speed (m/s).
    """
    world = World(config, 1)
    z = 19e-6 if above is None else float(world.setpoint_height(50e-6, 50e-6, 0.02)) + above
    drive = np.zeros((SAMPLES, 4))
    drive[:, 0] = 7.0
    drive[:, 1] = sweep * np.arange(SAMPLES) * PERIOD * 1e-8 / 100e-6 * 20
    drive[:, 3] = z / 38e-6 * 20 - 10
    approach = drive[:5000].copy()
    approach[:, 3] = np.linspace(0, drive[0, 3], 5000)
    world.run(approach, PERIOD)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        world.run(drive, PERIOD)
        times.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Print the table."""
    start = time.perf_counter()
    World(SimConfig(), 1).run(np.zeros((2, 4)), PERIOD)
    print(f"first world, compiled or from cache: {time.perf_counter() - start:.1f} s")
    print(
        f"{'situation':34} {'noise':>5} {'ns/sample':>10} {'min-max':>12} {'MS/s':>6} {'x real':>7}"
    )
    situations = (
        ("flat, far", FLAT, None, 0.0),
        ("flat, at the 2 % set point", FLAT, 0.0, 0.0),
        ("graphite, far", GRAPHITE, None, 0.0),
        ("graphite, far, 100 um/s sideways", GRAPHITE, None, 100e-6),
        ("graphite, 300 nm above set point", GRAPHITE, 300e-9, 0.0),
        ("graphite, at the 2 % set point", GRAPHITE, 0.0, 0.0),
    )
    for name, sample, above, sweep in situations:
        for noisy in (True, False):
            config = SimConfig(sample=sample)
            times = seconds(config if noisy else silent(config), above, sweep)
            ns = sorted(t / SAMPLES * 1e9 for t in times)
            middle = statistics.median(ns)
            print(
                f"{name:34} {'on' if noisy else 'off':>5} {middle:10.0f} "
                f"{ns[0]:5.0f}-{ns[-1]:<6.0f} {1e3 / middle:6.2f} {2e4 / middle:7.0f}"
            )


if __name__ == "__main__":
    main()
