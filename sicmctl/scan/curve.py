"""The approach curve: how the pipette current falls as the tip nears a flat insulator.

I / I_inf = 1 / (1 + B(delta; RG) / (2 pi delta rho)), with delta = gap / inner radius, RG the
ratio of outer to inner radius and rho = 1 / (pi tan theta) + 1/4 the resistance of cone and
access (Hall 1975) in units of 1 / (kappa r). B comes from own axisymmetric FEM (sharp flat rim,
uniform conductivity, cone angle 3.5 degrees; it moves by less than 1 % from 3 to 8). The closed
form I / I_inf = 1 / (1 + zeta / d), zeta = 1.5 ln(RG) tan(theta) r (Nitz 1998), is offered for
comparison; it puts the gap at a given drop several times higher.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from math import exp, pi, radians, tan
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sicmctl.scan.bessel import F64

Model = Literal["fem", "nitz"]

_DELTA = (
    0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0,
    1.2, 1.4, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 40.0,
)  # fmt: skip
_RATIO = (1.3, 1.5, 1.7, 2.0, 2.5)
_B = (
    (.329, .380, .428, .471, .483, .482, .475, .465, .454, .443, .432, .422,
     .404, .388, .369, .354, .336, .323, .305, .294, .280, .270, .261, .250),
    (.465, .509, .547, .575, .575, .564, .549, .532, .515, .499, .483, .469,
     .444, .424, .399, .380, .356, .339, .317, .304, .287, .274, .263, .250),
    (.585, .623, .654, .670, .660, .641, .619, .596, .573, .552, .533, .515,
     .484, .458, .428, .404, .376, .356, .330, .313, .294, .278, .265, .250),
    (.741, .773, .795, .797, .776, .747, .716, .685, .656, .629, .604, .581,
     .541, .509, .470, .441, .405, .380, .347, .327, .303, .285, .270, .250),
    (.957, .981, .993, .979, .944, .903, .861, .821, .782, .747, .714, .685,
     .633, .591, .540, .501, .453, .420, .377, .350, .319, .295, .275, .250),
)  # fmt: skip

_LOW, _HIGH, _POINTS = np.log(1e-3), np.log(1e4), 8192


class _Table(NamedTuple):
    """I / I_inf and its derivative by delta on a uniform grid of ln delta."""

    value: F64
    slope: F64


@dataclass(frozen=True)
class Tip:
    """A pipette tip as the approach curve sees it.

    inner_radius  m
    radius_ratio  outer / inner radius, 1.3 to 2.5
    half_angle    rad, inner half cone angle
    model         "fem" or "nitz"
    """

    inner_radius: float = 50e-9
    radius_ratio: float = 1.7
    half_angle: float = radians(3.5)
    model: Model = "fem"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.inner_radius) and self.inner_radius > 0):
            raise ValueError(f"inner radius must be positive, not {self.inner_radius!r} m")
        if not _RATIO[0] <= self.radius_ratio <= _RATIO[-1]:
            raise ValueError(
                f"radius ratio must lie between {_RATIO[0]} and {_RATIO[-1]}, "
                f"not {self.radius_ratio!r}"
            )
        if not 0 < self.half_angle < pi / 4:
            raise ValueError(f"half cone angle must lie in 0..pi/4 rad, not {self.half_angle!r}")
        if self.model not in ("fem", "nitz"):
            raise ValueError(f'approach-curve model is "fem" or "nitz", not {self.model!r}')

    @property
    def resistance(self) -> float:
        """Resistance of cone and access in units of 1 / (kappa r): the rho of the formula."""
        return 1 / (pi * tan(self.half_angle)) + 0.25

    def current(self, gap: ArrayLike) -> F64:
        """I / I_inf at `gap` (m), same shape. A gap of zero or less counts as r / 1000."""
        return self.current_and_slope(gap)[0]

    def current_and_slope(self, gap: ArrayLike) -> tuple[F64, F64]:
        """I / I_inf and its derivative by the gap (1/m), each of the shape of `gap` (m)."""
        table = _table(self)
        low, high = 1.0001e-3 * self.inner_radius, 0.9999e4 * self.inner_radius
        x = np.log(np.clip(np.asarray(gap, dtype=np.float64), low, high) / self.inner_radius)
        x = (x - _LOW) * ((_POINTS - 1) / (_HIGH - _LOW))
        k = np.fmax(x, 0.0).astype(np.intp)  # not a number stays so below
        x = x - k
        value = table.value[k] + x * (table.value[k + 1] - table.value[k])
        slope = table.slope[k] + x * (table.slope[k + 1] - table.slope[k])
        return value, slope / self.inner_radius

    def drop(self, gap: ArrayLike) -> F64:
        """Fractional drop 1 - I / I_inf at `gap` (m), same shape."""
        return 1 - self.current(gap)

    def gap(self, drop: ArrayLike) -> F64:
        """Gap (m) at which the current has fallen by the fraction `drop`, same shape."""
        level = 1 - np.asarray(drop, dtype=np.float64)
        return self.inner_radius * np.exp(np.interp(level, _table(self).value, _grid()))

    def gap_at(self, drop: float) -> float:
        """`gap` (m) of a single drop: the same number, in a tenth of the time."""
        level, levels, grid = 1 - drop, _levels(self), _points()
        k = min(max(bisect_right(levels, level) - 1, 0), _POINTS - 2)
        share = (level - levels[k]) / (levels[k + 1] - levels[k])
        place = grid[k] + min(max(share, 0.0), 1.0) * (grid[k + 1] - grid[k])
        return self.inner_radius * exp(place)

    def slope(self, drop: ArrayLike) -> F64:
        """d(I / I_inf) / d gap (1/m, positive) where the current has fallen by `drop`."""
        return self.current_and_slope(self.gap(drop))[1]


@lru_cache(maxsize=1)
def _grid() -> F64:
    return np.linspace(_LOW, _HIGH, _POINTS)


@lru_cache(maxsize=1)
def _points() -> list[float]:
    return _grid().tolist()


@lru_cache(maxsize=64)
def _levels(tip: Tip) -> list[float]:
    return _table(tip).value.tolist()


@lru_cache(maxsize=64)
def _table(tip: Tip) -> _Table:
    delta = np.exp(_grid())
    if tip.model == "nitz":
        ratio = 1.5 * np.log(tip.radius_ratio) * np.tan(tip.half_angle) / delta
    else:
        ratio = excess_factor(delta, tip.radius_ratio) / (2 * pi * delta * tip.resistance)
    value = 1 / (1 + ratio)
    return _Table(value, np.gradient(value, _grid()) / delta)


def excess_factor(delta: ArrayLike, radius_ratio: float) -> F64:
    """B(delta; RG), own FEM, by shape-preserving cubics in ln delta and ln RG; same shape."""
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415

    by_ratio = PchipInterpolator(np.log(_RATIO), np.array(_B), axis=0)(np.log(radius_ratio))
    x = np.clip(np.asarray(delta, dtype=np.float64), _DELTA[0], _DELTA[-1])
    return np.asarray(PchipInterpolator(np.log(_DELTA), by_ratio)(np.log(x)))
