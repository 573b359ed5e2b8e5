"""The speed rule: how fast the tip may fall and how small a setpoint may be, on this very rig."""

from dataclasses import dataclass

from sicmctl.hal.capabilities import Axis
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.hop import HopEngine
from sicmctl.hal.quantity import show
from sicmctl.scan.curve import Tip
from sicmctl.scan.speed import MARGIN, SAFE_SIGMAS, max_fall_rate, min_setpoint, show_speed

from .tuneup import Tuneup

_AUTO_SETPOINT = 0.02
"""Setpoint that `auto` takes where the noise allows it: usual in the field."""
_SHARE = 0.8
"""Share of the highest safe fall rate that `auto` takes."""
_FAR_SHARE = 0.5
"""Share of the highest safe fall rate at which to fall where no surface is expected."""
_LEAST_FALL = 8e-3
"""Time that `auto` leaves a fall, s: a few times what the filter and the onset take."""


@dataclass(frozen=True, slots=True)
class SafeHop:
    """What was decided, and the bounds it was held against. SI units."""

    setpoint: float
    speed: float
    smallest_setpoint: float
    highest_speed: float
    gap: float
    reaction: float

    @property
    def fast(self) -> float:
        """Fall rate where no surface is expected, m/s: half of what is safe if there is one."""
        return max(self.speed, _FAR_SHARE * self.highest_speed)


def decide(
    setpoint: float | str,
    speed: float | str,
    tip: Tip,
    hops: HopEngine,
    found: Tuneup,
    *,
    rate: float,
    z: Axis,
    amplitude: float,
    ceiling: float | None = None,
) -> SafeHop:
    """Choose what is `auto`, and refuse what is unsafe, naming the numbers.

    amplitude: of the hops, m; `auto` leaves time enough in a fall for a curve to be fitted.
    ceiling: highest fall rate that the rig file allows, m/s.
    """
    smallest = min_setpoint(found.current, found.sigma)
    chosen = max(_AUTO_SETPOINT, smallest) if isinstance(setpoint, str) else setpoint
    if chosen < smallest:
        raise LimitExceeded(
            "speed rule",
            f"setpoint {chosen:.2%}",
            f"it must be at least {SAFE_SIGMAS:g} times the noise: the current is "
            f"{show(found.current, 'A')}, its noise {show(found.sigma, 'A')} rms at "
            f"{show(found.state.bandwidth, 'Hz')}, so that the smallest safe setpoint is "
            f"{smallest:.2%}",
            'raise the setpoint, lower the filter, or write setpoint = "auto"',
        )
    reaction = hops.reaction().worst
    gap = float(tip.gap(chosen))
    # The declared reaction contains the lag of the stage.
    fastest = max_fall_rate(tip, chosen, reaction, found.state.bandwidth, rate)
    fastest = min(fastest, z.max_speed, ceiling or z.max_speed)
    room = f"the gap at a setpoint of {chosen:.2%} is {show(gap, 'm')}"
    wanted = fall_rate(speed, fastest, amplitude, room, hops)
    return SafeHop(chosen, wanted, smallest, fastest, gap, reaction)


def fall_rate(
    speed: float | str, fastest: float, amplitude: float, room: str, hops: HopEngine
) -> float:
    """Return the fall rate asked for, or the one that `auto` takes, m/s.

    room: what there is to stop in, in words. Raises LimitExceeded if it is not safe.
    """
    unhurried = min(_SHARE * fastest, amplitude / _LEAST_FALL)
    wanted = unhurried if isinstance(speed, str) else speed
    if not 0 < wanted <= fastest:
        raise LimitExceeded(
            "speed rule",
            f"fall rate {show_speed(wanted)}",
            f"{room}, the margin {show(MARGIN, 'm')} and the reaction time of the {hops.name} "
            f"engine {show(hops.reaction().worst, 's')}, so that the highest safe fall rate is "
            f"{show_speed(fastest)}",
            'lower the fall rate, raise the filter, wire a comparator, or write fall_rate = "auto"',
        )
    return wanted
