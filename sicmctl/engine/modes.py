"""The modes of the setpoint: what ends an approach, and how fast the tip may then fall.

All obey one speed rule. A current level is held against it as the drop that it means at the
measured current.
"""

from math import degrees

from sicmctl.config.hop import Hop
from sicmctl.hal.admittance import Admittance, By
from sicmctl.hal.capabilities import Axis
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.hop import Absolute, HopEngine, Modulated, Onset, Stop, StopRule
from sicmctl.hal.quantity import show
from sicmctl.scan.curve import Tip
from sicmctl.scan.speed import MARGIN, SAFE_SIGMAS, min_setpoint, reaction_total

from . import rules
from .rules import SafeHop
from .tuneup import Tuneup

_DEPTH = 2e-6
"""How far below the last surface a ramp may run, m."""
_PRESS = 4.0
"""The same where a meniscus touches, in heights of it."""
_LIFT = 6.0
"""Smallest hop amplitude in heights of the meniscus: half of it is free when moving sideways."""
_LEEWAY = 0.95
"""By how much the drop that a modulated setpoint means may leave what is safe, as it drifts."""
_MOST = 0.49
"""Largest drop that the level of an approach may mean: no height could be told beyond it."""


def decide(  # noqa: PLR0917  (the parts of a rig, in a fixed order)
    hop: Hop,
    tip: Tip,
    hops: HopEngine,
    found: Tuneup,
    rate: float,
    z: Axis,
    bias: float,
    ceiling: float | None = None,
) -> tuple[SafeHop, Stop]:
    """Return what was decided about a hop, and the rule that ends its approach.

    rate: samples/s. z: the axis that falls. bias: of the pipette, V. ceiling: highest
        fall rate that rig.toml allows, m/s.
    Raises LimitExceeded, naming the numbers, if the hop as asked for is unsafe.
    """
    if hop.mode == "onset":
        return _onset(hop, tip, hops, found, rate, min(z.max_speed, ceiling or z.max_speed), bias)
    if hop.mode == "modulated":
        setpoint = _modulated(hop, found)
    else:
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
    if hop.mode == "drop":
        return safe, StopRule(safe.setpoint, hop.debounce)
    fastest = safe.fast if hop.adaptive else safe.speed
    fall = fastest * reaction_total(safe.reaction, found.state.bandwidth, rate)
    most = min(float(tip.drop(MARGIN + fall)), _MOST)
    # at the highest safe fall rate the two are equal but for rounding
    most = max(most, safe.setpoint)
    least = safe.smallest_setpoint
    if hop.level is not None:
        return safe, Absolute(hop.level, least, most, hop.debounce)
    by, past = hop.modulated_by, found.capacitive
    asked = Admittance(found.current, past).setpoint(safe.setpoint, by)
    # what a setpoint means moves with the reference, though by far less than the noise
    least, most = _LEEWAY * least, max(most, safe.setpoint / _LEEWAY)
    return safe, Modulated(asked, by, past, least, most, hop.debounce)


def told(stop: Stop) -> dict[str, float]:
    """Return the numbers of a rule beyond the setpoint, for the record of a scan."""
    if isinstance(stop, Onset):
        return {"threshold_current": stop.threshold}
    if isinstance(stop, Modulated):
        key = "setpoint_amplitude" if stop.by == "amplitude" else "setpoint_phase"
        return {key: stop.setpoint, "capacitive_current": stop.capacitive}
    return {"stop_current": stop.level} if isinstance(stop, Absolute) else {}


def meniscus(hop: Hop, tip: Tip) -> float:
    """Return the height of the meniscus at a tip, m."""
    return hop.meniscus or tip.inner_radius


def floor_margin(hop: Hop, tip: Tip) -> float:
    """Return how far below the last surface the ramp may run, m.

    Before contact a dead wire cannot be told from a dry gap: then the floor is what spares the tip.
    """
    usual = _PRESS * meniscus(hop, tip) if hop.mode == "onset" else _DEPTH
    return hop.floor_margin or usual


