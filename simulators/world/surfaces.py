"""Height maps of the samples. Each repeats seamlessly beyond its edges."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulators.config import SampleConfig
from simulators.world.graphite import graphite

Map = NDArray[np.float64]


def build(config: SampleConfig, seed: int) -> tuple[Map, float]:
    """Heights about zero, shape (points, points), m, indexed [y, x]; and the edge length (m)."""
    rng = np.random.default_rng(seed)
    heights, size = _KINDS[config.kind](config, rng)
    return heights - heights.mean(), size


def plane_removed(heights: Map) -> Map:
    """`heights` (n, m) less its least-squares plane."""
    rows, columns = heights.shape
    y, x = np.meshgrid(np.arange(rows) / rows, np.arange(columns) / columns, indexing="ij")
    basis = np.column_stack([x.ravel(), y.ravel(), np.ones(x.size)])
    fit, *_ = np.linalg.lstsq(basis, heights.ravel(), rcond=None)
    return heights - (basis @ fit).reshape(heights.shape)


def rq(heights: Map) -> float:
    """Root-mean-square roughness about the least-squares plane, in the unit of `heights`."""
    return float(np.sqrt(np.mean(plane_removed(heights) ** 2)))


def rough(points: int, size: float, correlation: float, rng: np.random.Generator) -> Map:
    """Periodic Gaussian roughness of unit variance, shape (points, points).

    Its autocorrelation is exp(-(r/correlation)**2), correlation and size in m.
    """
    k = 2 * np.pi * np.fft.fftfreq(points, size / points)
    k2 = k[:, None] ** 2 + k[None, :] ** 2
    spectrum = np.fft.fft2(rng.standard_normal((points, points)))
    heights = np.fft.ifft2(spectrum * np.exp(-k2 * correlation**2 / 8)).real
    heights -= heights.mean()
    return heights / heights.std()


def _flat(config: SampleConfig, rng: np.random.Generator) -> tuple[Map, float]:
    sigma = 0.3e-9 if config.rq is None else config.rq
    return sigma * rough(config.points, config.size, 0.2e-6, rng), config.size


def _hopg(config: SampleConfig, rng: np.random.Generator) -> tuple[Map, float]:
    """Graphite terraces: atomic steps, and a few high edges with a swollen rim 1 um wide.

    Edges go up as often as down, so that the map repeats.
    """
    x = (np.arange(config.points) + 0.5) * config.size / config.points
    terraces = np.zeros_like(x)
    step = 10e-9 if config.step is None else config.step
    for height, pairs in ((step, 2), (0.335e-9, 6)):
        edges = np.sort(rng.uniform(0, config.size, 2 * pairs)).reshape(pairs, 2)
        for up, down in edges:
            terraces[(x >= up) & (x < down)] += height
            if height == step:
                for edge, inward in ((up, 1), (down, -1)):
                    depth = (inward * (x - edge)) % config.size
                    terraces += np.where(depth < 1e-6, 0.3 * step * np.exp(-depth / 0.4e-6), 0)
    sigma = 0.15e-9 if config.rq is None else config.rq
    roughness = sigma * rough(config.points, config.size, 0.2e-6, rng)
    return np.tile(terraces, (config.points, 1)) + roughness, config.size


def _grating(config: SampleConfig, rng: np.random.Generator) -> tuple[Map, float]:
    """Bars along y, half a pitch wide, the map's edge rounded to a whole number of pitches."""
    step = 100e-9 if config.step is None else config.step
    size = max(1, round(config.size / config.pitch)) * config.pitch
    x = (np.arange(config.points) + 0.5) * size / config.points
    from_middle = np.abs((x % config.pitch) - config.pitch / 2)
    bars = np.clip((config.pitch / 4 - from_middle) * math.tan(config.wall) + step / 2, 0, step)
    sigma = 0.3e-9 if config.rq is None else config.rq
    roughness = sigma * rough(config.points, size, 0.2e-6, rng)
    return np.tile(bars, (config.points, 1)) + roughness, size


def _graphite(config: SampleConfig, rng: np.random.Generator) -> tuple[Map, float]:
    undulation = 0.95e-6 * rough(config.points, config.size, 4e-6, rng)
    heights = graphite(undulation, config.size, rng).heights
    return heights * (1.30e-6 if config.rq is None else config.rq) / rq(heights), config.size


_KINDS: dict[str, Callable[[SampleConfig, np.random.Generator], tuple[Map, float]]] = {
    "flat": _flat,
    "tilted": _flat,
    "hopg": _hopg,
    "grating": _grating,
    "graphite": _graphite,
}
