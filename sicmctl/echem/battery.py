"""Programs of the battery laboratory's techniques."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import copysign, floor

from sicmctl.config.echem import Gcpl, Gitt, Pitt
from sicmctl.config.echem import Steps as PotentialSteps
from sicmctl.hal.cell import HoldCurrent, HoldPotential, Open, Repeat, Until

from .build import PARTS_TO_A_LIMIT, Steps, interval, steps_of
from .conditions import Setting, untils


@steps_of.register
def _(echem: Gcpl, setting: Setting) -> Steps:
    current = echem.current.amperes(echem.size)
    back = (echem.discharge_current or echem.current).amperes(echem.size)
    upper, lower = setting.potential(echem.upper), setting.potential(echem.lower)
    halves = [
        _half(echem, setting, _Half("charge", current, upper, echem.upper_hold)),
        _half(echem, setting, _Half("discharge", -back, lower, echem.lower_hold)),
    ]
    if echem.first == "discharge":
        halves.reverse()
    return (Repeat((*halves[0], *halves[1]), echem.cycles),)


@dataclass(frozen=True, slots=True)
class _Half:
    """Of a cycle. limit: V. hold: longest time at the limit, s."""

    label: str
    current: float
    limit: float
    hold: float | None


def _half(echem: Gcpl, setting: Setting, half: _Half) -> Steps:
    stops = setting.stops(echem)
    limit = Until("potential", "above" if half.current > 0 else "below", half.limit)
    longest = echem.time_limit or 2 * (echem.capacity or 0.0) / abs(half.current)
    # The hold must not begin where the limit was not reached: the potential would jump to it. What
    # else ends the current therefore leaves the Repeat about both; its time does so as charge.
    ends = "repeat" if half.hold else "step"
    others = untils(echem.until, echem.size, setting.present, ends)
    spent = Until("charge", "above", abs(half.current) * longest, magnitude=True, ends="repeat")
    passing = HoldCurrent(
        current=half.current,
        duration=longest * 1.05 if half.hold else longest,
        interval=interval(echem.interval, longest, PARTS_TO_A_LIMIT),
        until=(*stops, limit, *others, *((spent,) if half.hold else ())),
        label=half.label,
    )
    steps: Steps = (passing,)
    if half.hold:
        held = HoldPotential(
            potential=half.limit,
            duration=half.hold,
            interval=interval(echem.interval, half.hold),
            until=(*stops, *_faded(echem)),
            label="hold",
        )
        steps = (Repeat((passing, held), 1),)
    return (*steps, *_rest(echem.rest, echem.interval, stops))


def _faded(echem: Gcpl) -> tuple[Until, ...]:
    if echem.hold_current is None:
        return ()
    return (Until("current", "below", echem.hold_current.amperes(echem.size), magnitude=True),)


@steps_of.register
def _(echem: Gitt, setting: Setting) -> Steps:
    current = echem.current.amperes(echem.size)
    stops = setting.stops(echem)
    calm = untils(echem.rest_until, echem.size, setting.present)
    rest = Open(
        duration=echem.rest,
        interval=interval(echem.interval, echem.rest),
        until=(*stops, *calm),
        label="rest",
    )
    titrations = tuple(
        Repeat((rest, _pulse(echem, setting, way)), echem.count)
        for way in ((current, -current) if echem.back else (current,))
    )
    return (*titrations, rest)


def _pulse(echem: Gitt, setting: Setting, current: float) -> HoldCurrent:
    limit = echem.upper if current > 0 else echem.lower
    side = "above" if current > 0 else "below"
    reached = () if limit is None else (
        Until("potential", side, setting.potential(limit), ends="repeat"),
    )  # fmt: skip
    return HoldCurrent(
        current=current,
        duration=echem.on,
        interval=interval(echem.interval, echem.on),
        until=(*setting.stops(echem), *reached),
        label="pulse",
    )


@steps_of.register
def _(echem: Pitt, setting: Setting) -> Steps:
    corners = [setting.potential(corner) for corner in echem.corners]
    return tuple(_held(echem, setting, list(staircase(corners, echem.step))))


@steps_of.register
def _(echem: PotentialSteps, setting: Setting) -> Steps:
    corners = [setting.potential(corner) for corner in echem.corners]
    potentials = corners if echem.step is None else list(staircase(corners, echem.step))
    return tuple(_held(echem, setting, potentials))


def _held(
    echem: Pitt | PotentialSteps, setting: Setting, potentials: list[float]
) -> Iterator[HoldPotential | Open]:
    ends, stops = setting.ends(echem), setting.stops(echem)
    for potential in potentials:
        yield HoldPotential(
            potential=potential,
            duration=echem.duration,
            interval=interval(echem.interval, echem.duration),
            until=ends,
            label="step",
        )
        yield from _rest(echem.rest, echem.interval, stops)


def _rest(duration: float, given: float | None, stops: tuple[Until, ...]) -> Iterator[Open]:
    if duration:
        yield Open(duration=duration, interval=interval(given, duration), until=stops, label="rest")


def staircase(corners: list[float], step: float) -> Iterator[float]:
    """Yield potentials `step` apart from each corner to the next, all corners among them, V."""
    yield corners[0]
    for a, b in pairwise(corners):
        whole = floor(abs(b - a) / step - 1e-9)
        for k in range(1, whole + 1):
            yield round(a + copysign(step * k, b - a), 9)
        yield b
