"""How the trigger model executes a plan."""

from typing import TYPE_CHECKING

from simulators.cellport import Interrupted
from simulators.instruments.keithley.models import OVERRANGE
from simulators.instruments.keithley.trigger import Plan

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu


def run(smu: "Smu", plan: Plan) -> None:
    """Go through all points; the output is on meanwhile and off afterwards.

    Time is that of the port's clock: one point follows another as soon as it can. Raises
    Interrupted when the plan is stopped, which leaves the output as it is.
    """
    start = at = smu.port.time
    with smu.lock:
        _prepare(smu, plan)
    for index, level in enumerate(plan.points()):
        if smu.triggers.stopping:
            raise Interrupted
        if level is not None:
            _step(smu, plan, level)
        at += smu.meter.delay() + max(plan.delay, 0.0)
        reading = smu.meter.measure(at, index == 0)
        at = reading.time
        with smu.lock:
            smu.buffers[plan.buffer].append(reading)
            smu.triggers.points = index + 1
        limited = plan.abort_on_limit and smu.output.tripped
        if limited or (plan.duration is not None and at - start >= plan.duration):
            break
    with smu.lock:
        smu.settings.output = False
        smu.rest()


def _prepare(smu: "Smu", plan: Plan) -> None:
    settings = smu.settings
    if plan.function is not None:
        settings.source_function = plan.function
        source, quantity = settings.source, smu.model.quantity(plan.function)
        if plan.ranging == "BEST":
            source.range = quantity.range_for(max(plan.levels, key=abs))
        if plan.levels:
            source.level = _within(source.range, plan, plan.levels[0])
    if plan.clears:
        smu.buffers[plan.buffer].clear()
    smu.close_relay()


def _step(smu: "Smu", plan: Plan, level: float) -> None:
    source = smu.settings.source
    if plan.ranging == "AUTO":
        source.range = smu.model.quantity(smu.settings.source_function).range_for(level)
    level = _within(source.range, plan, level)
    if level != source.level:
        source.level = level
        smu.apply()


def _within(full_scale: float, plan: Plan, level: float) -> float:
    """On a fixed range the source gives what the range can give."""
    top = full_scale * OVERRANGE
    return min(max(level, -top), top) if plan.ranging == "FIX" else level
