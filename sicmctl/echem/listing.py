"""A program in words, step by step, repeats not unrolled."""

from collections.abc import Iterator
from dataclasses import dataclass

from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Sweep,
    Until,
)
from sicmctl.hal.quantity import show

from .preview import Steps, Totals, totals


@dataclass(frozen=True, slots=True)
class Line:
    """One step, or the head of a repeat, whose body follows one `depth` further in.

    label: what it is to the user. what: what the instrument does. until: what ends it early.
    """

    depth: int
    label: str
    what: str
    until: tuple[str, ...]
    totals: Totals


def listing(program: CellProgram) -> tuple[Line, ...]:
    """Return the steps of a program in words."""
    return tuple(_lines(program.steps, 0, "ends the step"))


def _lines(steps: Steps, depth: int, leaving: str) -> Iterator[Line]:
    """leaving: what it means to leave the innermost repeat."""
    for step in steps:
        if isinstance(step, Repeat):
            if step.count == 1:  # made only to be left by a condition
                yield from _lines(step.body, depth, "skips the next")
            else:
                yield Line(depth, "repeat", f"{step.count} times", (), totals((step,)))
                yield from _lines(step.body, depth + 1, "ends the repeat")
        else:
            ends = tuple(_end(until, leaving) for until in step.until)
            yield Line(depth, step.label, _what(step), ends, totals((step,)))


def _what(step: AnyStep) -> str:
    match step:
        case Open():
            return "open circuit"
        case HoldPotential():
            return show(step.potential, "V")
        case HoldCurrent():
            return show(step.current, "A")
        case Sweep():
            return f"{show(step.start, 'V')} to {show(step.stop, 'V')} at {show(step.rate, 'V/s')}"
        case Cycles():
            way = ", ".join(show(corner, "V") for corner in (step.start, *_turns(step)))
            times = f", {step.count} times" if step.count > 1 else ""
            return f"{way} at {show(step.rate, 'V/s')}{times}"
        case Impedance():
            first, last = step.frequencies[0], step.frequencies[-1]
            return (
                f"{show(first, 'Hz')} to {show(last, 'Hz')} about {show(step.potential, 'V')}, "
                f"amplitude {show(step.amplitude, 'V')}"
            )


def _turns(step: Cycles) -> tuple[float, ...]:
    return tuple(sweep.stop for sweep in step.sweeps())


_SYMBOLS = {"potential": "E", "current": "I", "charge": "Q", "potential rate": "dE/dt"}


def _end(until: Until, leaving: str) -> str:
    symbol = _SYMBOLS[until.quantity]
    bars = "|" if until.magnitude else ""
    sign = ">" if until.side == "above" else "<"
    leaves = {"step": "", "repeat": f" ({leaving})", "program": " (ends all)"}[until.ends]
    return f"{bars}{symbol}{bars} {sign} {_bound(until)}{leaves}"


def _bound(until: Until) -> str:
    """Write the value in the units of the battery laboratory where they fit."""
    value = until.value
    match until.quantity:
        case "charge" if abs(value) >= 1e-6 * 3600:
            return show(value / 3600, "Ah")
        case "potential rate" if abs(value) < 1e-4:
            return show(value * 3600, "V/h")
        case quantity:
            return show(value, _UNITS[quantity])


_UNITS = {"potential": "V", "current": "A", "charge": "C", "potential rate": "V/s"}
