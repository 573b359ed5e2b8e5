"""How a step is divided into samples; the compiler and the reader of its data must agree."""

from dataclasses import dataclass
from math import ceil, isfinite

from sicmctl.hal.cell import AnyStep, Cycles, Impedance, Sweep
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.quantity import show

_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Stairs:
    """A staircase of potentials: height of a stair (V), and the time spent on it (s)."""

    height: float
    interval: float


def stairs(step: Sweep | Cycles, smallest: float, instrument: str) -> Stairs:
    """Divide the first leg of a sweep into equal stairs that end where it ends.

    Never finer than asked for, nor than `smallest` (V); the rate stays.
    """
    corners = (step.start, step.stop) if isinstance(step, Sweep) else (step.start, step.first)
    leg = abs(corners[1] - corners[0])
    if isinstance(step, Cycles) and leg == 0:
        leg = abs(step.second - step.first)
    if leg < smallest:
        raise LimitExceeded(
            instrument,
            "sweep",
            f"a sweep over {show(leg, 'V')} is shorter than its converter's step of "
            f"{show(smallest, 'V')}",
            "hold the potential instead",
        )
    count = max(1, int(leg / step.tread * (1 + _SLACK)))
    return Stairs(leg / count, leg / count / step.rate)


def interval(step: AnyStep, duration: float, shortest: float, instrument: str) -> float:
    """Divide `duration` s into equal intervals not longer than asked for."""
    if not (isfinite(duration) and duration >= shortest * (1 - _SLACK)):
        raise LimitExceeded(
            instrument,
            step.label or type(step).__name__,
            f"a duration of {show(duration, 's')} is shorter than the shortest interval, "
            f"{show(shortest, 's')}",
            "lengthen the step, or leave it out",
        )
    most = max(1, int(duration / shortest * (1 + _SLACK)))
    count = max(1, ceil(duration / step.interval * (1 - _SLACK)))
    return duration / min(count, most)


def settling(step: Impedance, shortest: float) -> tuple[float, float]:
    """How often the cell is sampled while it settles before a spectrum, and for how long, s."""
    every = min(max(step.interval, shortest), max(step.settle, shortest))
    return every, max(step.settle, shortest)
