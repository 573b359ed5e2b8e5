"""What a potentiostat is asked to do with a cell, as data: a program of steps.

SI units; anodic current is positive; a potential is that of the working electrode against the
reference. Every step is bounded in time before it starts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Literal


class CellRest(StrEnum):
    """A state in which a cell may be left alone."""

    HOLD = "hold"  # under control at the potential it has
    OCP = "ocp"  # no current; the potential still measured where the instrument can
    OFF = "off"  # disconnected


Watched = Literal["potential", "current", "charge", "potential rate"]


@dataclass(frozen=True, slots=True)
class Until:
    """Ends a step early: when a quantity lies above or below a value.

    quantity: potential (V), current (A), charge (C, since the step began) or potential rate (V/s).
    magnitude: the quantity's absolute value counts.
    ends: the step: the next begins; the innermost Repeat about it (without one, the step): what
        follows the Repeat begins; or the program: nothing follows, as after a safety cut-off.
    """

    quantity: Watched
    side: Literal["above", "below"]
    value: float
    magnitude: bool = False
    ends: Literal["step", "repeat", "program"] = "step"

    def __str__(self) -> str:
        bars = "|" if self.magnitude else ""
        sign = ">=" if self.side == "above" else "<="
        unit = {"potential": "V", "current": "A", "charge": "C", "potential rate": "V/s"}
        return f"{bars}{self.quantity}{bars} {sign} {self.value:g} {unit[self.quantity]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStep:
    """Base of all steps.

    interval: between samples, s. until: what ends it before its time.
    label: what the step is to the user, e.g. `charge` or `rest`; kept with the data.
    """

    interval: float
    until: tuple[Until, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(CellStep):
    """No current; watch the open-circuit potential for `duration` s."""

    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPotential(CellStep):
    """Potentiostatic for `duration` s at `potential` V."""

    potential: float
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCurrent(CellStep):
    """Galvanostatic for `duration` s at `current` A."""

    current: float
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep(CellStep):
    """A potential ramp from `start` to `stop` V at `rate` V/s (positive).

    Digital instruments make a staircase of height rate * interval, one sample a tread.
    """

    start: float
    stop: float
    rate: float

    @property
    def duration(self) -> float:
        """Time it takes, s."""
        return abs(self.stop - self.start) / self.rate

    @property
    def tread(self) -> float:
        """Height of a stair, V."""
        return self.rate * self.interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles(CellStep):
    """Cyclic voltammetry: from `start` to `first`, to `second`, and back to `start`, again.

    Instruments that lack it run the sweeps of `sweeps`.
    """

    start: float
    first: float
    second: float
    rate: float
    count: int = 1

    @property
    def duration(self) -> float:
        """Time that all cycles take, s."""
        return self.count * sum(sweep.duration for sweep in self.sweeps())

    @property
    def tread(self) -> float:
        """Height of a stair, V."""
        return self.rate * self.interval

    def sweeps(self) -> tuple[Sweep, ...]:
        """Return the sweeps of one cycle; those of no length are left out."""
        corners = (self.start, self.first, self.second, self.start)
        return tuple(
            Sweep(
                interval=self.interval,
                until=self.until,
                label=self.label,
                start=a,
                stop=b,
                rate=self.rate,
            )
            for a, b in pairwise(corners)
            if a != b
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Impedance(CellStep):
    """An impedance spectrum about a held potential (V).

    frequencies: Hz, in the order in which they are measured. amplitude: of the sine, V (peak).
    settle: time at the potential before the first frequency, s.
    """

    potential: float
    amplitude: float
    frequencies: tuple[float, ...]
    settle: float = 0.0

    @property
    def duration(self) -> float:
        """Time it takes, s, at a few periods a frequency."""
        return self.settle + sum(max(3 / f, 0.1) for f in self.frequencies)


AnyStep = Open | HoldPotential | HoldCurrent | Sweep | Cycles | Impedance


def potentials(step: AnyStep) -> tuple[float, ...]:
    """Return the potentials that a step applies at its corners, V; none if it applies none."""
    match step:
        case HoldPotential():
            return (step.potential,)
        case Sweep():
            return (step.start, step.stop)
        case Cycles():
            return (step.start, step.first, step.second)
        case Impedance():
            return (step.potential - step.amplitude, step.potential + step.amplitude)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """Steps that are run `count` times over: what a cycle of charge and discharge is made of."""

    body: "tuple[AnyStep | Repeat, ...]"
    count: int


@dataclass(frozen=True, slots=True)
class CellProgram:
    """Steps in order, and how the instrument is set for them.

    current_range: full scale that is wanted, A; None lets the instrument choose as it goes.
    bandwidth: of the control or measurement, Hz; None leaves it to the driver.
    after: the state in which the cell is left when the last step has ended.
    """

    steps: tuple[AnyStep | Repeat, ...]
    after: CellRest = CellRest.OCP
    current_range: float | None = None
    bandwidth: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a program a step stands.

    number: of the step as executed, counted from 0. path: indices into `steps` and bodies.
    loops: how often each enclosing Repeat has been run before, outermost first.
    """

    number: int
    path: tuple[int, ...]
    loops: tuple[int, ...] = field(default=())


class Walk(Iterator[tuple[Place, AnyStep]]):
    """The steps of a program in the order of execution, repeats unrolled lazily.

    Whoever runs the steps says with `obey` what ended each early.
    """

    def __init__(self, program: CellProgram) -> None:
        self._levels = [_Level(program.steps, 1)]
        self._number = 0

    def __next__(self) -> tuple[Place, AnyStep]:
        while self._levels:
            level = self._levels[-1]
            item = level.next()
            if item is None:
                self._levels.pop()
            elif isinstance(item, Repeat):
                self._levels.append(_Level(item.body, item.count))
            else:
                path = tuple(level.at for level in self._levels)
                loops = tuple(level.done for level in self._levels[1:])
                place = Place(self._number, path, loops)
                self._number += 1
                return place, item
        raise StopIteration

    def obey(self, until: Until) -> None:
        """Leave the innermost Repeat, or the program, if what was met says so."""
        if until.ends == "program":
            self._levels.clear()
        elif until.ends == "repeat" and len(self._levels) > 1:
            self._levels.pop()


@dataclass(slots=True)
class _Level:
    """A Repeat on its way. at: index of the present element. done: rounds before this one."""

    body: tuple[AnyStep | Repeat, ...]
    count: int
    at: int = -1
    done: int = 0

    def next(self) -> "AnyStep | Repeat | None":
        self.at += 1
        if self.at >= len(self.body):
            self.at, self.done = 0, self.done + 1
        return self.body[self.at] if self.body and self.done < self.count else None


def walk(program: CellProgram) -> Walk:
    """Return every step in the order of execution, repeats unrolled lazily."""
    return Walk(program)
