"""How the sample creeps away under the tip: followed from revisits and from frame to frame.

The stage's own sensors do not see it. A place measured again tells the drift along z; two frames
of the same area, laid upon each other, tell all three directions.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sicmctl.hal.capabilities import F64

_RATE_SPREAD = 2e-9
"""Prior standard deviation of a drift rate, m/s: a stage in its first hour."""
_UNREST = 2e-12
"""By how much a drift rate wanders in a second, m/s per sqrt(s): 0.1 nm/s in an hour."""


_ALIKE = 0.5
"""Two frames whose difference is larger than this part of what there is to see are not alike."""


_FLAT = 1e-12
"""Standard deviation of heights below which there is nothing to see, m."""


class DriftTrack:
    """Drift along one axis: a Kalman filter of offset and constant rate, from rest at its first.

    Offset zero is where the sample was at the first measurement.
    """

    def __init__(self, rate_spread: float = _RATE_SPREAD, unrest: float = _UNREST) -> None:
        self._unrest = unrest
        self._spread = rate_spread
        self._time: float | None = None
        self._state = np.zeros(2)
        self._covariance = np.zeros((2, 2))

    @property
    def rate(self) -> float:
        """Present drift rate, m/s."""
        return float(self._state[1])

    @property
    def rate_sd(self) -> float:
        """Its standard uncertainty, m/s."""
        return float(self._covariance[1, 1] ** 0.5)

    @property
    def known(self) -> bool:
        """Whether anything was measured yet."""
        return self._time is not None

    def begin(self, time: float) -> None:
        """Count offsets from this time, s, on."""
        self._time = time
        self._state = np.zeros(2)
        self._covariance = np.diag([0.0, self._spread**2])

    def measure(self, time: float, offset: float, sd: float) -> None:
        """Take in an offset measured at a time: m, with its standard uncertainty."""
        state, covariance = self._predict(time)
        gain = covariance[:, 0] / (covariance[0, 0] + sd**2)
        self._state = state + gain * (offset - state[0])
        self._covariance = covariance - np.outer(gain, covariance[0])
        self._time = time

    def at(self, time: float) -> tuple[float, float]:
        """Return offset and standard uncertainty at a time (s), m; zero before the first."""
        if self._time is None:
            return 0.0, 0.0
        state, covariance = self._predict(time)
        return float(state[0]), float(covariance[0, 0] ** 0.5)

    def _predict(self, time: float) -> tuple[F64, F64]:
        if self._time is None:
            raise ValueError("begin before you measure")
        dt = time - self._time
        move = np.array([[1.0, dt], [0.0, 1.0]])
        q, age = self._unrest**2, abs(dt)
        unrest = q * np.array([[age**3 / 3, age**2 / 2], [age**2 / 2, age]])
        return move @ self._state, move @ self._covariance @ move.T + unrest


@dataclass
class Creep:
    """Where the sample of a scan is by now: its way since the scan began, m.

    x, y: by how much all targets were moved, to meet the places of an earlier frame. z: followed
    while the scan goes on.
    """

    x: float = 0.0
    y: float = 0.0
    z: DriftTrack = field(default_factory=DriftTrack)


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one frame lies from another, m, with standard uncertainties.

    Add dx, dy to a place of the first frame to find it in the second, dz to its height.
    """

    dx: float
    dy: float
    dz: float
    sd: tuple[float, float, float]


