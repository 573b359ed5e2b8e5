"""Height estimates by method and fall rate: bias, scatter, honesty, bound and time per hop.

    python benchmarks/height.py [hops per row]

Simulated flat sample, 50 nm tip, 3.2 nA, 2 % setpoint, ideal stage, seeded.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import cast

import numpy as np

from sicmctl.scan.curve import Tip
from sicmctl.scan.height import Approach, Height, estimate, fit_many
from sicmctl.scan.height_types import METHODS
from sicmctl.scan.noise import NoiseModel
from sicmctl.scan.speed import crlb

ROOT = Path(__file__).parents[1]
TIP, NOISE, CURRENT = Tip(), NoiseModel(), 3.208e-9
ROWS: list[tuple[str, dict[str, float]]] = [
    ("30 nm/ms, 5 kHz", {"speed": 30e-6}),
    ("30 nm/ms, 10 kHz", {"speed": 30e-6, "filter_hz": 10e3}),
    ("30 nm/ms, 2 kHz, 10 kS/s", {"speed": 30e-6, "filter_hz": 2e3, "rate": 10e3}),
    ("100 nm/ms, 5 kHz", {"speed": 100e-6}),
    ("500 nm/ms, 10 kHz", {"speed": 500e-6, "filter_hz": 10e3, "reaction": 0.02e-3}),
    ("30 nm/ms, shaken 0.5 nm", {"vibration": 0.5e-9, "sensor": 0.5e-9}),
    ("30 nm/ms, mains 2 pA", {"hum": 2e-12}),
    ("30 nm/ms, gap scale 1.5", {"stretch": 1.5}),
]


def main(count: int = 200) -> None:
    """Print the table."""
    path = ROOT / "tests" / "unit" / "scan" / "height" / "records.py"
    record = cast(Callable[..., Approach], runpy.run_path(str(path))["record"])
    print(f"{count} hops a row; bias, sd, stated sd and bound in nm\n")
    print(f"{'':26}{'method':10}{'bias':>8}{'sd':>7}{'stated':>8}{'bound':>7}{'lost':>6}{'ms':>7}")
    for name, world in ROWS:
        rng = np.random.default_rng(1)
        records = [record(rng, **world) for _ in range(count)]
        bound = crlb(TIP, CURRENT, world.get("speed", 30e-6), 0.02, NOISE.white)
        for method in METHODS:
            estimate(records[0], TIP, method)
            begin = perf_counter()
            heights = [estimate(a, TIP, method) for a in records]
            line(name, method, heights, bound, (perf_counter() - begin) / count)
        begin = perf_counter()
        heights = fit_many(records, TIP)
        line(name, "fit_many", heights, bound, (perf_counter() - begin) / count)


def line(name: str, method: str, heights: list[Height], bound: float, time: float) -> None:
    """Print one row."""
    value = np.array([h.value for h in heights]) * 1e9
    stated = np.array([h.sd for h in heights]) * 1e9
    found = np.isfinite(value)
    print(
        f"{name:26}{method:10}{value[found].mean():8.2f}{value[found].std():7.2f}"
        f"{stated[found].mean():8.2f}{bound * 1e9:7.2f}{np.sum(~found):6d}{time * 1e3:7.2f}"
    )


if __name__ == "__main__":
    main(*[int(x) for x in sys.argv[1:2]])