def _onset(  # noqa: PLR0917
    hop: Hop, tip: Tip, hops: HopEngine, found: Tuneup, rate: float, ceiling: float, bias: float
) -> tuple[SafeHop, Stop]:
    """The tip must stop within the height of its meniscus, and lift it off before it moves on."""
    height, smallest = meniscus(hop, tip), SAFE_SIGMAS * found.sigma
    threshold = smallest if isinstance(hop.threshold, str) else hop.threshold
    if threshold < smallest:
        raise LimitExceeded(
            "speed rule",
            f"threshold {show(threshold, 'A')}",
            f"it must be at least {SAFE_SIGMAS:g} times the noise: that is "
            f"{show(found.sigma, 'A')} rms at {show(found.state.bandwidth, 'Hz')}, so that the "
            f"smallest safe threshold is {show(smallest, 'A')}",
            'raise the threshold, lower the filter, or write threshold = "auto"',
        )
    if bias == 0:
        raise LimitExceeded(
            "speed rule",
            "approach without bias",
            "no current could tell of the contact",
            "set bias.target in rig.toml",
        )
    if hop.amplitude < _LIFT * height:
        raise LimitExceeded(
            "speed rule",
            f"amplitude {show(hop.amplitude, 'm')}",
            f"the tip moves sideways half of it above the surface, where a meniscus of "
            f"{show(height, 'm')} may still hang on: it breaks at up to three times its height",
            f"raise hop.amplitude to {show(_LIFT * height, 'm')} or more",
        )
    reaction = hops.reaction().worst
    room = max(height - MARGIN, 0.0)
    fastest = min(room / reaction_total(reaction, found.state.bandwidth, rate), ceiling)
    told_room = f"the meniscus is {show(height, 'm')} high"
    speed = rules.fall_rate(hop.fall_rate, fastest, hop.amplitude, told_room, hops)
    safe = SafeHop(0.0, speed, 0.0, fastest, height, reaction)
    polarity = 1.0 if bias > 0 else -1.0
    return safe, Onset(threshold, polarity, found.current, hop.debounce)


def _modulated(hop: Hop, found: Tuneup) -> float | str:
    """Return the drop of the current through the tip that a setpoint means; refuse what noise does.

    Raises LimitExceeded.
    """
    through, by = Admittance(found.current, found.capacitive), hop.modulated_by
    smallest = min_setpoint(found.current, found.sigma)
    asked = hop.setpoint if by == "amplitude" else hop.phase_shift
    if not smallest < _MOST:
        raise LimitExceeded(
            "speed rule",
            f"setpoint by {by}",
            f"{_told(through)}; noise hides how the {by} changes near a surface",
            "raise hop.modulation_amplitude, lower the filter, or hop by the "
            + ("amplitude" if by == "phase" else "phase, or compensate the stray capacitance"),
        )
    if isinstance(asked, str):
        return asked
    least, drop = through.setpoint(smallest, by), through.drop(asked, by)
    if drop < smallest:
        raise LimitExceeded(
            "speed rule",
            f"{_as(asked, by)} of the {by}",
            f"it must be at least {SAFE_SIGMAS:g} times the noise, so that the smallest safe one "
            f"is {_as(least, by)}: {_told(through)}",
            "raise it or hop.modulation_amplitude, lower the frequency, or write "
            + ('setpoint = "auto"' if by == "amplitude" else 'phase_shift = "auto"'),
        )
    if not drop < _MOST:
        raise LimitExceeded(
            "speed rule",
            f"{_as(asked, by)} of the {by}",
            f"it would come only in contact: {_told(through)}",
            "lower it or the frequency, or compensate the stray capacitance at the amplifier",
        )
    return drop


def _as(setpoint: float, by: By) -> str:
    return f"{setpoint:.2%}" if by == "amplitude" else f"{degrees(setpoint):.3g} deg"


def _told(through: Admittance) -> str:
    return (
        f"of the alternating current {show(through.conductance, 'A')} flow through the tip and "
        f"{show(through.susceptance, 'A')} past it"
    )


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
