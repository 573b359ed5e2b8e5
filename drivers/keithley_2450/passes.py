"""Steps of a program as passes: what one start of the trigger model does."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from typing import Literal

from sicmctl.hal.cell import AnyStep, Cycles, HoldCurrent, HoldPotential, Impedance, Open, Sweep

LONGEST_LIST = 2500
"""Levels that the instrument's list holds ..."""
UPLOAD = 100
"""... and of one command that fills it."""
LONGEST_PASS = 50_000
"""Readings of one pass: half of what its buffer holds."""

Function = Literal["VOLT", "CURR"]


@dataclass(frozen=True)
class Pass:
    """Levels (V or A) that are sourced one after the other, over and over, a reading each.

    count: readings in all. interval: between them, s. cycle: number of the first reading's cycle.
    period: readings of a cycle; 0 if all belong to the first.
    """

    function: Function
    levels: tuple[float, ...]
    count: int
    interval: float
    cycle: int = 0
    period: int = 0


def passes(step: AnyStep) -> Iterator[Pass]:
    """Yield what a step is made of. A reading comes at the end of its interval.

    A staircase begins one tread from its start and ends at its stop, so that a reading shows the
    potential that a ramp has at its time, and cycles follow each other without a double level.
    """
    match step:
        case Open():
            yield from _hold("CURR", 0.0, step.duration, step.interval)
        case HoldCurrent():
            yield from _hold("CURR", step.current, step.duration, step.interval)
        case HoldPotential():
            yield from _hold("VOLT", step.potential, step.duration, step.interval)
        case Sweep():
            levels = _stairs(step)
            yield from _pieces(levels, step.duration / len(levels), 0)
        case Cycles():
            yield from _cycles(step)
        case Impedance():
            raise AssertionError("refused before: it is not among the limits' steps")


def _hold(function: Function, level: float, duration: float, interval: float) -> Iterator[Pass]:
    left = max(1, round(duration / interval))
    interval = duration / left
    while left:
        count = min(left, LONGEST_PASS)
        yield Pass(function, (level,), count, interval)
        left -= count


def _stairs(sweep: Sweep) -> tuple[float, ...]:
    count = max(1, round(sweep.duration / sweep.interval))
    height = (sweep.stop - sweep.start) / count
    return (*(sweep.start + k * height for k in range(1, count)), sweep.stop)


def _pieces(levels: tuple[float, ...], interval: float, cycle: int) -> Iterator[Pass]:
    for first in range(0, len(levels), LONGEST_LIST):
        piece = levels[first : first + LONGEST_LIST]
        yield Pass("VOLT", piece, len(piece), interval, cycle)


def _cycles(step: Cycles) -> Iterator[Pass]:
    sweeps = step.sweeps()
    levels = tuple(level for sweep in sweeps for level in _stairs(sweep))
    interval = sum(sweep.duration for sweep in sweeps) / len(levels)
    if len(levels) > LONGEST_LIST:
        for cycle in range(step.count):
            yield from _pieces(levels, interval, cycle)
        return
    most = max(1, floor(LONGEST_PASS / len(levels)))
    for cycle in range(0, step.count, most):
        times = min(most, step.count - cycle)
        yield Pass("VOLT", levels, times * len(levels), interval, cycle, len(levels))
