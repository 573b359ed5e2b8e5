"""Surface height from one approach, by three methods, each with its own uncertainty.

Height is the z at which the noise-free, unfiltered current equals (1 - setpoint) times the
reference level. "stop" takes z where the ramp stopped and removes nothing; "crossing" regresses
the current about that level and takes the filter's delay off; "fit" fits the approach curve as
the filter shows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sicmctl.scan import crossing, fit
from sicmctl.scan.curve import Tip
from sicmctl.scan.height_types import (
    METHODS,
    Approach,
    Height,
    Method,
    Status,
    defect,
    failed,
    usable_end,
)
from sicmctl.scan.noise import NoiseModel, estimate_noise
from sicmctl.scan.template import Plan, longest, plan, template

__all__ = [
    "Approach",
    "Height",
    "Method",
    "Status",
    "estimate",
    "estimate_all",
    "estimate_many",
    "fit_many",
]

_FREE_SCALE = 8.0  # F ratio (some three sigma) at which the gap scale is freed
_AT_ONCE = 512  # hops in one batch: bounds the memory
_PLAUSIBLE_SCALE = 2.5  # gap scales that slopes and permeable samples explain; edges go beyond
_DEFAULT_NOISE = NoiseModel()
_Hop = tuple[Approach, NoiseModel, int]


def estimate(approach: Approach, tip: Tip, method: Method = "fit") -> Height:
    """Height by one method. Bad data give nan and a status; only nonsense arguments raise."""
    if method not in METHODS:
        raise ValueError(f"method is one of {', '.join(METHODS)}, not {method!r}")
    if method == "fit":
        return fit_many([approach], tip)[0]
    reason = defect(approach)
    if reason:
        return failed(method, reason)
    with np.errstate(all="ignore"):  # what cannot be computed comes out as nan
        noise = noise_of(approach)
        plain = crossing.at_stop if method == "stop" else crossing.at_level
        height = plain(approach, tip, noise)
    if np.isfinite(height.value) and not np.isfinite(height.sd):
        return failed(method, "bad_data")
    return height


def estimate_all(approach: Approach, tip: Tip) -> dict[str, Height]:
    """Height by every method, by name."""
    return estimate_many([approach], tip)[0]


def estimate_many(approaches: Sequence[Approach], tip: Tip) -> list[dict[str, Height]]:
    """Heights of many hops by every method, by name: the fits all at once, which is faster."""
    fits = fit_many(approaches, tip)
    return [
        {method: known if method == "fit" else estimate(a, tip, method) for method in METHODS}
        for a, known in zip(approaches, fits, strict=True)
    ]


def noise_of(a: Approach) -> NoiseModel:
    """The noise given with a record, else what its upper part shows, else a usual one."""
    if a.noise is not None:
        return a.noise
    far = a.current[: int(0.6 * usable_end(a))]
    try:
        return estimate_noise(far, a.rate, a.filter_hz)
    except ValueError:
        return _DEFAULT_NOISE


def fit_many(approaches: Sequence[Approach], tip: Tip) -> list[Height]:
    """Filter-aware fit of many hops at once: the same answers as one by one, sooner."""
    out = [failed("fit", "too_short") for _ in approaches]
    groups: dict[Plan, list[tuple[Plan, int, _Hop]]] = defaultdict(list)
    with np.errstate(all="ignore"):  # what cannot be computed comes out as nan
        for i, a in enumerate(approaches):
            reason = defect(a) or _out_of_reach(a)
            if reason:
                out[i] = failed("fit", reason)
                continue
            noise, end = noise_of(a), usable_end(a)
            own = plan(a, noise, tip.inner_radius, end)
            groups[own.family].append((own, i, (a, noise, end)))
        for members in groups.values():
            for k in range(0, len(members), _AT_ONCE):
                plans, places, hops = zip(*members[k : k + _AT_ONCE], strict=True)
                for i, height in zip(places, _fit(hops, tip, longest(plans)), strict=True):
                    out[i] = height
    return out


def _out_of_reach(a: Approach) -> Status | None:
    end = usable_end(a)
    return "no_crossing" if end == 0 else "too_short" if end < 12 else None


def _fit(hops: Sequence[_Hop], tip: Tip, key: Plan) -> list[Height]:
    t = template(key)
    batch = fit.read(hops, t)
    flat = fit.solve(batch, t, tip)
    spread = np.maximum(1.0, (flat.chi2 - flat.gain) / np.maximum(flat.freedom - 1, 1))
    bent = np.flatnonzero(flat.gain / spread > _FREE_SCALE)
    heights = [_height(hops[i][0], _Row(flat, batch, i), tip, bent=False) for i in range(len(hops))]
    if bent.size:
        some = batch.take(bent)
        freed = fit.solve(some, t, tip, flat.theta[bent])
        for k, i in enumerate(bent.tolist()):
            heights[i] = _height(hops[i][0], _Row(freed, some, k), tip, bent=True)
    return heights


class _Row(NamedTuple):
    solution: fit.Solution
    batch: fit.Batch
    place: int


def _height(a: Approach, row: _Row, tip: Tip, *, bent: bool) -> Height:
    s, b, k = row
    freedom = max(float(s.freedom[k]), 1.0)
    spread = float(s.chi2[k]) / freedom
    misfit = spread > 1 + 4 * np.sqrt(2 / freedom)
    variance = float(s.covariance[k, 0, 0]) * (spread if misfit else 1.0)
    sd = float(np.sqrt(variance + b.z_sd[k] ** 2 + (a.noise.vibration if a.noise else 0.0) ** 2))
    value, gap, end_gap = float(s.theta[k, 0]), float(tip.gap(a.setpoint)), float(s.end_gap[k])
    kappa = float(np.exp(s.theta[k, -1]))
    detail = {
        "chi2": float(s.chi2[k]),
        "freedom": freedom,
        "amplitude": float(s.theta[k, 1]) * a.reference,
        "drift": float(s.theta[k, 2]) * a.reference,
        "stretch": kappa,
        "stretch_sd": float(np.sqrt(max(s.covariance[k, -1, -1], 0.0))) * kappa,
        "end_gap": end_gap,
    }
    if not np.isfinite([value, sd]).all() or end_gap > 1.7 * gap * kappa or sd > gap / 3:
        return failed("fit", "no_crossing")
    status: Status = "ok"
    if misfit or not 1 / _PLAUSIBLE_SCALE < kappa < _PLAUSIBLE_SCALE:
        status = "misfit"
    elif bent:
        status = "slope"
    elif end_gap > 1.3 * gap:
        status = "early"
    return Height(value, sd, "fit", status, a.lag_bias, detail)
