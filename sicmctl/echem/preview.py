"""What a program will do, without a rig: potential and current against time, how long, how much.

Times are upper bounds where a condition may end a step early; what the cell decides is NaN.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from math import ceil, nan

import numpy as np
from numpy.typing import NDArray

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
    walk,
)

F64 = NDArray[np.float64]
Steps = tuple[AnyStep | Repeat, ...]

_POINTS = 20_000


@dataclass(frozen=True, slots=True)
class Totals:
    """Of some steps.

    duration: longest time, s. anodic, cathodic: most charge that the program itself imposes, C,
    both positive. samples: most of them. early: whether a condition may end a step early.
    cell_decides: whether there are steps whose charge is the cell's affair.
    """

    duration: float = 0.0
    anodic: float = 0.0
    cathodic: float = 0.0
    samples: int = 0
    early: bool = False
    cell_decides: bool = False

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.duration + other.duration,
            self.anodic + other.anodic,
            self.cathodic + other.cathodic,
            self.samples + other.samples,
            self.early or other.early,
            self.cell_decides or other.cell_decides,
        )

    def times(self, count: int) -> "Totals":
        """Return the totals of as many rounds."""
        return Totals(
            self.duration * count,
            self.anodic * count,
            self.cathodic * count,
            self.samples * count,
            self.early and count > 0,
            self.cell_decides and count > 0,
        )


@dataclass(frozen=True, slots=True)
class Course:
    """Potential and current against time, as corners of polylines.

    time (s, from the program's start), potential (V), current (A): shape (n,). NaN where the cell
    decides. Jumps are two corners at one time. whole: False if the program has more.
    """

    time: F64
    potential: F64
    current: F64
    whole: bool


def totals(steps: Steps) -> Totals:
    """Return what steps come to, without unrolling their repeats."""
    sums = (
        totals(step.body).times(step.count) if isinstance(step, Repeat) else _of_step(step)
        for step in steps
    )
    return sum(sums, Totals())


def course(program: CellProgram, points: int = _POINTS) -> Course:
    """Return the course of a program's first steps, some `points` corners of it."""
    corners = _corners(program)
    taken = list(islice(corners, points))
    whole = next(corners, None) is None
    table = np.array(taken, dtype=np.float64).reshape(-1, 3)
    return Course(table[:, 0], table[:, 1], table[:, 2], whole)


def _of_step(step: AnyStep) -> Totals:
    charge = step.current * step.duration if isinstance(step, HoldCurrent) else 0.0
    count = (
        len(step.frequencies)
        if isinstance(step, Impedance)
        else ceil(step.duration / step.interval - 1e-9)
    )
    return Totals(
        duration=step.duration,
        anodic=max(charge, 0.0),
        cathodic=max(-charge, 0.0),
        samples=count,
        early=bool(step.until),
        cell_decides=not isinstance(step, Open | HoldCurrent),
    )


def _corners(program: CellProgram) -> Iterator[tuple[float, float, float]]:
    """Yield (time, potential, current) wherever a line begins or ends."""
    now = 0.0
    for _, step in walk(program):
        for duration, before, after, current in _lines(step):
            yield now, before, current
            now += duration
            yield now, after, current


def _lines(step: AnyStep) -> Iterator[tuple[float, float, float, float]]:
    """Yield the straight lines of a step: duration, first and last potential, current."""
    match step:
        case Open():
            yield step.duration, nan, nan, 0.0
        case HoldCurrent():
            yield step.duration, nan, nan, step.current
        case HoldPotential() | Impedance():
            yield step.duration, step.potential, step.potential, nan
        case Sweep():
            yield step.duration, step.start, step.stop, nan
        case Cycles():
            for sweep in chain.from_iterable(step.sweeps() for _ in range(step.count)):
                yield sweep.duration, sweep.start, sweep.stop, nan
