"""Watches how fast falls are really stopped, hop by hop, and slows them down if need be.

The speed rule rests on a reaction time that was measured before the scan. Each hop measures it
again: between the sample that completed the crossing and where the tip came to rest the sensor
sees it go on by reaction time x fall rate, the lag of the stage included, the filter not.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sicmctl.hal.hop import HopRecord, HopStatus, Reaction
from sicmctl.hal.quantity import show
from sicmctl.messages import Alarm, Message, Note, ReactionMeasured

from .speed import MARGIN, reaction_total, show_speed

_AVERAGED = 0.5e-3
_LEAST_WAY = 10e-9
"""Time over which the sensor is averaged before the crossing, s, and way that it must see, m."""
_STEADY = 0.3
"""Share by which a fall may differ from its rate there, at most."""
_SHARE = 0.8
"""Share of what the worst reaction allows at which falls go on."""
_SLOWEST = 0.05
"""Share of the fall rate asked for below which a scan is not worth going on with."""
_DEAD = 0.25e-3
"""Time beyond its reaction after which a comparator is taken to have done nothing, s."""
_DOUBT = 1.5e-9
"""Way that noise of sensor and current may feign, m."""
_CLEARLY = 0.2
"""Share of the hysteresis by which a current is beyond a level for certain: what only just is, by
the converter of the inputs, need not be by the comparator."""
_HELD = 50e-9
"""Height over its end at which a ramp that rests was held back, m."""
_WIRING = (
    "see that the amplifier's output is wired to the terminal in daq.comparator and that its "
    'level is calibrated, or hop with engine = "streamed"'
)


def _say(value: float, unit: str) -> str:
    return show(value, unit, 3)


def went_on(record: HopRecord, comparator: bool, clearly: float = 0.0) -> float | None:
    """Return how long the tip went on after the crossing, s, at the fall rate of the hop.

    clearly: share of the hysteresis by which a comparator must have seen the level crossed.
    None if that cannot be told: nothing was met, or not at a steady fall rate.
    """
    if record.status not in (HopStatus.OK, HopStatus.TOUCHED):
        return None
    crossing = _frozen(record, clearly) if comparator else _crossed(record)
    speed = record.request.speed
    half = max(round(max(_AVERAGED, _LEAST_WAY / speed) * record.rate / 2), 1)
    if crossing is None or crossing - 2 * half + 1 < record.slow:
        return None
    z = record.curves["z"][crossing - 2 * half + 1 : crossing + 1]
    way = float(z[:half].mean() - z[half:].mean())
    if abs(way / (speed * half / record.rate) - 1) > _STEADY:
        return None
    at_crossing = float(z.mean()) - speed * (half - 0.5) / record.rate
    return max(at_crossing - record.z_stop, 0.0) / speed


def _crossed(record: HopRecord) -> int | None:
    """Return the sample that completed the crossing, as a host sees it."""
    stop = record.request.stop
    end = stop.crossing(record.reference)
    below = end.sign * record.curves["current"] < end.level
    if len(below) < stop.debounce:
        return None
    held = np.convolve(below, np.ones(stop.debounce), mode="valid") > stop.debounce - 0.5
    return int(np.argmax(held)) + stop.debounce - 1 if held.any() else None


def _frozen(record: HopRecord, clearly: float) -> int | None:
    """Return the sample from which a comparator has held the ramp for good, if it has.

    Noise may freeze a ramp for a moment and let it go again.
    """
    end = record.request.stop.crossing(record.reference)
    current = end.sign * record.curves["current"]
    above = np.flatnonzero(current > end.level + (1 - clearly) * end.hysteresis)
    free = int(above[-1]) + 1 if len(above) else 0
    below = np.flatnonzero(current[free:] < end.level - clearly * end.hysteresis)
    return free + int(below[0]) if len(below) else None


def held_back(record: HopRecord) -> bool:
    """Whether the ramp came to rest far above its end although nothing was met."""
    z = record.curves["z"]
    if record.status is not HopStatus.NO_SURFACE or not len(z):
        return False
    at_rest = abs(float(z[int(0.8 * len(z))]) - record.z_stop) < 2 * _DOUBT
    return at_rest and record.z_stop > record.request.floor + _HELD


@dataclass
class ReactionWatch:
    """Measures the reaction of a scan's hops, and lowers the fall rate as the speed rule asks.

    scan: its number. comparator: whether the card stops the ramp. assumed: what the fall rate was
    chosen by. gap: at the setpoint, m. filter_hz, rate: of the current, Hz. speed: fall rate asked
    for, m/s; from then on the one that is safe. window: hops that are remembered. every: hops
    between two messages.
    """

    scan: int
    comparator: bool
    assumed: Reaction
    gap: float
    filter_hz: float
    rate: float
    speed: float
    publish: Callable[[Message], None]
    window: int = 64
    every: int = 100
    _asked: float = field(init=False)
    _recent: deque[tuple[float, float]] = field(init=False)
    """Reactions as measured, and what is certain of them, s."""
    _hops: int = 0
    _told: int = 0
    _time: float = 0.0

    def __post_init__(self) -> None:
        self._asked = self.speed
        self._recent = deque(maxlen=self.window)

    def see(self, record: HopRecord) -> dict[str, float]:
        """Take in a hop; return its `reaction`, s, if it can be told."""
        reaction = went_on(record, self.comparator)
        if reaction is None:
            return {}
        sure = went_on(record, self.comparator, _CLEARLY) or 0.0
        certain = max(min(sure, reaction) - _DOUBT / record.request.speed, 0.0)
        self._recent.append((reaction, certain))
        self._hops += 1
        return {"reaction": reaction}

    def judge(self, record: HopRecord) -> str | None:
        """Set the fall rate of the hops to come; return why the scan must end, if it must."""
        self._time = (record.first + record.stop) / record.rate
        if self.comparator and held_back(record):
            return self._held_back(record)
        latest = record.timing.get("reaction")
        if latest is None:
            return None
        if self.comparator and self._recent[-1][1] > self.assumed.worst + _DEAD:
            return self._unstopped(record, latest)
        refusal = self._adapt(latest)
        if self._hops >= self._told + self.every:
            self._tell()
        return refusal

    def finish(self) -> None:
        """Publish what was measured since the last message."""
        if self._hops != self._told:
            self._tell()

    def fast(self, asked: float) -> float:
        """Return the fall rate where no surface is expected, m/s, as safe as that was before."""
        return max(asked * self.speed / self._asked, self.speed)

    def fastest(self, reaction: float) -> float:
        """Return the highest fall rate that leaves the margin of the gap, m/s: the speed rule."""
        total = reaction_total(reaction, self.filter_hz, self.rate)
        return max(self.gap - MARGIN, 0.0) / total

    def _adapt(self, latest: float) -> str | None:
        """Obey the speed rule with the worst reaction of late."""
        worst = max(certain for _, certain in self._recent)
        fastest = self.fastest(worst)
        # what was assumed was good enough when the rate was chosen
        safe = worst <= self.assumed.worst or self._asked <= fastest
        before, speed = self.speed, self._asked if safe else _SHARE * fastest
        if speed < before and before > fastest:
            return self._slow_down(latest, speed)
        if speed > before and safe:
            self.speed = speed
            self._tell()
            self._note(
                f"falls are stopped within {_say(worst, 's')} again: falling at "
                f"{show_speed(speed)} as asked"
            )
        return None

    def _slow_down(self, latest: float, speed: float) -> str | None:
        before, self.speed = self.speed, speed
        left = self.gap - before * reaction_total(latest, self.filter_hz, self.rate)
        near = f"it stopped {_say(left, 'm')} above the sample"
        where = near if left > 0 else "it may have touched"
        text = (
            f"the tip went on for {_say(latest, 's')} after the current had crossed the setpoint, "
            f"and {where}; a fall rate of {show_speed(before)} allows "
            f"{_say(self._allowed(before), 's')}, {_say(self.assumed.worst, 's')} was expected"
        )
        given_up = speed < _SLOWEST * self._asked
        self._tell()
        if given_up:
            return f"{text} (close other programs, or wire a comparator)"
        self.publish(
            Alarm(
                time=self._time,
                level="warning",
                source="reaction",
                text=f"{text}; falling at {show_speed(speed)} from now on",
                remedy="close other programs on this computer, or wire a comparator; compare the "
                "approach curves to see that the tip is whole",
            )
        )
        return None

    def _allowed(self, speed: float) -> float:
        """Return the reaction time at which a fall rate just leaves the margin, s."""
        spent = reaction_total(0.0, self.filter_hz, self.rate)
        return max((self.gap - MARGIN) / speed - spent, 0.0)

    def _unstopped(self, record: HopRecord, reaction: float) -> str:
        self._tell()
        way = reaction * record.request.speed
        return (
            f"the comparator did not stop the ramp: the tip went on for {_say(way, 'm')} "
            f"({_say(reaction, 's')}) after the current had crossed the level, until the program "
            f"halted it ({_WIRING})"
        )

    def _held_back(self, record: HopRecord) -> str:
        above = record.z_stop - record.request.floor
        end = record.request.stop.crossing(record.reference)
        return (
            f"the comparator held the ramp {_say(above, 'm')} above its end, although the current "
            f"never crossed the level of {show(end.sign * end.level, 'A')} ({_WIRING})"
        )

    def _tell(self) -> None:
        self._told = self._hops
        seen = [reaction for reaction, _ in self._recent]
        self.publish(
            ReactionMeasured(
                time=self._time,
                scan=self.scan,
                typical=float(np.median(seen)),
                worst=max(seen),
                assumed=self.assumed.worst,
                speed=self.speed,
                safe_speed=self.fastest(
                    max(self.assumed.worst, *(sure for _, sure in self._recent))
                ),
                hops=self._hops,
            )
        )

    def _note(self, text: str) -> None:
        self.publish(Note(time=self._time, text=text, author="engine"))
