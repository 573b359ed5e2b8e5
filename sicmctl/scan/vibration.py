"""Vibration between tip and sample, which no sensor of the stage sees: from the current at a stop.

At the setpoint the current falls by some per cent of itself in tens of nanometres. What the gap
does there is seen in the current, up to the frequency at which its noise takes over.
"""

import numpy as np

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
    from scipy import signal  # noqa: PLC0415  (slow to import)

    settle = round(2e-3 * rate)
    share = share[settle:]
    drop = 1 - float(np.mean(share)) if len(share) else 0.0
    if len(share) < 0.1 * rate or not 1e-3 < drop < 0.3:
        return 0.0
    frequency, density = signal.welch(
        signal.detrend(share), rate, nperseg=min(len(share), round(0.125 * rate))
    )
    step = frequency[1]
    white = float(np.median(density[_inside(frequency, _QUIET)])) / np.log(2) ** 0.5
    excess = np.sum(density[_inside(frequency, _BAND)] - white) * step
    return float(np.sqrt(max(excess, 0.0)) / tip.slope(drop))


def _inside(frequency: F64, band: tuple[float, float]) -> np.ndarray:
    return (frequency >= band[0]) & (frequency <= band[1])
