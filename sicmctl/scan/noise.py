"""Noise of the pipette current: a white floor and a part that rises with frequency."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from sicmctl.scan.bessel import F64, power_gain


@dataclass(frozen=True)
class NoiseModel:
    """One-sided power spectral density S(f) = white + rise f^2 ahead of the Bessel filter.

    white      A^2/Hz: thermal noise of pipette and feedback resistor, shot noise
    rise       A^2/Hz^3: (2 pi e C)^2, voltage noise e of bath or amplifier on the capacitance C
    hum        A, amplitude to be expected at `mains`; 0 where there is none
    mains      Hz
    vibration  m rms, motion between tip and sample that the z sensor does not see
    """

    white: float = (20.4e-15) ** 2
    rise: float = (2 * np.pi * 0.35e-6 * 5e-12) ** 2
    hum: float = 0.0
    mains: float = 50.0
    vibration: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.white) and self.white > 0):
            raise ValueError(f"white noise density must be positive, not {self.white!r} A^2/Hz")
        if not (np.isfinite([self.rise, self.hum, self.vibration]).all() and self.mains > 0):
            raise ValueError("rise, hum and vibration must be finite and mains positive")
        if min(self.rise, self.hum, self.vibration) < 0:
            raise ValueError("rise, hum and vibration must not be negative")

    def density(self, frequency: ArrayLike) -> F64:
        """S(f) in A^2/Hz, same shape as `frequency` (Hz)."""
        return self.white + self.rise * np.asarray(frequency, dtype=np.float64) ** 2

    def sigma(self, corner: float) -> float:
        """Standard deviation (A) behind a Bessel filter with its corner at `corner` (Hz)."""
        return sqrt(self._moment(corner, 0))

    def of_mean(self, seconds: float, corner: float) -> float:
        """Standard deviation (A) of an average over so long (s), behind that filter.

        The average passes what is slower than 1/(2 T), and of what rises with frequency only what
        happens to stand at its two ends.
        """
        return _of_mean(self, seconds, corner)

    def crossing_rate(self, corner: float) -> float:
        """Upward zero crossings per second of the filtered noise (Rice 1944), in Hz."""
        return float(np.sqrt(self._moment(corner, 2) / self._moment(corner, 0)))

    def _moment(self, corner: float, order: int) -> float:
        m = _unit_moments()
        return (self.white * m[order] + self.rise * corner**2 * m[order + 2]) * corner ** (
            order + 1
        )


@lru_cache(maxsize=4096)
def _of_mean(noise: NoiseModel, seconds: float, corner: float) -> float:
    """As `NoiseModel.of_mean`: asked again and again for few times while a tip falls."""
    ends = noise.rise * corner * _unit_moments()[0] / (2 * np.pi**2 * seconds**2)
    slow = sqrt(noise.white / (2 * seconds) + ends)
    return min(slow, noise.sigma(corner))


@lru_cache(maxsize=1)
def _unit_moments() -> dict[int, float]:
    """Integrals of x^n |H(x)|^2 over frequency x in units of the corner, n = 0, 2, 4."""
    x = (np.arange(400_000) + 0.5) * 1e-3
    gain = power_gain(x, 1.0)
    return {n: float(np.sum(x**n * gain) * 1e-3) for n in (0, 2, 4)}


@lru_cache(maxsize=32)
def autocovariance(noise: NoiseModel, rate: float, corner: float, length: int) -> F64:
    """Autocovariance (A^2, shape (length,)) of the filtered noise sampled at `rate` (Hz)."""
    points = 1 << int(np.ceil(np.log2(max(4 * length, 1024))))
    f = np.fft.rfftfreq(points, 1 / rate)
    folds = int(np.ceil(20 * corner / rate)) + 1
    spectrum = np.zeros_like(f)
    for shift in np.arange(-folds, folds + 1) * rate:
        spectrum += noise.density(f + shift) * power_gain(f + shift, corner)
    return np.fft.irfft(spectrum, points)[:length] * rate / 2


def estimate_noise(samples: ArrayLike, rate: float, corner: float) -> NoiseModel:
    """White and rising part from a record (A, shape (n,), n >= 64) with the tip far away.

    A straight line is removed, the periodogram fitted by maximum likelihood in the two densities
    (Whittle 1953), and the mains taken as 50 or 60 Hz. Raises ValueError for a record that is too
    short or not finite.
    """
    x = np.asarray(samples, dtype=np.float64)
    if x.ndim != 1 or x.size < 64 or not np.isfinite(x).all():
        raise ValueError("noise needs at least 64 finite samples in one row")
    t = np.linspace(-1, 1, x.size)
    x = x - x.mean() - t * (x @ t) / (t @ t)
    f = np.fft.rfftfreq(x.size, 1 / rate)[2:-1]
    power = np.abs(np.fft.rfft(x)[2:-1]) ** 2 * 2 / (rate * x.size)
    below = rate - f  # first alias, which matters when the corner is near rate / 2
    gain, fold = power_gain(f, corner), power_gain(below, corner)
    keep = gain + fold > 1e-3
    basis = np.stack([gain + fold, gain * (f / corner) ** 2 + fold * (below / corner) ** 2])
    basis, power = basis[:, keep], power[keep]
    coef = np.full(2, power.mean() / basis.sum(axis=0).mean())
    for _ in range(20):  # multiplicative EM-like steps keep both parts positive
        model = coef @ basis
        calm = np.minimum(power, 12 * model)  # keeps mains lines from counting as noise
        coef *= np.sqrt((basis @ (calm / model**2)) / (basis @ (1 / model)))
    if not coef[0] > 0:
        raise ValueError("the record holds no noise to estimate")
    return NoiseModel(white=float(coef[0]), rise=float(coef[1]) / corner**2, mains=_mains(x, rate))


def _mains(x: F64, rate: float) -> float:
    """50 or 60 Hz, whichever explains a record (n,) better beside a parabola."""
    t = np.arange(x.size) / rate
    left = {}
    for f in (50.0, 60.0):
        turn = 2 * np.pi * f * t
        basis = np.stack([np.ones_like(t), t, t * t, np.cos(turn), np.sin(turn)])
        normal = basis @ basis.T
        left[f] = -float(basis @ x @ np.linalg.pinv(normal) @ (basis @ x))
    return min(left, key=lambda f: left[f])
