"""Vibration between tip and sample, which no sensor of the stage sees: from the current at a stop.

At the setpoint the current falls by some per cent of itself in tens of nanometres. What the gap
does there is seen in the current, up to the frequency at which its noise takes over.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sicmctl.hal.capabilities import F64

from .curve import Tip

DWELL = 0.3
"""Time at the stop that a measurement takes, s."""
LEAST = 1e-12
"""What stands for "measured, and none found", m."""
_BAND = (8.0, 250.0)
"""Where buildings, fans and frames shake, Hz."""
_QUIET = (400.0, 900.0)
"""Where the current shows its white noise only, Hz."""


def measure(share: F64, rate: float, tip: Tip) -> float:
    """Return the rms motion, m, from a current at rest at the setpoint.

    share: current over reference, shape (n,), of at least 0.1 s. The white noise, known from
    higher frequencies, is taken off. Returns 0 if the record is too short or shows no surface.
    """
    settle = round(2e-3 * rate)
    share = share[settle:]
    drop = 1 - float(np.mean(share)) if len(share) else 0.0
    if len(share) < 0.1 * rate or not 1e-3 < drop < 0.3:
        return 0.0
    frequency, density = spectrum(share, rate, min(len(share), round(0.125 * rate)))
    step = frequency[1]
    white = float(np.median(density[_inside(frequency, _QUIET)])) / np.log(2) ** 0.5
    excess = np.sum(density[_inside(frequency, _BAND)] - white) * step
    return float(np.sqrt(max(excess, 0.0)) / tip.slope(drop))


def spectrum(values: F64, rate: float, length: int) -> tuple[F64, F64]:
    """Return frequencies, Hz, and the one-sided power density there, unit of the values squared/Hz.

    Averaged over pieces of `length` samples that overlap by half, each without its mean and under
    a Hann window, of values without their linear trend (Welch 1967, IEEE Trans. Audio 15, 70).
    Computed as by scipy.signal, which takes half a second to import while a tip waits.
    """
    times = np.arange(len(values))
    values = values - np.polyval(np.polyfit(times, values, 1), times)
    pieces = sliding_window_view(values, length)[:: length - length // 2]
    window = np.hanning(length + 1)[:-1]
    shown = np.fft.rfft((pieces - pieces.mean(axis=1, keepdims=True)) * window)
    density = 2 * np.mean(np.abs(shown) ** 2, axis=0) / (rate * np.sum(window**2))
    return np.arange(len(density)) * rate / length, density


def _inside(frequency: F64, band: tuple[float, float]) -> np.ndarray:
    return (frequency >= band[0]) & (frequency <= band[1])
