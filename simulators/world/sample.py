"""The sample: a periodic height map on an inclined plane."""

# ruff: noqa: PLR0917  (compiled code takes its arrays by position)

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.compiled import compiled, lean
from simulators.config import SampleConfig
from simulators.world import surfaces
from simulators.world.pack import packed
from simulators.world.pipette import RING_RADII, SECTORS

_PERMEABILITY = {"graphite": 0.08}
_TILT = {"tilted": math.radians(2)}

_ANGLES = 2 * np.pi * np.arange(SECTORS) / SECTORS
_COS, _SIN = np.cos(_ANGLES), np.sin(_ANGLES)


class Surface(NamedTuple):
    """What the compiled code needs of a sample (SI)."""

    spacing: float
    left: float
    """x of column 0."""
    bottom: float
    """y of row 0."""
    slope_x: float
    slope_y: float
    mean: float
    """Height of the plane at (left, bottom), everything included."""
    top: float
    """Highest point of the map above the plane."""


@dataclass(frozen=True)
class Sample:
    """A sample in the stage's coordinates, the map's middle at the middle of the scan range."""

    config: SampleConfig
    map: NDArray[np.float64]
    """Heights about the mean plane, shape (n, n), m, indexed [y, x]; repeats beyond its edge."""
    size: float
    centre: tuple[float, float]
    offset: float = 0.0
    """By which the sample has been moved up (m)."""

    @classmethod
    def build(cls, config: SampleConfig, seed: int, centre: tuple[float, float]) -> "Sample":
        """Make the surface; `seed` serves where the configuration has none of its own."""
        heights, size = surfaces.build(config, seed if config.seed is None else config.seed)
        return cls(config, heights, size, centre)

    def moved(self, offset: float) -> "Sample":
        """The same sample, `offset` (m) above its first place."""
        return replace(self, offset=offset)

    @property
    def permeability(self) -> float:
        """Conductivity over the electrolyte's."""
        given = self.config.permeability
        return _PERMEABILITY.get(self.config.kind, 0.0) if given is None else given

    def surface(self) -> Surface:
        """The numbers the compiled code works with."""
        c = self.config
        tilt = _TILT.get(c.kind, 0.0) if c.tilt is None else c.tilt
        slope_x = math.tan(tilt) * math.cos(c.tilt_direction)
        slope_y = math.tan(tilt) * math.sin(c.tilt_direction)
        left, bottom = (middle - self.size / 2 for middle in self.centre)
        mean = c.height + self.offset - (slope_x + slope_y) * self.size / 2
        spacing = self.size / len(self.map)
        return Surface(spacing, left, bottom, slope_x, slope_y, mean, float(self.map.max()))

    def height(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Height (m) at x, y (m; broadcast against each other) in the stage's coordinates."""
        xs, ys = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        flat = _heights(packed(self.surface()), self.map, xs.ravel(), ys.ravel())
        return flat.reshape(xs.shape)


@lean()
def height(surface, h, x, y):
    """Bilinear height (m) at one point; h: the map, shape (n, n), m."""
    n = h.shape[0]
    u = (x - surface.left) / surface.spacing
    v = (y - surface.bottom) / surface.spacing
    i, j = math.floor(u), math.floor(v)
    fu, fv = u - i, v - j
    i0, j0 = _wrapped(int(i), n), _wrapped(int(j), n)
    i1, j1 = _wrapped(i0 + 1, n), _wrapped(j0 + 1, n)
    low = h[j0, i0] + fu * (h[j0, i1] - h[j0, i0])
    high = h[j1, i0] + fu * (h[j1, i1] - h[j1, i0])
    return plane(surface, x, y) + low + fv * (high - low)


@lean(inline="always")
def _wrapped(i, n):
    """The index `i` of a map that repeats; divides, which takes long, only where it must."""
    return i if 0 <= i < n else i % n


@lean()
def plane(surface, x, y):
    """Height (m) of the mean plane at one point."""
    tilt = surface.slope_x * (x - surface.left) + surface.slope_y * (y - surface.bottom)
    return surface.mean + tilt


@compiled()
def _heights(surface, h, x, y):
    out = np.empty(x.size)
    for k in range(x.size):
        out[k] = height(surface, h, x[k], y[k])
    return out


@lean()
def look(surface, relief, radius, contact_radius, x, y, local):
    """Fill `local` with the heights under a tip of inner radius `radius` at x, y.

    local: shape (SECTORS, 3), m; the heights seen by the sectors of the tip current.
    Returns (low, high, top, steepness): bounds of `local` (m), the highest point within the
    contact radius (m), and the slope from its mean up to that point.
    """
    low, high = 1e9, -1e9
    top = height(surface, relief, x, y)
    mean = 0.0
    for t in range(SECTORS):
        for k in range(3):
            r = radius * RING_RADII[k]
            h = height(surface, relief, x + r * _COS[t], y + r * _SIN[t])
            local[t, k] = h
            low, high = min(low, h), max(high, h)
            if r <= contact_radius:
                top = max(top, h)
        h = height(surface, relief, x + contact_radius * _COS[t], y + contact_radius * _SIN[t])
        mean += h / SECTORS
        top = max(top, h)
    return low, high, top, (top - mean) / contact_radius
