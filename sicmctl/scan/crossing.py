"""The two plain estimators: z at the stop, and where the smoothed current crosses the level."""

from __future__ import annotations

import numpy as np

from sicmctl.scan import lockin
from sicmctl.scan.bessel import F64, IMPULSE_VARIANCE, delay
from sicmctl.scan.curve import Tip
from sicmctl.scan.height_types import Approach, Height, Status, failed, far_reference, usable_end
from sicmctl.scan.noise import NoiseModel, autocovariance
from sicmctl.scan.speed import early_trigger

_LINE = 1e-3  # s of z before the stop through which a line is laid

_SMOOTH = 0.2  # radii the tip falls while the current is averaged to find the window
_SHALLOW = 0.4  # of the drop: where the window begins


def at_stop(a: Approach, tip: Tip, noise: NoiseModel) -> Height:
    """z where the ramp stopped. Known bias is reported, not removed.

    bias = -v (tau_f + 1 / (2 fs) + tau) + b_n - lag, b_n the mean advance of noise-triggered stops
    (upper bound); variance = (0.9 sigma / S)^2 + v^2 / (12 fs^2) + (v sigma_tau)^2 + vibration^2.
    """
    if a.stop >= len(a.current):
        return failed("stop", "no_crossing")
    z, z_sd = _line_at(a.z, a.stop, max(8, int(_LINE * a.rate)))
    below = np.flatnonzero(a.current[: a.stop + 1] / a.reference < 1 - a.setpoint)
    reaction = a.reaction
    if reaction is None:
        reaction = (a.stop - int(below[0])) / a.rate if below.size else 0.0
    usual = float(f"{abs(a.reference):.2g}")  # an estimate that drift does not change
    early = early_trigger(tip, usual, a.speed, a.setpoint, noise, filter_hz=a.filter_hz)
    bias = -a.speed * (delay(a.filter_hz) + 0.5 / a.rate + reaction) + early + a.lag_bias
    slope = abs(a.reference) * float(tip.slope(a.setpoint))
    bias -= (far_reference(a, tip) / a.reference - 1) * abs(a.reference) / slope
    variance = (0.9 * noise.sigma(a.filter_hz) / slope) ** 2 + (a.speed / a.rate) ** 2 / 12
    variance += (a.speed * a.reaction_sd) ** 2 + noise.vibration**2 + z_sd**2
    variance += ((a.reference_sd * (1 - a.setpoint)) ** 2 + noise.hum**2 / 2) / slope**2
    detail = {"reaction": reaction, "early_trigger": early}
    status: Status = "ok" if below.size else "early"
    return Height(z, float(np.sqrt(variance)), "stop", status, bias, detail)


def at_level(a: Approach, tip: Tip, noise: NoiseModel) -> Height:
    """Local regression of the current through the (1 - s) level, less the filter's delay.

    A parabola in time is fitted from 0.4 of the drop to the last usable sample; its sd comes
    from the autocovariance of the noise.
    """
    end = usable_end(a)
    width = max(1, round(_SMOOTH * tip.inner_radius / a.speed * a.rate))
    if end < max(6, 3 * width):
        return failed("crossing", "too_short")
    drop = 1 - a.current[:end] / far_reference(a, tip)
    smooth = np.convolve(drop, np.ones(width) / width, mode="valid")
    shallow = np.flatnonzero(smooth < _SHALLOW * a.setpoint)
    first = int(shallow[-1]) + width // 2 if shallow.size else 0
    first = min(first, end - max(6, 2 * width))
    n = end - first
    if first < 0:
        return failed("crossing", "too_short")
    x = np.linspace(-1.0, 1.0, n)
    basis = np.vander(x, 3)
    solver = np.linalg.solve(basis.T @ basis, basis.T)
    coef = solver @ drop[first:end]
    # what the filter adds to a curved signal besides its delay: half its variance times curvature
    coef[2] -= coef[0] * (2 * a.rate * delay(a.filter_hz) / (n - 1)) ** 2 * IMPULSE_VARIANCE
    root = _last_rise(coef, a.setpoint)
    if root is None:
        return failed("crossing", "no_crossing")
    row = np.array([root * root, root, 1.0])
    weights = (row @ solver).astype(np.float64)
    if a.period:
        covariance = noise.white * lockin.autocovariance(a.period, a.rate, _length(n))[:n]
    else:
        covariance = autocovariance(noise, a.rate, a.filter_hz, _length(n))[:n]
    variance = _quadratic_form(weights, covariance) / a.reference**2
    variance += ((a.reference_sd * (1 - a.setpoint)) ** 2 + noise.hum**2 / 2) / a.reference**2
    per_second = (2 * coef[0] * root + coef[1]) * 2 / (n - 1) * a.rate
    time = first + (root + 1) / 2 * (n - 1) - delay(a.filter_hz) * a.rate
    z, z_sd = _line_at(a.z[:end], time, max(16, int(2e-3 * a.rate)))
    sd = np.sqrt(variance * (a.speed / per_second) ** 2 + z_sd**2 + noise.vibration**2)
    status: Status = "ok" if root <= 1 else "early"
    detail = {"samples": float(n), "drop_rate": float(per_second)}
    return Height(z, float(sd), "crossing", status, a.lag_bias, detail)


def _last_rise(coef: F64, level: float) -> float | None:
    """Where the parabola rises through the level, at most a little after the window."""
    a, b, c = coef
    disc = b * b - 4 * a * (c - level)
    if disc < 0:
        return None
    root = 2 * (level - c) / (b + np.sqrt(disc)) if b + np.sqrt(disc) != 0 else np.inf
    return float(root) if -1 <= root <= 1.3 else None


def _length(n: int) -> int:
    """A length that many windows share, for the sake of the cache."""
    return int(1 << int(np.ceil(np.log2(max(n, 64)))))


def _quadratic_form(w: F64, r: F64) -> float:
    """w' R w with the Toeplitz matrix of the autocovariance r."""
    own = np.correlate(w, w, mode="full")[len(w) - 1 :]
    return float(max(r[0] * own[0] + 2 * r[1:] @ own[1:], 0.0))


def _line_at(z: F64, at: float, width: int) -> tuple[float, float]:
    """z (m) and its sd at a fractional index, by a line through `width` samples up to the last.

    The samples are those centred on `at`, or the last before the end of the row.
    """
    last = min(len(z), int(at + width / 2) + 1) if at != int(at) else int(at) + 1
    first = max(0, last - width)
    k = np.arange(first, last, dtype=np.float64)
    part = z[first:last]
    middle = k.mean()
    spread = float(np.sum((k - middle) ** 2)) or 1.0
    slope = float((k - middle) @ part) / spread
    rest = part - part.mean() - slope * (k - middle)
    sd = np.sqrt(rest @ rest / max(len(k) - 2, 1)) * np.sqrt(
        1 / len(k) + (at - middle) ** 2 / spread
    )
    return float(part.mean() + slope * (at - middle)), float(sd)
