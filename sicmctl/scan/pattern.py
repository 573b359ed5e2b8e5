"""Where the tip goes: the targets of a scan, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sicmctl.config.scan import LineScan, ListScan, PointScan, RasterScan
from sicmctl.hal.capabilities import F64, Axis
from sicmctl.hal.errors import SicmError
from sicmctl.hal.quantity import show

AnyPattern = PointScan | LineScan | RasterScan | ListScan


class PatternError(SicmError):
    """The targets of a scan cannot be made or reached."""


@dataclass(frozen=True)
class Targets:
    """The targets of a scan in the order in which they are visited.

    x, y: m, shape (n,). row, column: where each lies in the frame, int32. shape: of the frame.
    extent: (x0, x1, y0, y1), m, of the frame's outermost pixel centres.
    pitch: distance between neighbouring targets, m.
    """

    pattern: str
    x: F64
    y: F64
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    shape: tuple[int, int]
    extent: tuple[float, float, float, float]
    pitch: float

    def __len__(self) -> int:
        return len(self.x)

    def moved(self, dx: float, dy: float) -> "Targets":
        """The same targets, all moved by so much, m."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def within(self, axes: Mapping[str, Axis]) -> bool:
        """Whether the stage reaches all of them."""
        return all(
            float(end) in axes[name].travel
            for name, values in (("x", self.x), ("y", self.y))
            for end in (values.min(), values.max())
        )


def targets(scan: AnyPattern, axes: Mapping[str, Axis]) -> Targets:
    """Return the targets of a scan; raises PatternError if one lies beyond the travel."""
    middle = tuple((axes[a].travel.low + axes[a].travel.high) / 2 for a in "xy")
    match scan:
        case PointScan():
            made = _point(scan, middle)
        case LineScan():
            made = _line(scan)
        case RasterScan():
            made = raster(scan.extent, scan.pixels, _corner(scan, middle), scan.angle, scan.mode)
        case ListScan():
            made = _list(scan)
    _check(made, axes)
    return made


def raster(
    size: tuple[float, float],
    pixels: tuple[int, int],
    corner: tuple[float, float],
    angle: float = 0.0,
    mode: str = "serpentine",
) -> Targets:
    """Return a raster: rows along x, from the corner of least x and y, turned about it."""
    columns, rows = pixels
    u = np.linspace(0, size[0], columns)
    v = np.linspace(0, size[1], rows)
    column = np.tile(np.arange(columns, dtype=np.int32), (rows, 1))
    if mode == "serpentine":
        column[1::2] = column[1::2, ::-1]
    row = np.repeat(np.arange(rows, dtype=np.int32), columns)
    column = column.ravel()
    x = corner[0] + u[column] * np.cos(angle) - v[row] * np.sin(angle)
    y = corner[1] + u[column] * np.sin(angle) + v[row] * np.cos(angle)
    pitch = max(size[0] / max(columns - 1, 1), size[1] / max(rows - 1, 1))
    extent = (corner[0], corner[0] + size[0], corner[1], corner[1] + size[1])
    return Targets("raster", x, y, row, column, (rows, columns), extent, pitch)


def three_apart(made: Targets) -> Targets:
    """Return three targets far from each other, the first target last.

    Of several rows three corners, of one row both ends and the middle.
    """
    order = np.lexsort((made.column, made.row))
    rows, columns = made.shape
    alone = rows == 1 or made.pattern == "line"
    at = (columns - 1, columns // 2, 0) if alone else ((rows - 1) * columns, columns - 1, 0)
    chosen = order[list(at)]
    return Targets(
        "list",
        made.x[chosen],
        made.y[chosen],
        np.zeros(3, np.int32),
        np.arange(3, dtype=np.int32),
        (1, 3),
        made.extent,
        made.pitch,
    )


def _corner(scan: RasterScan, middle: tuple[float, ...]) -> tuple[float, float]:
    if scan.origin is not None:
        return scan.origin
    centre = scan.centre or middle
    half = np.array(scan.extent) / 2
    turn = np.array(
        [[np.cos(scan.angle), -np.sin(scan.angle)], [np.sin(scan.angle), np.cos(scan.angle)]]
    )
    corner = np.array(centre) - turn @ half
    return float(corner[0]), float(corner[1])


def _point(scan: PointScan, middle: tuple[float, ...]) -> Targets:
    x = middle[0] if scan.x is None else scan.x
    y = middle[1] if scan.y is None else scan.y
    n = scan.repeats or 1
    return _repeated("point", np.array([x]), np.array([y]), n)


def _line(scan: LineScan) -> Targets:
    start = np.array(scan.start)
    if scan.end is not None:
        end = np.array(scan.end)
    else:
        angle = scan.angle or 0.0
        end = start + (scan.length or 0.0) * np.array([np.cos(angle), np.sin(angle)])
    along = np.linspace(0, 1, scan.points)[:, None]
    points = start + along * (end - start)
    return _repeated("line", points[:, 0], points[:, 1], scan.repeats)


def _repeated(pattern: str, x: F64, y: F64, repeats: int) -> Targets:
    """Return the points again and again; each pass is a row of the frame."""
    n = len(x)
    row = np.repeat(np.arange(repeats, dtype=np.int32), n)
    column = np.tile(np.arange(n, dtype=np.int32), repeats)
    extent = (float(x[0]), float(x[-1]), float(y[0]), float(y[-1]))
    pitch = float(np.hypot(x[-1] - x[0], y[-1] - y[0])) / max(n - 1, 1)
    return Targets(
        pattern, np.tile(x, repeats), np.tile(y, repeats), row, column, (repeats, n), extent, pitch
    )


def _list(scan: ListScan) -> Targets:
    if not scan.points:
        raise PatternError("the list of points is empty or was not read")
    xy = np.array(scan.points, dtype=float)
    n = len(xy)
    extent = (float(xy[:, 0].min()), float(xy[:, 0].max()),
              float(xy[:, 1].min()), float(xy[:, 1].max()))  # fmt: skip
    steps = np.hypot(*np.diff(xy, axis=0).T) if n > 1 else np.zeros(1)
    row = np.zeros(n, dtype=np.int32)
    column = np.arange(n, dtype=np.int32)
    return Targets("list", xy[:, 0], xy[:, 1], row, column, (1, n), extent, float(np.max(steps)))


def _check(made: Targets, axes: Mapping[str, Axis]) -> None:
    for name, values in (("x", made.x), ("y", made.y)):
        travel = axes[name].travel
        low, high = float(values.min()), float(values.max())
        if low not in travel or high not in travel:
            raise PatternError(
                f"the scan reaches from {show(low, 'm')} to {show(high, 'm')} along {name}; "
                f"the travel is {travel}"
            )
