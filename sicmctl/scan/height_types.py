"""What goes into a height estimate and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sicmctl.scan.bessel import F64
from sicmctl.scan.curve import Tip
from sicmctl.scan.noise import NoiseModel

Method = Literal["stop", "crossing", "fit"]
Status = Literal[
    "ok",  # trust value and sd
    "slope",  # the gap scale had to be freed: slope, rim, step or permeable sample
    "misfit",  # no smooth surface below the tip makes such a curve: an edge or wall beside it
    "early",  # stopped well above the surface (false trigger); the value is extrapolated
    "no_crossing",  # the current never came near the setpoint
    "saturated",  # the current stands still: amplifier on its rail, or dead
    "too_short",  # too few samples
    "bad_data",  # not-a-number in current, z or reference
]
METHODS: tuple[Method, ...] = ("stop", "crossing", "fit")


@dataclass(frozen=True, eq=False)
class Approach:
    """The record of one fall of the tip.

    current       A, shape (n,), from the start of the ramp; behind the Bessel filter
    z             m, shape (n,), sensor, falling towards the sample
    rate          Hz, samples per second
    stop          index of the sample at which the ramp was stopped; n if it never was
    reference     A, current averaged at the top of the hop
    reference_sd  A, standard uncertainty of that average
    speed         m/s, fall rate, positive
    setpoint      fractional drop that stops the ramp
    filter_hz     Hz, corner of the four-pole Bessel filter
    noise         current noise; None to estimate it from the upper part of the record
    reaction      s, from the first sample below the level to the stop; None to read it off
    reaction_sd   s, its jitter
    slow          index from which on the tip fell at `speed`; before, it fell faster
    period        samples in a period, where the current was demodulated; filter_hz is then the
                  corner of a Bessel filter as late as lock-in and amplifier; 0 where it was not
    lag           s, 2 zeta / omega of the stage where z is its command; 0 where z is a sensor
    """

    current: F64
    z: F64
    rate: float
    stop: int
    reference: float
    reference_sd: float
    speed: float
    setpoint: float
    filter_hz: float
    noise: NoiseModel | None = None
    reaction: float | None = None
    reaction_sd: float = 0.0
    lag: float = 0.0
    slow: int = 0
    period: int = 0

    def __post_init__(self) -> None:
        shapes = np.shape(self.current), np.shape(self.z)
        if shapes[0] != shapes[1] or len(shapes[0]) != 1:
            raise ValueError(f"current and z must be rows of one length, not {shapes}")
        for name in ("rate", "speed", "filter_hz"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive and finite, not {value!r}")
        if not 0 < self.setpoint < 0.5:
            raise ValueError(f"setpoint must be a fraction in 0..0.5, not {self.setpoint!r}")
        if not 0 <= self.stop <= shapes[0][0]:
            raise ValueError(f"stop must be an index in 0..{shapes[0][0]}, not {self.stop!r}")
        if self.reference_sd < 0 or self.reaction_sd < 0:
            raise ValueError("standard uncertainties must not be negative")

    @property
    def lag_bias(self) -> float:
        """m by which a commanded z runs ahead of the tip: speed times lag, negative."""
        return -self.speed * self.lag


@dataclass(frozen=True)
class Height:
    """Where the surface is, by one method.

    value          m in the frame of the z sensor; nan where the status says why
    sd             m, standard uncertainty
    expected_bias  m, known and not removed: value - truth to be expected
    detail         further numbers by name, SI (see docs/height-estimation.md)
    """

    value: float
    sd: float
    method: Method
    status: Status
    expected_bias: float = 0.0
    detail: dict[str, float] = field(default_factory=dict)


def failed(method: Method, status: Status) -> Height:
    """A height that could not be had."""
    return Height(float("nan"), float("nan"), method, status)


def defect(a: Approach) -> Status | None:
    """Why a record cannot be used at all, if so."""
    end = min(a.stop + 1, len(a.current))
    if end < 12:
        return "too_short"
    if not (1e-18 < abs(a.reference) < 1.0 and a.reference_sd < 1.0):  # A; false for nan too
        return "bad_data"
    current, z = a.current[:end], a.z[:end]
    with np.errstate(all="ignore"):
        sane = np.abs(current / a.reference) < 1e3  # false for nan too
        near = np.abs(z) < 1.0
    if not (sane.all() and near.all()):
        return "bad_data"
    if np.ptp(a.current[end - min(end, 12) : end]) == 0:
        return "saturated"
    return None


def far_reference(a: Approach, tip: Tip) -> float:
    """Current (A) far away from the surface: the reference less what it felt from the top.

    From 2 um above it is 0.02 % lower, which at a setpoint of 1 % is a nanometre of height.
    """
    stop = min(a.stop, len(a.z) - 1)
    gap = max(float(np.median(a.z[:5]) - a.z[stop]), 0.0) + float(tip.gap(a.setpoint))
    return a.reference / float(tip.current(gap))


def usable_end(a: Approach) -> int:
    """One past the last sample worth using: to the stop, or to three times the drop.

    Beyond that the tip may touch, bend or sit in a place where its rim, not its bore, leads.
    """
    end = min(a.stop + 1, len(a.current))
    above = np.flatnonzero(a.current[:end] / a.reference > 1 - 3 * a.setpoint)
    return min(end, int(above[-1]) + 2) if above.size else 0
