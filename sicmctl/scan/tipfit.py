"""The tip as its own approach curves show it, to notice when it has changed.

On a flat sample the curve scales with the inner radius r; the resistance of cone and access,
rho(theta) / (kappa r), sets how deep it goes. Far from the surface only r / rho counts, so one
curve leaves radius and angle correlated; the current against that of the known tip separates them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import atan, exp, inf, log, tan

import numpy as np
from numpy.typing import ArrayLike

from sicmctl.scan import fit
from sicmctl.scan.bessel import F64
from sicmctl.scan.curve import Tip
from sicmctl.scan.height import noise_of
from sicmctl.scan.height_types import Approach, defect, usable_end
from sicmctl.scan.noise import NoiseModel
from sicmctl.scan.template import Plan, Template, longest, plan, template

RADIUS_SPREAD = 0.5  # prior sd of ln(radius)
ANGLE_SPREAD = 0.1  # prior sd of ln(tan(half angle)): one puller, one programme
_STEP = 0.02  # of either logarithm, for second differences


@dataclass(frozen=True)
class TipFit:
    """A tip fitted to approach curves; sd of ln(radius) and of ln(tan(half angle))."""

    tip: Tip
    radius_sd: float
    angle_sd: float
    chi2: float
    freedom: float
    curves: int

    def change(self, known: Tip) -> float:
        """By how many standard deviations the radius differs from that of a known tip."""
        return log(self.tip.inner_radius / known.inner_radius) / self.radius_sd


def fit_tip(
    approaches: Sequence[Approach],
    known: Tip,
    *,
    relative_current: float | None = None,
    relative_sd: float = 0.01,
    angle_spread: float = ANGLE_SPREAD,
) -> TipFit | None:
    """Radius and cone angle that fit the approaches best, or None where no record is usable.

    `relative_current` is the reference current now over that of the known tip at the same bias and
    in the same electrolyte, `relative_sd` its standard uncertainty. The ratio of radii stays.
    `angle_spread`: how well the cone is known before, as a standard deviation of ln(tan(angle)).
    """
    if relative_current is not None and not (relative_current > 0 and relative_sd > 0):
        raise ValueError("relative current and its sd must be positive")
    from scipy.optimize import minimize  # noqa: PLC0415

    batches = _batches(approaches, known)
    if not batches:
        return None

    latest: list[F64 | None] = [None] * len(batches)  # tips alike have solutions alike

    def chi2(x: F64) -> float:
        tip = _moved(known, x)
        if tip is None:
            return inf
        total = 0.0
        for k, (b, t) in enumerate(batches):
            found = fit.solve(b, t, tip, guess=latest[k])
            latest[k] = found.theta if np.isfinite(found.theta).all() else None
            total += float(found.chi2.sum())
        total += (x[0] / RADIUS_SPREAD) ** 2 + (x[1] / angle_spread) ** 2
        if relative_current is not None:
            ratio = _conductance(tip) / _conductance(known) / relative_current
            total += (log(ratio) / relative_sd) ** 2
        return total

    start = np.array([[0.0, 0.0], [0.2, 0.0], [0.0, 0.1]])
    options = {"initial_simplex": start, "xatol": 1e-3, "fatol": 1e-2, "maxiter": 120}
    best = minimize(chi2, np.zeros(2), method="Nelder-Mead", options=options)
    tip = _moved(known, best.x)
    if tip is None:
        return None
    freedom = sum(float(b.mask.sum()) - 2 * len(b.y) for b, _ in batches)
    scale = max(1.0, best.fun / freedom) if freedom > 0 else 1.0
    prior = np.array([RADIUS_SPREAD, angle_spread]) ** 2
    sd = np.sqrt(_variance(_hessian(chi2, best.x) / 2, scale, prior))
    curves = sum(len(b.y) for b, _ in batches)
    return TipFit(tip, float(sd[0]), float(sd[1]), float(best.fun), freedom, curves)


def _batches(approaches: Sequence[Approach], known: Tip) -> list[tuple[fit.Batch, Template]]:
    groups: dict[Plan, list[tuple[Plan, tuple[Approach, NoiseModel, int]]]] = defaultdict(list)
    for a in approaches:
        if defect(a) is None and (end := usable_end(a)) >= 12:
            noise = noise_of(a)
            own = plan(a, noise, known.inner_radius, end)
            groups[own.family].append((own, (a, noise, end)))
    batches: list[tuple[fit.Batch, Template]] = []
    for members in groups.values():
        plans, hops = zip(*members, strict=True)
        t = template(longest(plans))
        batches.append((fit.read(hops, t), t))
    return batches


def _moved(known: Tip, x: F64) -> Tip | None:
    if np.abs(x).max() > 2:
        return None
    angle = atan(tan(known.half_angle) * exp(x[1]))
    return replace(known, inner_radius=known.inner_radius * exp(x[0]), half_angle=angle)


def _conductance(tip: Tip) -> float:
    """Of the tip far from the sample, per conductivity of the electrolyte (m)."""
    return tip.inner_radius / tip.resistance


def _variance(curvature: F64, scale: float, prior: F64) -> F64:
    """Of both parameters (2,); where there is no minimum, nothing is learnt beyond the prior."""
    if np.isfinite(curvature).all():
        variance = np.diag(np.linalg.pinv(curvature)) * scale
        if (variance > 0).all():
            return np.asarray(variance, dtype=np.float64)
    return prior


def _hessian(f: Callable[[F64], float], x: F64) -> F64:
    """Second derivatives (2, 2) by central differences."""
    out = np.empty((2, 2))
    e = np.eye(2) * _STEP
    middle = f(x)
    for i in range(2):
        out[i, i] = (f(x + e[i]) - 2 * middle + f(x - e[i])) / _STEP**2
    cross = f(x + e[0] + e[1]) - f(x + e[0] - e[1]) - f(x - e[0] + e[1]) + f(x - e[0] - e[1])
    out[0, 1] = out[1, 0] = cross / (4 * _STEP**2)
    return out


def mode_level(current: ArrayLike) -> float:
    """The most frequent level (same unit) of samples of any shape; nan if none is finite.

    Half-sample mode (Bickel and Fruehwirth 2006): keep the narrowest half again and again, down
    to about 3 % of the samples, whose mean is returned. Samples near the surface do not pull at it.
    """
    x = np.asarray(current, dtype=np.float64).ravel()
    x = np.sort(x[np.isfinite(x)])
    if not x.size:
        return float("nan")
    smallest = max(3, x.size // 32)
    while x.size > smallest:
        half = (x.size + 1) // 2
        widths = x[half - 1 :] - x[: x.size - half + 1]
        k = int(np.argmin(widths))
        x = x[k : k + half]
    return float(x.mean())