def shift_between(
    before: F64, after: F64, pitch: tuple[float, float], reach: int = 4
) -> Shift | None:
    """Lay one frame of heights upon another of the same area; None if they do not fit.

    before, after: m, shape (rows, columns), NaN where there is no height. pitch: distance of
    pixels along y (rows) and x (columns), m. reach: largest shift looked for, pixels.

    Whole pixels by exhaustive search, their fractions by least squares with a robust loss on a
    cubic spline through the first frame, its mean plane taken off both. None where fewer than a
    quarter of the pixels overlap, the frame is too smooth to tell, or what is left of the
    difference is no smaller than half of what there is to see.
    """
    from scipy.ndimage import map_coordinates, spline_filter  # noqa: PLC0415
    from scipy.optimize import least_squares  # noqa: PLC0415

    if before.shape != after.shape or min(before.shape) < 2 * reach:
        return None
    plane, (per_row, per_column) = _plane(before)
    before, after = before - plane, after - plane
    scale, coarse = _spread(before), _whole_pixels(before, after, reach)
    if coarse is None or not scale > _FLAT:
        return None
    row, column, dz = coarse
    filled, holes = _filled(before)
    used = _well_inside(holes, row, column) & np.isfinite(after)
    if np.count_nonzero(used) < after.size / 4:
        return None
    spline, seen = spline_filter(filled, order=3), after[used]
    places = np.array(np.nonzero(used), dtype=np.float64)

    def residuals(x: F64) -> F64:
        known = map_coordinates(spline, places - x[:2, None], order=3, prefilter=False)
        return (seen - known) / scale - x[2]

    found = least_squares(residuals, [row, column, dz / scale], loss="soft_l1", f_scale=0.05)
    left, there = np.median(np.abs(residuals(found.x))), np.median(np.abs(seen - np.median(seen)))
    alike = left <= _ALIKE * there / scale
    if not alike or np.abs(found.x[:2] - (row, column)).max() > 1:
        return None
    curvature = found.jac.T @ found.jac
    if np.linalg.cond(curvature) > 1e8:
        return None
    variance = float(found.fun @ found.fun) / max(len(seen) - 3, 1)
    sd = np.sqrt(np.diag(np.linalg.inv(curvature)) * variance)
    dy, dx = found.x[0] * pitch[0], found.x[1] * pitch[1]
    dz = found.x[2] * scale + found.x[0] * per_row + found.x[1] * per_column
    spreads = float(sd[1] * pitch[1]), float(sd[0] * pitch[0]), float(sd[2] * scale)
    return Shift(float(dx), float(dy), float(dz), spreads)


def _plane(frame: F64) -> tuple[F64, tuple[float, float]]:
    """Return the mean plane of a frame, of its shape, and its slopes, m per row and column."""
    row, column = np.array(np.indices(frame.shape), dtype=np.float64)
    known = np.isfinite(frame)
    if np.count_nonzero(known) < 3:
        return np.zeros(frame.shape), (0.0, 0.0)
    matrix = np.column_stack((row[known], column[known], np.ones(np.count_nonzero(known))))
    (per_row, per_column, level), *_ = np.linalg.lstsq(matrix, frame[known], rcond=None)
    return per_row * row + per_column * column + level, (float(per_row), float(per_column))


def _well_inside(holes: NDArray[np.bool_], row: int, column: int) -> NDArray[np.bool_]:
    """Pixels of the second frame whose places in the first are surrounded by known ones."""
    from scipy.ndimage import binary_erosion  # noqa: PLC0415

    good = np.asarray(binary_erosion(~holes), dtype=np.bool_)  # the four beside it are known too
    moved = np.zeros(good.shape, dtype=np.bool_)
    _overlap(moved, row, column)[:] = _overlap(good, -row, -column)
    return moved


def _whole_pixels(before: F64, after: F64, reach: int) -> tuple[int, int, float] | None:
    """Return rows, columns and dz (m) of the best shift by whole pixels."""
    best, found = np.inf, None
    for row in range(-reach, reach + 1):
        for column in range(-reach, reach + 1):
            difference = _overlap(after, row, column) - _overlap(before, -row, -column)
            difference = difference[np.isfinite(difference)]
            if len(difference) < after.size / 4:
                continue
            dz = float(np.median(difference))
            misfit = float(np.mean(np.abs(difference - dz)))
            if misfit < best:
                best, found = misfit, (row, column, dz)
    return found


def _overlap(frame: NDArray[Any], row: int, column: int) -> NDArray[Any]:
    """The part of a frame that is left when it is shifted over its own border."""
    rows, columns = frame.shape
    return frame[max(row, 0) : rows + min(row, 0), max(column, 0) : columns + min(column, 0)]


def _filled(frame: F64) -> tuple[F64, NDArray[np.bool_]]:
    """Fill holes with their nearest neighbours; return that and where the holes were."""
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415

    holes = ~np.isfinite(frame)
    if not holes.any():
        return frame, holes
    nearest = distance_transform_edt(holes, return_distances=False, return_indices=True)
    return frame[tuple(np.asarray(nearest))], holes


def _spread(frame: F64) -> float:
    finite = frame[np.isfinite(frame)]
    return float(finite.std()) if len(finite) else 0.0
