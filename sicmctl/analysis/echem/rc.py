"""Fit of a resistor parallel to a capacitor behind a series resistor, such as a dummy cell.

With the capacitor's voltage v: C v' = I - v/R, E = v + I R_s. What was applied is taken from the
measurement, so that one fit serves chronoamperometry, chronopotentiometry and voltammetry.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .fitting import fit_free
from .segments import turning_points

F64 = NDArray[np.float64]
Applied = Literal["potential", "current"]
Between = Literal["line", "stairs"]

_CROOKED = 0.02
"""Share of its span by which what was applied may differ from ramps and be taken for them."""


@dataclass(frozen=True, slots=True)
class RcFit:
    """R, C, R_s and their standard uncertainties: ohm, F, ohm. rms: of the residuals, V or A.

    model: potential or current (whichever was not applied) as fitted, shape (n,).
    """

    resistance: float
    resistance_sd: float
    capacitance: float
    capacitance_sd: float
    series: float
    series_sd: float
    rms: float
    model: F64


def response(
    time: F64,
    drive: F64,
    applied: Applied,
    p: Mapping[str, float],
    between: Between = "line",
) -> F64:
    """Return the current (A) for an applied potential (V), or the other way round. Shapes (n,).

    p: R, C, Rs and v0, the capacitor's voltage at the first sample. Exact for what is applied:
    straight between samples (`line`), or as at the end of each interval (`stairs`).
    """
    r, c, s = p["R"], p["C"], p["Rs"]
    by_potential = applied == "potential"
    rate = (1 / r + 1 / s) / c if by_potential else 1 / (r * c)
    gain = 1 / (s * c) if by_potential else 1 / c
    dt = np.diff(time)
    decay = np.exp(-rate * dt)
    first = -np.expm1(-rate * dt) / rate
    if between == "line":
        second = (dt - first) / rate  # of a ramp of 1/s
        slope = np.diff(drive) / np.where(dt > 0, dt, 1)
        pushed = gain * (drive[:-1] * first + slope * second)
    else:
        pushed = gain * drive[1:] * first
    v = np.empty_like(drive)
    v[0] = p["v0"]
    for k, (keep, push) in enumerate(zip(decay.tolist(), pushed.tolist(), strict=True)):
        v[k + 1] = v[k] * keep + push
    return (drive - v) / s if by_potential else v + drive * s


def fit_rc(
    time: F64,
    potential: F64,
    current: F64,
    applied: Applied,
    *,
    between: Between = "line",
    rest: tuple[float, float] | None = None,
    series: float | None = None,
) -> RcFit:
    """Fit R, C and R_s to samples (s, V, A), shape (n,), of one or more steps under one control.

    rest: when the first step began (s), and the potential at which the cell rested until then (V).
    Without it the first sample tells the capacitor's voltage; a step of a constant current or
    potential then needs samples from before it. series: R_s if it is known, ohm; a ramp that is
    sampled more coarsely than R_s C hardly tells it from R. Raises ValueError for fewer than 8
    samples, or if there is nothing to see.
    """
    by_potential = applied == "potential"
    drive, seen = (potential, current) if by_potential else (current, potential)
    if time.size < 8 or not np.ptp(seen) > 0 or not np.any(drive):
        raise ValueError("a fit of R and C needs at least 8 samples that are not all the same")
    moments, drive, seen_at = _drive(time, drive, between)
    if rest is not None and rest[0] < moments[0]:
        before = rest[1] if by_potential else 0.0
        moments, drive = np.append(rest[0], moments), np.append(before, drive)
        seen_at = seen_at + 1
    scale = float(np.abs(seen).max())
    names = ("R", "C") if series is not None else ("R", "C", "Rs")
    known = {} if series is None else {"Rs": series}

    def model(logs: Mapping[str, float]) -> F64:
        p = {name: math.exp(x) for name, x in logs.items()} | known
        v0 = rest[1] if rest else float(potential[0] - current[0] * p["Rs"])
        return response(moments, drive, applied, p | {"v0": v0}, between)[seen_at]

    first = _guess(time, potential, current)
    guess = {name: math.log(first[name]) for name in names}
    reach = {name: (x - 12.0, x + 12.0) for name, x in guess.items()}
    starts = (guess | {"C": guess["C"] + shift} for shift in (-3.0, 0.0, 3.0))
    fits = (fit_free(lambda p: (model(p) - seen) / scale, p, reach, names) for p in starts)
    fitted = min(fits, key=lambda found: found.cost)
    final = model({name: math.log(value) for name, value in fitted.values.items()})
    rms = float(np.sqrt(fitted.cost / fitted.count)) * scale
    values, sds = fitted.values | known, fitted.sds | dict.fromkeys(known, 0.0)
    return RcFit(
        *(values["R"], sds["R"], values["C"], sds["C"], values["Rs"], sds["Rs"]), rms, final
    )


def _drive(time: F64, drive: F64, between: Between) -> tuple[F64, F64, NDArray[np.intp]]:
    """Return moments, what was applied then, and which of them the samples are.

    Of ramps: the straight lines through the samples between turning points, and the corners where
    these meet; the noise of the samples' differences would else look like current into C.
    """
    every = np.arange(time.size)
    turns = turning_points(drive)
    if between == "stairs" or turns.size < 2:
        return time, drive, every
    lines = [np.polyfit(time[a : b + 1], drive[a : b + 1], 1) for a, b in pairwise(turns.tolist())]
    corners = [(n[1] - m[1]) / (m[0] - n[0]) for m, n in pairwise(lines)]
    ends = np.array([time[0], *corners, time[-1]])
    levels = np.array([np.polyval(lines[max(k - 1, 0)], t) for k, t in enumerate(ends)])
    ideal = np.interp(time, ends, levels)
    if np.abs(ideal - drive).max() > _CROOKED * np.ptp(drive) or (np.diff(ends) <= 0).any():
        return time, drive, every
    moments = np.union1d(time, ends)
    return moments, np.interp(moments, ends, levels), np.searchsorted(moments, time)


def _guess(time: F64, potential: F64, current: F64) -> dict[str, float]:
    """Return a guess from the sizes of potential and current and the time spanned."""
    i = float(np.abs(current).max()) or 1e-12
    e = float(np.abs(potential).max()) or 1e-3
    total = max(e / max(float(np.abs(current[-5:]).mean()), 1e-3 * i), 1.0)
    series = min(max(e / i, 1e-3), 0.3 * total)
    duration = max(float(np.ptp(time)), 1e-9)
    return {"R": total, "C": 0.2 * duration / total, "Rs": 0.3 * series}
