"""Mains hum in the pipette current: tracked on the run's own clock and taken out.

2 pA of hum on 3 nA is a nanometre of height. Its phase is the same from hop to hop on the gap-free
sample clock, so the stretches in which the tip is far from the sample tell it.
"""

import numpy as np
from numpy.typing import NDArray

from sicmctl.hal.capabilities import F64

_HARMONICS = (1, 3, 5)
_BIN = 10
"""Samples averaged before fitting; at 50 kHz the 5th harmonic keeps 20 points a period."""


class MainsTracker:
    """Least squares for sine and cosine of the mains and its odd harmonics, with forgetting.

    frequency: of the mains, Hz. rate: samples/s. memory: s; short enough to follow a grid that
    wanders by 50 mHz, long enough to average the noise.
    """

    def __init__(self, frequency: float, rate: float, memory: float = 1.0) -> None:
        self._omega = 2 * np.pi * frequency * np.array(_HARMONICS) / rate
        self._rate = rate
        self._memory = memory
        terms = 2 * len(_HARMONICS)
        self._normal = np.zeros((terms, terms))
        self._moment = np.zeros(terms)
        self._count = 0.0
        self._last = 0
        self._amplitudes = np.zeros(terms)
        self._phasors: NDArray[np.complex128] | None = None
        self._table = np.empty((terms, 0))
        self._bins = np.empty((0, len(_HARMONICS)), np.complex128)

    def learn(self, first: int, current: F64) -> None:
        """Take in a stretch of current without surface in it, which begins at sample `first`.

        Its own mean and slope are left out: only what oscillates is learnt.
        """
        bins = len(current) // _BIN
        if bins < 4:
            return
        binned = current[: bins * _BIN].reshape(bins, _BIN).mean(axis=1)
        if not np.all(np.isfinite(binned)):
            return
        waves = _without_trend(self._waves(first, bins))
        values = _without_trend(binned)
        keep = np.exp(-max(first - self._last, 0) / self._rate / self._memory)
        self._last = first
        self._normal = keep * self._normal + waves.T @ waves
        self._moment = keep * self._moment + waves.T @ values
        self._count = keep * self._count + bins
        self._solve()

    def hum(self, first: int, samples: int) -> F64:
        """Return the hum expected in `samples` samples from `first` on, A."""
        if self._phasors is None:
            return np.zeros(samples)
        if samples > self._table.shape[1]:
            self._table = self._turns(1 << (samples - 1).bit_length())
        now = self._phasors * np.exp(1j * first * self._omega)
        return now.view(np.float64) @ self._table[:, :samples]

    @property
    def amplitudes(self) -> F64:
        """Amplitude of each harmonic, A; zero while it cannot be told from noise."""
        pairs = self._amplitudes.reshape(2, len(_HARMONICS))
        return np.hypot(pairs[0], pairs[1])

    def _waves(self, first: int, bins: int) -> F64:
        """Sines, then cosines, in the middle of each bin, shape (bins, terms)."""
        if bins > len(self._bins):
            middles = _BIN * np.arange(1 << (bins - 1).bit_length()) + (_BIN - 1) / 2
            self._bins = np.exp(1j * np.multiply.outer(middles, self._omega))
        turned: NDArray[np.complex128] = self._bins[:bins] * np.exp(1j * first * self._omega)
        return np.concatenate((turned.imag, turned.real), axis=1)

    def _turns(self, samples: int) -> F64:
        """What real and imaginary part of each phasor at a sample add to those that follow it."""
        angle = np.multiply.outer(self._omega, np.arange(samples))
        return np.stack((np.cos(angle), -np.sin(angle)), axis=1).reshape(-1, samples)

    def _solve(self) -> None:
        """Solve with a small ridge, so that what is badly determined stays small."""
        terms = len(self._moment)
        if self._count >= 8 * terms:
            ridge = 2.0 * np.eye(terms)  # a prior of zero worth two bins
            self._amplitudes = np.linalg.solve(self._normal + ridge, self._moment)
            sine, cosine = self._amplitudes.reshape(2, -1)
            self._phasors = cosine - 1j * sine


def _without_trend(rows: F64) -> F64:
    """Return each column less its mean and its slope over the rows."""
    level = rows - rows.mean(axis=0)
    t = np.linspace(-1, 1, len(rows))
    return level - np.multiply.outer(t, t @ level / (t @ t))
