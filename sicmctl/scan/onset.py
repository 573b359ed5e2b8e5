"""Height from the onset of a current: where a meniscus at the tip met the sample.

The current sets in at once, so that what the amplifier shows is the step response of its filter.
It is at half its final value a known time after the contact, whatever that value and the
threshold are; z there and then is the height: one height of the meniscus above the sample.
"""

from dataclasses import dataclass

import numpy as np

from .bessel import F64, IMPULSE_VARIANCE, delay
from .height_types import Height, failed

HALF = 0.9789
"""Time to half the final value of the Bessel filter's step response, in group delays."""
_SETTLED = 4.0
"""Group delays after the half value from which on the current is taken to be final."""
_BEFORE = 2e-3
"""Length of the fall before the contact to which a line is laid, s."""


@dataclass(frozen=True, eq=False)
class Onset:
    """A fall that ended with the onset of a current.

    rise: current over that at the top, A, shape (n,), positive after the contact. z: m, shape (n,).
    rate: samples/s. stop: index at which the ramp was stopped. z_stop: where the stage rests, m.
    noise: sd of one sample, A. filter_hz: corner of the amplifier. threshold: A.
    """

    rise: F64
    z: F64
    rate: float
    stop: int
    z_stop: float
    noise: float
    filter_hz: float
    threshold: float


def heights_of_onset(o: Onset) -> dict[str, Height]:
    """Heights by method: `crossing` (time of contact, delay taken off) and `stop`, m."""
    contact = _contact(o)
    if contact is None:
        return {name: failed(name, "no_crossing") for name in ("crossing", "stop")}
    index, sd_time = contact
    last = int(index)
    first = max(last - round(_BEFORE * o.rate), 0)
    if last - first < 8:
        return {name: failed(name, "too_short") for name in ("crossing", "stop")}
    at = np.arange(first, last + 1)
    (slope, offset), covariance = np.polyfit(at - index, o.z[at], 1, cov=True)
    value = float(offset)
    residual = o.z[at] - slope * (at - index) - offset
    scatter = float(np.std(residual))
    # a sensor's noise is not white: neighbours tell less than their number
    kinship = float(np.clip(np.corrcoef(residual[:-1], residual[1:])[0, 1], 0.0, 0.9))
    line = np.sqrt(covariance[1, 1] * (1 + kinship) / (1 - kinship))
    sd = float(np.hypot(line, slope * o.rate * sd_time))
    rested = float(np.hypot(scatter, slope / 12**0.5))
    return {
        "crossing": Height(value, sd, "crossing", "ok"),
        "stop": Height(o.z_stop, rested, "stop", "ok", o.z_stop - value),
    }


def _contact(o: Onset) -> tuple[float, float] | None:
    """Return the sample, fractional, at which the contact was made and its sd, s; None if none."""
    over = np.flatnonzero(o.rise > o.threshold)
    if not len(over):
        return None
    wait = delay(o.filter_hz)
    settled = int(over[0]) + round((_SETTLED + HALF) * wait * o.rate)
    final = o.rise[settled:]
    if len(final) < 4:
        return None
    level = float(np.median(final))
    if level < o.threshold:
        return None  # it did not last: noise
    half = int(np.argmax(o.rise[over[0] - min(over[0], 1) :] >= level / 2))
    half += int(over[0] - min(over[0], 1))
    if half == 0:
        return None
    before, after = o.rise[half - 1], o.rise[half]
    crossing = half - 1 + (level / 2 - before) / (after - before)
    steepness = level / (wait * np.sqrt(2 * np.pi * IMPULSE_VARIANCE))  # A/s, nearly Gaussian
    return float(crossing) - HALF * wait * o.rate, float(o.noise / steepness)
