"""Measured heights, found by where they are: near a point, or along a way."""

from collections import defaultdict
from dataclasses import dataclass, field
from math import floor

import numpy as np

from sicmctl.hal.capabilities import F64

_SAME_PLACE = 1e-9
"""Points closer than this are one place, m."""


@dataclass
class Places:
    """Points with heights, kept in square cells so that only those nearby are looked at.

    reach: how far from a point or a way others count as near, m; also the size of a cell.
    """

    reach: float
    _points: F64 = field(default_factory=lambda: np.empty((0, 3)))
    _count: int = 0
    _numbers: dict[tuple[int, int], int] = field(default_factory=dict)
    _cells: defaultdict[tuple[int, int], list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def __len__(self) -> int:
        return self._count

    @property
    def all(self) -> F64:
        """x, y and height of all points, m, shape (n, 3)."""
        return self._points[: self._count]

    def add(self, x: float, y: float, z: float) -> None:
        """Remember a height, m; a place measured again counts with its latest height."""
        number = self._numbers.setdefault(same_place(x, y), self._count)
        if number == self._count:
            self._count += 1
            self._cells[floor(x / self.reach), floor(y / self.reach)].append(number)
            if self._count > len(self._points):
                grown = np.empty((max(64, 2 * self._count), 3))
                grown[:number] = self._points[:number]
                self._points = grown
        self._points[number] = x, y, z

    def rise(self, by: float) -> None:
        """Take all to have become higher, m."""
        self._points[: self._count, 2] += by

    def near(self, x: float, y: float) -> F64:
        """Heights within reach of a point, m."""
        return self.along(x, y, x, y)

    def along(self, ax: float, ay: float, bx: float, by: float) -> F64:
        """Heights within reach of the straight way from a to b, m."""
        x, y, z = self._beside(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
        dx, dy = bx - ax, by - ay
        px, py = x - ax, y - ay
        if length2 := dx * dx + dy * dy:
            t = np.clip((px * dx + py * dy) / length2, 0, 1)
            px, py = px - t * dx, py - t * dy
        return z[px * px + py * py <= self.reach**2]

    def _beside(self, left: float, bottom: float, right: float, top: float) -> F64:
        """Points in the cells of a rectangle, and in those beside it, shape (3, n)."""
        size = self.reach
        columns = range(floor(left / size) - 1, floor(right / size) + 2)
        rows = range(floor(bottom / size) - 1, floor(top / size) + 2)
        if len(columns) * len(rows) >= len(self._cells):
            return self.all.T
        cells = (self._cells.get((i, j)) for i in columns for j in rows)
        numbers = [number for cell in cells if cell for number in cell]
        return self._points[numbers].T


def same_place(x: float, y: float) -> tuple[int, int]:
    """What all points of one place, of a nanometre, have in common."""
    return round(x / _SAME_PLACE), round(y / _SAME_PLACE)
