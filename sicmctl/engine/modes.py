"""The modes of the setpoint: what ends an approach, and how fast the tip may then fall.

All obey one speed rule. A current level is held against it as the drop that it means at the
measured current.
"""

from sicmctl.config.hop import Hop
from sicmctl.hal.capabilities import Axis
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.hop import Absolute, HopEngine, Stop, StopRule
from sicmctl.hal.quantity import show
from sicmctl.scan.curve import Tip
from sicmctl.scan.speed import MARGIN, SAFE_SIGMAS, min_setpoint, reaction_total

from . import rules
from .rules import SafeHop
from .tuneup import Tuneup

_MOST = 0.49
"""Largest drop that the level of an approach may mean: no height could be told beyond it."""


def decide(  # noqa: PLR0917  (the parts of a rig, in a fixed order)
    hop: Hop,
    tip: Tip,
    hops: HopEngine,
    found: Tuneup,
    rate: float,
    z: Axis,
    ceiling: float | None = None,
) -> tuple[SafeHop, Stop]:
    """Return what was decided about a hop, and the rule that ends its approach.

    rate: samples/s. z: the axis that falls. ceiling: highest fall rate that rig.toml allows, m/s.
    Raises LimitExceeded, naming the numbers, if the hop as asked for is unsafe.
    """
    setpoint = hop.setpoint if hop.level is None else _implied(hop.level, found)
    safe = rules.decide(
        setpoint,
        hop.fall_rate,
        tip,
        hops,
        found,
        rate=rate,
        z=z,
        amplitude=hop.amplitude,
        ceiling=ceiling,
    )
    if hop.level is None:
        return safe, StopRule(safe.setpoint, hop.debounce)
    fastest = safe.fast if hop.adaptive else safe.speed
    fall = fastest * reaction_total(safe.reaction, found.state.bandwidth, rate)
    most = min(float(tip.drop(MARGIN + fall)), _MOST)
    # at the highest safe fall rate the two are equal but for rounding
    most = max(most, safe.setpoint)
    return safe, Absolute(hop.level, safe.smallest_setpoint, most, hop.debounce)


def told(stop: Stop) -> dict[str, float]:
    """Return the numbers of a rule beyond the setpoint, for the record of a scan."""
    return {"stop_current": stop.level} if isinstance(stop, Absolute) else {}


def _implied(level: float, found: Tuneup) -> float:
    """Return the drop that a level means; refuse a level that noise would reach."""
    current = abs(found.current)
    drop, smallest = 1 - level / current, min_setpoint(found.current, found.sigma)
    if drop < smallest:
        highest = show(current * (1 - smallest), "A")
        raise LimitExceeded(
            "speed rule",
            f"level {show(level, 'A')}",
            f"it must lie at least {SAFE_SIGMAS:g} times the noise below the current: that is "
            f"{show(current, 'A')}, its noise {show(found.sigma, 'A')} rms at "
            f"{show(found.state.bandwidth, 'Hz')}, so that the highest safe level is {highest}",
            "lower the level or the filter",
        )
    return drop
