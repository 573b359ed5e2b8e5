"""A digital lock-in: how much current an alternating bias drives, and how far it lags or leads.

Current and bias are sampled on one clock, both are multiplied by the same reference wave and
averaged over whole periods, and their ratio is the admittance: amplitude and phase of the bias
cancel, wherever in its period the waveform began. Averages over whole periods know nothing of a
direct current, and several of them one after the other nothing of its slope and curvature.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

from .bessel import CORNER, F64, delay

C128 = NDArray[np.complex128]

ORDER = 3
"""Averages over a period, one after the other: a current may fall along a parabola unseen."""
_PRESENT = 0.98
"""Share of the amplitude asked for below which the bias is taken not to swing."""
_BANDWIDTH = 0.55
"""Noise bandwidth of three averages over a period, in units of that of one, 1 / (2 T)."""


@dataclass(frozen=True, slots=True)
class Demodulated:
    """What a lock-in found, sample by sample; all of shape (n,).

    admittance: S, complex, as the amplifier shows it (behind its filter); not a number where the
        bias did not swing. mean: A, of the current over the last period.
    """

    admittance: C128
    mean: F64


class LockIn:
    """Demodulates a stream block by block; how the stream is cut into blocks does not matter.

    period: samples in a period, a whole number. amplitude: of the bias, V.
    """

    def __init__(self, period: int, amplitude: float) -> None:
        if period < 4 or not amplitude > 0:
            raise ValueError(f"a period of {period} samples at {amplitude} V cannot be demodulated")
        self.period = period
        self._least = _PRESENT * amplitude
        turn = np.arange(period) / period
        self._wave: C128 = (2 * np.exp(-2j * np.pi * turn)).astype(np.complex128)
        once = np.full(period, 1 / period)
        self._once = once
        self.kernel = once
        for _ in range(ORDER - 1):
            self.kernel = np.convolve(self.kernel, once)
        self._next = -1
        self._forget()

    @property
    def settling(self) -> int:
        """Samples after the beginning of a waveform from which on all that is averaged is of it."""
        return len(self.kernel)

    @property
    def lag(self) -> float:
        """By how many samples the demodulated current is late."""
        return (len(self.kernel) - 1) / 2

    def see(self, first: int, current: F64, bias: F64) -> Demodulated:
        """Take in the next block: A and V, of shape (n,), from sample `first` of the stream on.

        After a gap in the stream the past is forgotten.
        """
        if first != self._next:
            self._forget()
        self._next = first + len(current)
        wave = self._wave[(first + np.arange(len(current))) % self.period]
        driven = self._averaged(0, current * wave)
        swing = self._averaged(1, bias * wave)
        there = np.abs(swing) >= self._least
        there[: max(len(self.kernel) - self._known, 0)] = False  # the past was not zero
        self._known += len(current)
        admittance = np.full(len(current), complex(np.nan, np.nan))
        np.divide(driven, swing, out=admittance, where=there)
        tail = np.concatenate((self._past_mean, current))
        self._past_mean = tail[len(tail) - self.period + 1 :]
        return Demodulated(admittance, np.convolve(tail, self._once, mode="valid"))

    def _averaged(self, row: int, mixed: C128) -> C128:
        whole = np.concatenate((self._past[row], mixed))
        self._past[row] = whole[len(whole) - len(self.kernel) + 1 :]
        return np.convolve(whole, self.kernel, mode="valid")

    def _forget(self) -> None:
        self._known = 0
        self._past = [np.zeros(len(self.kernel) - 1, np.complex128) for _ in range(2)]
        self._past_mean = np.zeros(self.period - 1)


def ramp_response(time: F64, period: int, rate: float, corner: float) -> F64:
    """Return what a lock-in shows (s) at `time` (s) of an input that is max(0, t).

    Each average is a box in time; corner (Hz): of the filter as late as all of them and the
    amplifier, see `bandwidth`, whose own filter is taken as a delay.
    """
    width, lag = period / rate, ORDER * (period - 1) / (2 * rate)
    # a mean of samples is half a sample earlier than the box they stand for
    t = (time - delay(corner) + lag + ORDER / (2 * rate)) / width
    inside = np.clip(t, 0.0, ORDER)
    rise = sum(
        (-1) ** k * comb(ORDER, k) * np.maximum(inside - k, 0.0) ** (ORDER + 1)
        for k in range(ORDER + 1)
    )
    return width * (rise / factorial(ORDER + 1) + np.maximum(t - ORDER, 0.0))


@lru_cache(maxsize=8)
def autocovariance(period: int, rate: float, length: int) -> F64:
    """Return the autocovariance, shape (length,), of white noise of density 1 /Hz, demodulated."""
    own = np.zeros(length)
    kernel = LockIn(period, 1.0).kernel
    found = np.correlate(kernel, kernel, mode="full")[len(kernel) - 1 :] * rate / 2
    own[: len(found)] = found[:length]
    return own


def bandwidth(lag: float, rate: float, corner: float) -> float:
    """Return the corner (Hz) of the Bessel filter that is as late as lock-in and amplifier.

    lag: of the lock-in, samples. rate: Hz. corner: of the amplifier, Hz. The lock-in's own impulse
    response has 0.111 of its squared delay as variance, a Bessel filter 0.143: near enough for a
    fall in which the current bends over several delays.
    """
    return CORNER / (2 * np.pi * (lag / rate + delay(corner)))


def noise_bandwidth(period: int, rate: float) -> float:
    """Return the noise bandwidth of a demodulated current, Hz, one-sided."""
    return _BANDWIDTH * rate / (2 * period)
