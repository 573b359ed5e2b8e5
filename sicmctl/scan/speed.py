"""How fast the tip may fall, how small a setpoint may be, and how good a height can get."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sicmctl.scan.bessel import delay
from sicmctl.scan.curve import Tip
from sicmctl.scan.noise import NoiseModel

MARGIN = 5e-9  # m, gap that must remain on a flat sample
SAFE_SIGMAS = 6.0  # setpoint in units of the noise below which false triggers matter


def sigma_current(noise: NoiseModel, filter_hz: float) -> float:
    """Standard deviation (A) of the current behind the Bessel filter."""
    return noise.sigma(filter_hz)


def false_trigger_rate(
    current: float, setpoint: float, noise: NoiseModel, filter_hz: float
) -> float:
    """False triggers per second far from the sample: nu0 exp(-(s I / sigma)^2 / 2) (Rice 1944)."""
    depth = setpoint * abs(current) / noise.sigma(filter_hz)
    return noise.crossing_rate(filter_hz) * float(np.exp(-0.5 * depth**2))


def min_setpoint(current: float, sigma: float) -> float:
    """Smallest safe fractional drop: six standard deviations of the current."""
    if not (np.isfinite(current) and current != 0 and sigma >= 0):
        raise ValueError(f"needs a current and its sd, not {current!r} A and {sigma!r} A")
    return SAFE_SIGMAS * sigma / abs(current)


def reaction_total(reaction: float, filter_hz: float, rate: float, stage_lag: float = 0.0) -> float:
    """Time (s) the tip falls on: filter delay, half a sample, reaction of the loop, stage lag.

    stage_lag is 2 zeta / omega_n (s) of a stage whose command is held at the stop.
    """
    if min(reaction, stage_lag) < 0 or not (filter_hz > 0 and rate > 0):
        raise ValueError("reaction and lag must not be negative, filter and rate positive")
    return delay(filter_hz) + 0.5 / rate + reaction + stage_lag


def max_fall_rate(
    tip: Tip,
    setpoint: float,
    reaction: float,
    filter_hz: float,
    rate: float,
    *,
    stage_lag: float = 0.0,
    margin: float = MARGIN,
) -> float:
    """Fastest safe fall (m/s): (gap at the setpoint - margin) / total reaction time, or 0."""
    room = float(tip.gap(setpoint)) - margin
    return max(room, 0.0) / reaction_total(reaction, filter_hz, rate, stage_lag)


def show_speed(speed: float) -> str:
    """Write a fall rate (m/s) the way the field does: in nm/ms."""
    return f"{speed * 1e6:.3g} nm/ms"


def crlb(tip: Tip, current: float, speed: float, setpoint: float, s_w: float) -> float:
    """Cramer-Rao bound (m) of a height from the curve down to the setpoint, all else known.

    sqrt(S_w v / (2 int (dI/dd)^2 dd)), S_w one-sided white density (A^2/Hz), speed in m/s.
    """
    gap = float(tip.gap(setpoint))
    d = gap * np.exp(np.linspace(0, np.log(1000), 4000))
    slope = current * tip.current_and_slope(d)[1]
    return float(np.sqrt(s_w * speed / (2 * np.trapezoid(slope**2, d))))


@lru_cache(maxsize=256)
def early_trigger(
    tip: Tip, current: float, speed: float, setpoint: float, noise: NoiseModel, *, filter_hz: float
) -> float:
    """Mean gap (m) by which noise stops the ramp early; an upper bound.

    Rice's crossing rate with a trend, 2 pi nu0 phi(theta) [phi(m) + m Phi(m)] / Phi(theta), with
    theta the distance to the level in sigma and m = S v / (2 pi nu0 sigma); each crossing stops
    the ramp. Division by Phi(theta): only a current still above the level can cross it.
    """
    from scipy.special import ndtr  # noqa: PLC0415

    gap = float(tip.gap(setpoint))
    d = np.linspace(0.3 * gap, 12 * gap, 6000)
    value, slope = tip.current_and_slope(d)
    sigma, angular = noise.sigma(filter_hz), 2 * np.pi * noise.crossing_rate(filter_hz)
    theta = np.maximum(current * (value - (1 - setpoint)) / sigma, -30.0)
    m = current * slope * speed / (angular * sigma)

    def density(x: np.ndarray) -> np.ndarray:
        return np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)

    hazard = angular * density(theta) * (density(m) + m * ndtr(m)) / (speed * ndtr(theta))
    step = d[1] - d[0]
    passed = np.cumsum(hazard[::-1])[::-1] * step
    # mean of the gap at the stop: from the lowest gap up, the chance to have stopped above it
    stopped = 1 - np.exp(-passed)
    return float(d[0] + np.sum(stopped) * step - gap)
