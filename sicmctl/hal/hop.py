"""The hop: what is asked of a hop engine, and what it returns."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from .admittance import Admittance, By
from .capabilities import F64, SafeState
from .quantity import show


class HopStatus(StrEnum):
    """How a hop ended. Run files number these in order: new ones go to the end."""

    OK = "ok"
    NO_SURFACE = "no surface"  # the ramp ran to its floor
    TOUCHED = "touched"  # the current fell so far that tip and sample met
    LOW_REFERENCE = "low reference"  # at the top the current was lower than usual: surface or clog
    HIGH_REFERENCE = "high reference"  # at the top it was higher than usual: the tip may be broken
    NO_CURRENT = "no current"  # a bubble, a broken wire, or no bias
    OVERLOAD = "overload"  # the amplifier saturated
    SETTINGS = "settings"  # someone turned a knob on the amplifier
    UNSETTLED = "unsettled"  # the stage did not come to rest
    EDGE = "edge"  # found, but the curve is that of a tip beside a step: the height is ill-defined
    EARLY = "early"  # the surface was met while the tip was still falling fast


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where an approach ends: as soon as `sign` * current < `level`.

    level, hysteresis: A; the current would have to come back by that much to undo the crossing.
    """

    sign: float
    level: float
    hysteresis: float


Refusal = tuple[HopStatus, str]
"""Why a hop ends at the top, without an approach."""


@dataclass(frozen=True, slots=True)
class StopRule:
    """The approach ends at a fractional drop from the hop's own reference, held for a while."""

    setpoint: float
    debounce: int = 1
    """Consecutive samples beyond the level (host-watched back-ends)."""
    falls: ClassVar[bool] = True
    """Whether it is a fall of the current that ends the approach."""

    def __post_init__(self) -> None:
        if not 0 < self.setpoint < 1:
            raise ValueError(f"the setpoint must lie in 0..1, found {self.setpoint}")

    def drop(self, reference: float) -> float:
        """Return the fractional drop that ends the approach."""
        return self.setpoint

    def crossing(self, reference: float) -> Crossing:
        """Return where an approach from this reference (A) ends."""
        return _falling(reference, self.setpoint)

    def refusal(self, reference: float) -> Refusal | None:
        """Return why there is to be no approach from this reference, if so."""
        return None


@dataclass(frozen=True, slots=True)
class Absolute:
    """The approach ends where the current's magnitude falls below `level`, A.

    least, most: fractional drops. The reference drifts and the level does not: an approach from
        nearer to the level than `least` would end in the noise, one whose drop is more than `most`
        would end too near to the sample for its fall rate. Neither is begun.
    """

    level: float
    least: float
    most: float
    debounce: int = 1
    falls: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (self.level > 0 and 0 < self.least <= self.most < 1):
            raise ValueError(
                f"the level must be positive and 0 < least <= most < 1, found {self.level}, "
                f"{self.least} and {self.most}"
            )

    def drop(self, reference: float) -> float:
        """Return the fractional drop from this reference (A) down to the level; may be negative."""
        return 1 - self.level / abs(reference) if reference else -math.inf

    def crossing(self, reference: float) -> Crossing:
        """Return where an approach from this reference (A) ends."""
        return _falling(reference, self.drop(reference))

    def refusal(self, reference: float) -> Refusal | None:
        """Return why there is to be no approach from this reference, if so."""
        drop = self.drop(reference)
        if drop < self.least:
            where = f"no more than {self.least:.2%} above" if drop > 0 else "not above"
            status = HopStatus.LOW_REFERENCE
        elif drop > self.most:
            where, status = f"more than {self.most:.2%} above", HopStatus.HIGH_REFERENCE
        else:
            return None
        return status, (
            f"the reference current is {show(abs(reference), 'A')}, {where} the level of "
            f"{show(self.level, 'A')}"
        )


