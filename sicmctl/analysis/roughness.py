"""Planes and roughness of height frames with gaps (NaN)."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plane:
    """z = offset + slope_x * x + slope_y * y. offset in the unit of z, slopes in it per m."""

    offset: float
    slope_x: float = 0.0
    slope_y: float = 0.0

    def at(self, y: F64, x: F64) -> F64:
        """Return the plane on axes y, shape (rows,), and x, shape (columns,)."""
        return self.offset + self.slope_x * x[None, :] + self.slope_y * y[:, None]

    @property
    def tilt(self) -> float:
        """Angle to the horizontal, rad (if z is in m)."""
        return float(np.arctan(np.hypot(self.slope_x, self.slope_y)))


class Roughness(msgspec.Struct, frozen=True, kw_only=True):
    """Areal roughness after plane removal, m; NaN where too few pixels are known.

    rq: root mean square. ra: mean absolute deviation. sz: highest peak to deepest valley.
    skewness, kurtosis: of the distribution of heights (0 and 3 for a normal one).
    """

    rq: float
    ra: float
    sz: float
    skewness: float
    kurtosis: float
    pixels: int


def fit_plane(z: F64, y: F64, x: F64) -> Plane:
    """Fit a plane to a frame, shape (rows, columns), by least squares over the finite pixels.

    A direction along which the pixels do not differ gets no slope; no pixels give offset NaN.
    """
    known = np.isfinite(z)
    if not known.any():
        return Plane(float("nan"))
    row, column = np.nonzero(known)
    values, mean = z[known], float(z[known].mean())
    scale = max(float(np.ptp(x)), float(np.ptp(y)), 1e-300)
    terms = np.column_stack([np.ones(values.size), x[column] / scale, y[row] / scale])
    offset, slope_x, slope_y = np.linalg.lstsq(terms, values - mean, rcond=1e-10)[0]
    return Plane(float(mean + offset), float(slope_x / scale), float(slope_y / scale))


def remove_plane(z: F64, y: F64, x: F64) -> F64:
    """Return the frame less its least-squares plane, shape (rows, columns)."""
    return z - fit_plane(z, y, x).at(y, x)


def roughness(z: F64, y: F64, x: F64) -> Roughness:
    """Return the roughness of a frame (m) after removal of its plane."""
    residual = remove_plane(z, y, x)
    values = residual[np.isfinite(residual)]
    nan = float("nan")
    if values.size < 4:
        return Roughness(rq=nan, ra=nan, sz=nan, skewness=nan, kurtosis=nan, pixels=values.size)
    values = values - values.mean()
    rq = float(np.sqrt(np.mean(values**2)))
    flat = rq <= 1e-15 * max(float(np.abs(z[np.isfinite(z)]).max()), 1e-9)
    return Roughness(
        rq=rq,
        ra=float(np.mean(np.abs(values))),
        sz=float(np.ptp(values)),
        skewness=nan if flat else float(np.mean(values**3) / rq**3),
        kurtosis=nan if flat else float(np.mean(values**4) / rq**4),
        pixels=values.size,
    )
