"""Differential capacity dQ/dE and differential potential dE/dQ of a half-cycle."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

GRID = 2e-3
"""Width of the bins of potential, V."""
SMOOTHING = 2e-3
"""Standard deviation of the Gaussian over potential, V."""
SHARE = 0.005
"""Standard deviation of the Gaussian over charge, share of the whole."""
_CHARGES = 1000
_NARROWEST = 1e-6
"""Volts over which charge is spread that passed at one potential."""


def capacity_density(
    charge: F64, potential: F64, grid: float = GRID, smoothing: float = SMOOTHING
) -> tuple[F64, F64]:
    """Return potential (V, centres of bins, rising) and |dQ/dE| (C/V).

    charge (C), potential (V): along the half-cycle, shape (n,). The charge passed between two
    samples is spread evenly over the potential between them, collected in bins of `grid` and
    smoothed by a Gaussian of standard deviation `smoothing` (V). Nothing is divided by a difference
    of two noisy potentials, and the integral is the charge. Empty for fewer than two samples.
    """
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415  (slow to import)

    if charge.size < 2 or not np.ptp(potential) > 0:
        return np.empty(0), np.empty(0)
    margin = 4 * smoothing
    low, high = float(potential.min()) - margin, float(potential.max()) + margin
    bins = max(int(np.ceil((high - low) / grid)), 1)
    edges: F64 = low + grid * np.arange(bins + 1, dtype=np.float64)
    density = np.diff(_below(charge, potential, edges))
    centres = 0.5 * (edges[:-1] + edges[1:])
    if smoothing > 0:
        density = gaussian_filter1d(density, smoothing / grid, mode="constant", truncate=4)
    return centres, np.abs(density) / grid


def _below(charge: F64, potential: F64, edges: F64) -> F64:
    """Return the charge passed below each of some potentials.

    Each interval between samples adds a constant density from its lower to its upper end.
    """
    lower = np.minimum(potential[1:], potential[:-1])
    width = np.maximum(np.abs(np.diff(potential)), _NARROWEST)
    density = np.diff(charge) / width
    ends = np.concatenate([lower, lower + width])
    order = np.argsort(ends, kind="stable")
    ends = ends[order]
    total = np.cumsum(np.concatenate([density, -density])[order])
    passed = np.concatenate([[0.0], np.cumsum(total[:-1] * np.diff(ends))])
    return np.interp(edges, ends, passed)


def potential_slope(charge: F64, potential: F64, share: float = SHARE) -> tuple[F64, F64]:
    """Return charge (C) and dE/dQ (V/C), shape (1000,).

    The potential is interpolated on an even grid of charge and differentiated by the derivative of
    a Gaussian whose standard deviation is `share` of the whole charge. Empty if no charge passed.
    """
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415  (slow to import)

    rising = np.maximum.accumulate(charge)
    keep = np.concatenate([[True], np.diff(rising) > 0]) if charge.size else np.empty(0, bool)
    if keep.sum() < 5:
        return np.empty(0), np.empty(0)
    grid = np.linspace(rising[keep][0], rising[keep][-1], _CHARGES)
    even = np.interp(grid, rising[keep], potential[keep])
    slope = gaussian_filter1d(even, share * _CHARGES, order=1, mode="nearest")
    edge = int(3 * share * _CHARGES)
    return grid[edge:-edge], (slope / (grid[1] - grid[0]))[edge:-edge]