def _falling(reference: float, drop: float) -> Crossing:
    """A drop of the current's magnitude; the hysteresis is half of it: a frozen ramp stays so."""
    level = abs(reference)
    return Crossing(math.copysign(1.0, reference), level * (1 - drop), 0.5 * drop * level)


@dataclass(frozen=True, slots=True)
class Onset:
    """The approach ends where a current sets in: a meniscus at the tip has met the sample.

    threshold: rise over the current at the top, A. polarity: sign of the current to come.
    quiet: current while nothing touches, A: offset and leak. A hop that starts with more than the
        threshold beside it still touches.
    """

    threshold: float
    polarity: float
    quiet: float = 0.0
    debounce: int = 1
    falls: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (self.threshold > 0 and abs(self.polarity) == 1):
            raise ValueError(
                f"the threshold must be positive and the polarity 1 or -1, found {self.threshold} "
                f"and {self.polarity}"
            )

    def drop(self, reference: float) -> float:
        """Return 0: no current falls."""
        return 0.0

    def crossing(self, reference: float) -> Crossing:
        """Return where an approach from this reference (A) ends: the level is met from below."""
        level = self.polarity * reference + self.threshold
        return Crossing(-self.polarity, -level, 0.5 * self.threshold)

    def refusal(self, reference: float) -> Refusal | None:
        """Return why there is to be no approach from this reference, if so."""
        if not abs(reference - self.quiet) > self.threshold:
            return None
        return HopStatus.HIGH_REFERENCE, (
            f"a current of {show(reference, 'A')} flows at the top, where none should: the "
            "meniscus still touches, or the pipette leaks"
        )


@dataclass(frozen=True, slots=True)
class Modulated:
    """The approach ends where an alternating current tells that the tip conducts less.

    References and levels are amplitudes of the current in phase with the bias, A: the part that
    flows through the tip.
    setpoint: fractional drop of the whole amplitude, or turn of its phase in rad, as `by` says.
    capacitive: amplitude of the current that leads the bias by a quarter of a period, A: it flows
        past the tip, and does not change as the tip nears the sample.
    least, most: fractional drops of the current through the tip. What a setpoint means depends on
        how much of the current flows there; an approach whose setpoint means less would end in the
        noise, one whose setpoint means more too near to the sample. Neither is begun.
    """

    setpoint: float
    by: By
    capacitive: float
    least: float
    most: float
    debounce: int = 1
    falls: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (self.setpoint > 0 and 0 < self.least <= self.most < 1):
            raise ValueError(
                f"the setpoint must be positive and 0 < least <= most < 1, found {self.setpoint}, "
                f"{self.least} and {self.most}"
            )

    def drop(self, reference: float) -> float:
        """Return the fractional drop from this reference (A) that ends the approach."""
        through = Admittance(abs(reference), self.capacitive)
        return through.drop(self.setpoint, self.by) if reference else math.inf

    def crossing(self, reference: float) -> Crossing:
        """Return where an approach from this reference (A) ends."""
        return _falling(reference, self.drop(reference))

    def refusal(self, reference: float) -> Refusal | None:
        """Return why there is to be no approach from this reference, if so."""
        drop = self.drop(reference)
        if drop > self.most:
            status, than = HopStatus.LOW_REFERENCE, f"more than {self.most:.2%}"
        elif drop < self.least:
            status, than = HopStatus.HIGH_REFERENCE, f"less than {self.least:.2%}"
        else:
            return None
        return status, (
            f"of the alternating current {show(abs(reference), 'A')} flow through the tip and "
            f"{show(self.capacitive, 'A')} past it, so that the setpoint means a drop by {than}"
        )


Stop = StopRule | Absolute | Onset | Modulated


