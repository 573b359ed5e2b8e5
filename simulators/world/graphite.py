"""A composite graphite electrode: flakes stamped on an undulating ground.

Flakes of 2-4 um visible size with steep edges, after the images of Takahashi et al., JACS Au 3,
1089 (2023); thickness, dip and number are free choices.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_COUNT = 150
_ON = (20e-6) ** 2
"""The area (m2) that `_COUNT` flakes belong to."""
_SUNK = 0.15e-6


class Composite(NamedTuple):
    """Maps of shape (n, n), indexed [y, x]."""

    heights: NDArray[np.float64]
    flake: NDArray[np.int32]
    """Number of the flake that shows, -1 for the ground."""
    under: NDArray[np.float64]
    """Heights just under that flake: what shows when it comes off."""


def graphite(ground: NDArray[np.float64], size: float, rng: np.random.Generator) -> Composite:
    """Stamp flakes on `ground`, shape (n, n), m, of edge `size` (m), wrapping at its edges."""
    heights, under = ground.copy(), ground.copy()
    flake = np.full(ground.shape, -1, dtype=np.int32)
    for number in range(max(1, round(_COUNT * size**2 / _ON))):
        rows, columns, stamped, inside = _stamp(heights, size, rng)
        window = np.ix_(rows, columns)
        old = heights[window]
        shows = inside & (stamped > old)
        heights[window] = np.where(shows, stamped, old)
        under[window] = np.where(shows, old, under[window])
        flake[window] = np.where(shows, np.int32(number), flake[window])
    return Composite(heights, flake, under)


def _stamp(
    heights: NDArray[np.float64], size: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """One flake: the wrapped rows and columns of its window, its top there, and where it is."""
    n = len(heights)
    spacing = size / n
    centre = rng.uniform(0, size, 2)
    corners = _outline(rng)
    reach = int(np.abs(corners).max() / spacing) + 2
    middle = (centre / spacing).astype(int)
    steps = np.arange(-reach, reach + 1)
    dx = (middle[0] + steps) * spacing - centre[0]
    dy = (middle[1] + steps) * spacing - centre[1]
    columns, rows = (middle[0] + steps) % n, (middle[1] + steps) % n

    depth = np.full((dy.size, dx.size), np.inf)  # distance inside the nearest edge
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        nx, ny = (a[1] - b[1], b[0] - a[0]) / np.hypot(*(b - a))
        bevel = math.tan(math.radians(rng.uniform(65, 80)))
        edge = (dx[None, :] - a[0]) * nx + (dy[:, None] - a[1]) * ny
        depth = np.minimum(depth, edge * bevel)

    seats = np.vstack([corners, np.zeros((1, 2))])
    ground = [heights[int((centre[1] + y) / spacing) % n, int((centre[0] + x) / spacing) % n]
              for x, y in seats]  # fmt: skip
    base = 0.5 * (np.mean(ground[:-1]) + ground[-1]) - _SUNK
    dip, azimuth = math.radians(abs(rng.normal(0, 9))), rng.uniform(0, 2 * math.pi)
    lean = math.tan(dip) * (dx[None, :] * math.cos(azimuth) + dy[:, None] * math.sin(azimuth))
    top = base + lean + np.minimum(rng.uniform(0.5e-6, 1.4e-6), depth)
    return rows, columns, top, depth > 0


def _outline(rng: np.random.Generator) -> NDArray[np.float64]:
    """Corners of a convex 5- to 7-gon about the origin, shape (corners, 2), m, anticlockwise."""
    count = int(rng.integers(5, 8))
    diameter, aspect = rng.normal(4.0e-6, 0.45e-6), rng.uniform(0.65, 1.0)
    spread = 2 * np.pi / count
    angles = spread * np.arange(count) + rng.uniform(-0.25, 0.25, count) * spread
    # corners on an ellipse are convex; scaled so that the area is that of the given diameter
    corners = np.column_stack([np.cos(angles), aspect * np.sin(angles)])
    x, y = corners.T
    area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    corners *= math.sqrt(math.pi * diameter**2 / 4 / area)
    turn = rng.uniform(0, 2 * math.pi)
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return corners @ rotation
