"""The amplifier's four-pole Bessel low-pass, in closed form.

The denominator is the reverse Bessel polynomial s^4 + 10 s^3 + 45 s^2 + 105 s + 105
(Thomson 1949). With its group delay as the unit of time it falls by 3 dB at 2.114 rad/s, so a
filter with corner fc delays a slow signal by 2.114 / (2 pi fc).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]

CORNER = 2.1139176749042  # rad/s at which the unit-delay filter has fallen by 3 dB
IMPULSE_VARIANCE = 1 / 7  # second central moment of the impulse response over delay^2
_DENOMINATOR = np.array([1.0, 10.0, 45.0, 105.0, 105.0])


def delay(corner: float) -> float:
    """Group delay (s) at low frequency of a filter with its -3 dB point at `corner` (Hz)."""
    return CORNER / (2 * np.pi * corner)


def power_gain(frequency: ArrayLike, corner: float) -> F64:
    """|H|^2 at `frequency` (Hz), same shape."""
    s = 2j * np.pi * np.asarray(frequency, dtype=np.float64) * delay(corner)
    return (_DENOMINATOR[-1] / np.abs(np.polyval(_DENOMINATOR, s))) ** 2


@lru_cache(maxsize=1)
def _partial_fractions() -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    poles = np.roots(_DENOMINATOR).astype(np.complex128)
    slope = np.polyval(np.polyder(_DENOMINATOR), poles)
    return poles, _DENOMINATOR[-1] / slope


def ramp_response(time: ArrayLike, corner: float) -> F64:
    """Output (s) at `time` (s) for an input that is max(0, t); zero before t = 0."""
    tau = delay(corner)
    t = np.maximum(np.asarray(time, dtype=np.float64) / tau, 0.0)
    poles, residues = _partial_fractions()
    out = np.where(t > 0, t - 1.0, 0.0)
    recent = (t > 0) & (t < 20)  # later the transient is below 1e-17
    out[recent] += (np.exp(np.outer(t[recent], poles)) @ (residues / poles**2)).real
    return out * tau