class ApproachCurve(Protocol):
    """How the current is expected to fall as the tip nears a surface, and how noisy it is.

    A fall whose current does not follow is ended: the rim of the tip is taken to rest on an edge.
    """

    @property
    def window(self) -> float:
        """Way after which a rim that rests on an edge can be told, m."""
        ...

    @property
    def least(self) -> float:
        """Fractional drop below which no rim rests on anything yet."""
        ...

    def gap(self, drop: float) -> float:
        """Return the gap over a flat sample at a fractional drop, m."""
        ...

    def blur(self, seconds: float) -> float:
        """Return the noise of a drop that is averaged so long, as a fraction."""
        ...


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Where to go after a stop: up to `z`, sideways to x, y once above `clear`. All m."""

    x: float
    y: float
    z: float
    clear: float


@dataclass(frozen=True, slots=True)
class HopRequest:
    """One hop, in full, before anything moves. SI units.

    x, y: where. start: z at which the ramp begins. floor: the lowest z it may command.
    speed: fall rate. fast: fall rate above `slow_from`; None: `speed` all the way. What is met in
        the fast part stops the ramp all the same, and a current that sags there ends it.
    reference_time: how long the reference current is averaged at the top.
    look_from: z above which no surface is to be expected; saves looks where a comparator watches.
    dwell: how long to record at the stop before the retract.
    clear: z above which sideways motion is safe on the way to the start.
    expected: how the current is expected to fall; a fall that it does not follow is ended. None:
        the current tells nothing but the crossing.
    usual: reference current of recent hops, A; a hop whose own differs by more than the fraction
        `tolerance` ends at the top, without an approach.
    """

    x: float
    y: float
    start: float
    floor: float
    speed: float
    stop: Stop
    clear: float
    fast: float | None = None
    slow_from: float | None = None
    reference_time: float = 2e-3
    dwell: float = 0.0
    look_from: float | None = None
    expected: ApproachCurve | None = None
    usual: float | None = None
    tolerance: float = 0.1

    def __post_init__(self) -> None:
        if not self.floor < self.start:
            raise ValueError(f"the floor ({self.floor}) must lie below the start ({self.start})")
        if not self.speed > 0:
            raise ValueError(f"the fall rate must be positive, found {self.speed}")
        if self.fast is not None and (self.fast < self.speed or self.slow_from is None):
            raise ValueError(
                f"a fast fall ({self.fast}) is no slower than the slow one ({self.speed}) and ends "
                f"somewhere ({self.slow_from})"
            )


@dataclass(slots=True)
class HopRecord:
    """What happened in one hop.

    first: timeline sample at which the approach begins. rate: samples/s.
    curves: `current` (A), `x`, `y`, `z` (m) from the start of the ramp to the end of the dwell, of
        equal shapes; the delay of the position sensors is taken out.
    stop: index into the curves at which the ramp was stopped; n if it ran to the floor.
    slow: index from which on the tip fell steadily at the request's `speed`.
    reference, reference_sd: mean of the reference window and its standard error, A.
    reference_samples: length of that window, which ends where the curves begin.
    noise: standard deviation of one reference sample, A.
    z_stop: sensor z at rest after the stop, m. bandwidth: of the amplifier, Hz.
    timing: seconds spent per phase.
    """

    request: HopRequest
    status: HopStatus
    first: int
    rate: float
    curves: dict[str, F64]
    stop: int
    reference: float
    reference_sd: float
    reference_samples: int
    noise: float
    z_stop: float
    bandwidth: float
    slow: int = 0
    timing: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reaction:
    """How long after the crossing the tip goes on: typical and worst, s, without the filter."""

    typical: float
    worst: float


@runtime_checkable
class HopEngine(SafeState, Protocol):
    """Approaches, stops at the surface and retracts.

    The ramp is finite before it starts, so that a dead host cannot drive the tip on.
    """

    @property
    def name(self) -> str:
        """What the back-end is called, e.g. `comparator`."""
        ...

    def reaction(self) -> Reaction:
        """Declare the reaction time; the engine derives the highest safe fall rate from it."""
        ...

    def hop(self, request: HopRequest, onward: Callable[[HopRecord], Waypoint]) -> HopRecord:
        """Do one hop and begin the way onward.

        onward: called once the tip has stopped; says where to retract to. It must be quick.
        Returns as soon as the retract is under way.
        """
        ...
