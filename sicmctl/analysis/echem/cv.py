"""Numbers of cyclic voltammograms: peaks, and the charge of each half-cycle."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sicmctl.data.echemdata import EchemData

from .segments import Sweep, sweeps

F64 = NDArray[np.float64]

_GRID = 1500
"""Points of potential on which a sweep is looked at."""
PROMINENCE = 0.015
"""A peak stands out from both sides by at least this share of the sweep's span of current."""
SMOOTHING = 0.002
"""Standard deviation of the Gaussian that peaks are looked for behind, share of the potential's
span."""
_NOISE = 8.0
"""... and by this many standard deviations of what noise the smoothing leaves."""
_EDGE = 0.01
"""Share of the potential's span at either end where there is no peak."""


@dataclass(frozen=True, slots=True)
class Peak:
    """A peak of one sweep.

    potential: V. current: A, from zero. height: A, over the higher of its two feet. width: V, at
    half of that height. anodic: on the sweep towards anodic.
    """

    cycle: int
    anodic: bool
    potential: float
    current: float
    height: float
    width: float


@dataclass(frozen=True, slots=True)
class HalfCycle:
    """One sweep. start, end: V. rate: V/s, its median size. charge: C, anodic > 0, by the
    trapezoidal rule. highest, lowest: current, A. overloads: samples without a valid current."""

    cycle: int
    rising: bool
    start: float
    end: float
    rate: float
    charge: float
    highest: float
    lowest: float
    overloads: int
    peaks: tuple[Peak, ...]


def half_cycles(data: EchemData) -> list[HalfCycle]:
    """Return the numbers of each sweep, in order."""
    return [_half_cycle(data, sweep) for sweep in sweeps(data)]


def _half_cycle(data: EchemData, sweep: Sweep) -> HalfCycle:
    time, potential, current = (
        column[sweep.slice] for column in (data.time, data.potential, data.current)
    )
    good = data.good[sweep.slice]
    valid = current[good] if good.any() else np.array([math.nan])
    return HalfCycle(
        cycle=sweep.cycle,
        rising=sweep.rising,
        start=float(potential[0]),
        end=float(potential[-1]),
        rate=abs(float(potential[-1] - potential[0])) / max(float(np.ptp(time)), 1e-300),
        charge=float(np.trapezoid(current, time)),
        highest=float(valid.max()),
        lowest=float(valid.min()),
        overloads=int((~good).sum()),
        peaks=tuple(find(potential[good], current[good], sweep.rising, sweep.cycle)),
    )


def find(potential: F64, current: F64, rising: bool, cycle: int = 0) -> list[Peak]:
    """Return the peaks of a sweep: maxima where it rises, minima where it falls. Shapes (n,).

    The current is brought onto an even grid of potential and smoothed by a Gaussian (`SMOOTHING`);
    a peak stands out by `PROMINENCE`. Heights are those of the smoothed current.
    """
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415  (slow to import)
    from scipy.signal import find_peaks, peak_widths  # noqa: PLC0415

    grid, raw = on_grid(potential, current)
    if grid.size < 5 or not np.ptp(raw) > 0:
        return []
    width = max(SMOOTHING * grid.size, 0.5)
    smooth = np.asarray(gaussian_filter1d(raw, width, mode="nearest"), np.float64)
    sign = 1.0 if rising else -1.0
    y = sign * smooth
    least = max(PROMINENCE * float(np.ptp(y)), _NOISE * _left(raw, width))
    places, found = find_peaks(y, prominence=least)
    widths = peak_widths(y, places, 0.5, (found["prominences"], found["left_bases"],
                                          found["right_bases"]))[0]  # fmt: skip
    step = float(grid[1] - grid[0])
    margin = _EDGE * grid.size
    peaks = [
        Peak(cycle, rising, *_vertex(grid, smooth, int(k)), float(height), float(width * step))
        for k, height, width in zip(places, found["prominences"], widths, strict=True)
        if margin <= k <= grid.size - 1 - margin
    ]
    return peaks if rising else peaks[::-1]


def on_grid(potential: F64, values: F64) -> tuple[F64, F64]:
    """Return an even grid over the potential's span and the values on it.

    Values at the same place of the grid are averaged, gaps are bridged by straight lines. Empty if
    there is no span.
    """
    if potential.size < 5 or not np.ptp(potential) > 0:
        return np.empty(0), np.empty(0)
    low, high = float(potential.min()), float(potential.max())
    bins = int(min(_GRID, potential.size))
    place = np.clip(((potential - low) / (high - low) * (bins - 1)).round(), 0, bins - 1)
    place = place.astype(np.int64)
    hits = np.bincount(place, minlength=bins)
    sums = np.bincount(place, values, minlength=bins)
    grid, hit = np.linspace(low, high, bins), hits > 0
    return grid, np.interp(grid, grid[hit], sums[hit] / hits[hit])


def _left(raw: F64, width: float) -> float:
    """Return the standard deviation of the noise behind a Gaussian `width` points wide.

    White noise, of which second differences tell the size (their variance is six times its).
    """
    size = 1.4826 * float(np.median(np.abs(np.diff(raw, 2)))) / math.sqrt(6)
    return size / math.sqrt(2 * math.sqrt(math.pi) * width)


def _vertex(grid: F64, values: F64, k: int) -> tuple[float, float]:
    """Return place and value of the top of the parabola through three points."""
    left, middle, right = (float(v) for v in values[k - 1 : k + 2])
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    step = float(grid[1] - grid[0])
    return float(grid[k]) + shift * step, middle - 0.25 * (left - right) * shift
