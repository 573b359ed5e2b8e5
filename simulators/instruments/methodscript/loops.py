# ruff: noqa: PLR0917  (arguments in the order of the script's)
"""Measurement loops that step a potential or current, or hold it.

Each is a generator of rows, one value for each output; text between rows goes out as it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from simulators.instruments.methodscript.cell import Cell, Sample
from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.instrument import quantity
from simulators.instruments.methodscript.machine import READY, Mark, Row
from simulators.instruments.methodscript.registry import command
from simulators.instruments.methodscript.slots import Slot
from simulators.instruments.methodscript.values import Value

Operands = list[Value | Slot | str]
MEASURE = {"add_meas": "num type out", "poly_we": "num out"}
"""Optional arguments of most loops."""


@dataclass(frozen=True, slots=True)
class Extra:
    """More values for a row, in the order in which the script asks for them."""

    kinds: tuple[str, ...]

    @classmethod
    def of(cls, add_meas: Operands | None, poly_we: Operands | None) -> "Extra":
        """From a loop's optional arguments."""
        kinds = (str(add_meas[1]),) if add_meas else ()
        return cls(kinds + (("bb",) if poly_we else ()))

    def values(self, cell: Cell, sample: Sample) -> Row:
        """Those that belong to a sample."""
        return tuple(quantity(cell, k, sample.potential, sample.current) for k in self.kinds)


class Clock:
    """Times of the samples of a loop: equidistant, but for the time a script is halted."""

    def __init__(self, cell: Cell, interval: float) -> None:
        if not interval >= cell.kind.shortest * (1 - 1e-9):
            raise ScriptError(Code.TIMING)
        self._cell = cell
        self.interval = interval
        self._start = cell.time - cell.requests.held
        self._count = 0

    def sample(self, share: float = 1.0, width: float = 1.0) -> Sample:
        """What is there after `share` of the running interval; all of it ends the interval.

        width: share of the interval to which the sample belongs.
        """
        at = self._start + self._cell.requests.held + (self._count + share) * self.interval
        if share >= 1.0:
            self._count += 1
        sample = self._cell.sample(at, self.interval * width)
        if sample.time > at + self.interval:  # hopelessly late: do not try to catch up
            self._start += sample.time - at
        return sample


def steps(first: float, last: float, step: float) -> int:
    """How many whole steps lead from `first` towards `last`; negative ones downwards."""
    if not step > 0:
        raise ScriptError(Code.NOT_POSITIVE)
    count = (last - first) / step
    if abs(count) > 1e7:
        raise ScriptError(Code.OUT_OF_BOUNDS)
    return int(count + 1e-6) if count >= 0 else -int(-count + 1e-6)


def positive(*numbers: float) -> None:
    """Refuse what must be more than zero and is not."""
    if not all(number > 0 for number in numbers):
        raise ScriptError(Code.NOT_POSITIVE)


def sweep(
    cell: Cell, first: float, last: float, step: float, rate: float, lsb: float
) -> tuple[Clock, list[float]]:
    """The clock and the levels of a staircase, both ends included."""
    positive(step, rate)
    if step < lsb * (1 - 1e-6):
        raise ScriptError(Code.STEP_BELOW_LSB)
    count = steps(first, last, step)
    if count == 0:
        raise ScriptError(Code.NO_STEP)
    sign = 1 if count > 0 else -1
    return Clock(cell, step / rate), [first + sign * k * step for k in range(abs(count) + 1)]


@command(23, "out out num num num num", MEASURE, technique=0x0000, cell="on")
def meas_loop_lsv(
    cell: Cell, first: float, last: float, step: float, rate: float,
    add_meas: Operands | None = None, poly_we: Operands | None = None,
) -> Iterator[Row | Mark]:  # fmt: skip
    cell.require(galvanostat=False)
    extra = Extra.of(add_meas, poly_we)
    cell.check_potential(last)
    clock, levels = sweep(cell, first, last, step, rate, cell.kind.lsb)
    yield READY
    for level in levels:
        applied = cell.set_potential(level)
        sample = clock.sample()
        yield (applied, sample.current, *extra.values(cell, sample))


@command(69, "out out num num num num", {"add_meas": MEASURE["add_meas"]},
         technique=0x000F, cell="on", galvanostat=True)  # fmt: skip
def meas_loop_lsp(
    cell: Cell, first: float, last: float, step: float, rate: float,
    add_meas: Operands | None = None,
) -> Iterator[Row | Mark]:  # fmt: skip
    cell.require(galvanostat=True)
    extra = Extra.of(add_meas, None)
    clock, levels = sweep(cell, first, last, step, rate, 0.0)
    yield READY
    for level in levels:
        applied = cell.set_current(level)
        sample = clock.sample()
        yield (sample.potential, applied, *extra.values(cell, sample))


class Triangle:
    """Where a cyclic sweep is: at a whole number of steps from its start.

    A reversal cuts the present leg short.
    """

    def __init__(self, turns: tuple[int, int]) -> None:
        self._targets = (*turns, 0)

    def places(self, reversed_: Callable[[], bool]) -> Iterator[int]:
        """Of one scan, from the start on and without the return to it."""
        place = 0
        yield place
        for leg, target in enumerate(self._targets):
            while place != target and not reversed_():
                place += 1 if target > place else -1
                if place or any(self._targets[leg:]):
                    yield place


@command(24, "out out num num num num num", {"nscans": "num", **MEASURE},
         technique=0x0005, cell="on")  # fmt: skip
def meas_loop_cv(
    cell: Cell, first: float, vertex1: float, vertex2: float, step: float, rate: float,
    nscans: list[Value] | None = None,
    add_meas: Operands | None = None, poly_we: Operands | None = None,
) -> Iterator[Row | Mark]:  # fmt: skip
    """Each scan leaves out the return to the start, which begins the next; the last has it."""
    cell.require(galvanostat=False)
    positive(step, rate)
    if step < cell.kind.lsb * (1 - 1e-6):
        raise ScriptError(Code.STEP_BELOW_LSB)
    for vertex in (vertex1, vertex2):
        cell.check_potential(vertex)
    scans = round(nscans[0].number) if nscans else 1
    positive(scans)
    turns = (steps(first, vertex1, step), steps(first, vertex2, step))
    if not any(turns):
        raise ScriptError(Code.NO_STEP)
    extra = Extra.of(add_meas, poly_we)
    clock = Clock(cell, step / rate)
    yield READY
    for scan in range(scans):
        if scans > 1:
            yield f"C{scan:04X}"
        closing = [0] if scan == scans - 1 else []
        for place in chain(Triangle(turns).places(cell.requests.take_reversal), closing):
            applied = cell.set_potential(first + place * step)
            sample = clock.sample()
            yield (applied, sample.current, *extra.values(cell, sample))
        if scans > 1:
            yield "-"


def held(interval: float, duration: float) -> int:
    """Samples of a loop that lasts."""
    positive(interval, duration)
    count = int(duration / interval + 1e-6)
    if count < 1:
        raise ScriptError(Code.NO_STEP)
    return count


@command(28, "out out num num num", MEASURE, technique=0x0007, cell="on")
def meas_loop_ca(
    cell: Cell, potential: float, interval: float, duration: float,
    add_meas: Operands | None = None, poly_we: Operands | None = None,
) -> Iterator[Row | Mark]:  # fmt: skip
    count = held(interval, duration)
    extra = Extra.of(add_meas, poly_we)
    applied = cell.set_potential(potential)
    clock = Clock(cell, interval)
    yield READY
    for _ in range(count):
        sample = clock.sample()
        yield (applied, sample.current, *extra.values(cell, sample))


@command(67, "out out num num num", {"add_meas": MEASURE["add_meas"]},
         technique=0x000A, cell="on", galvanostat=True)  # fmt: skip
def meas_loop_cp(
    cell: Cell, current: float, interval: float, duration: float, add_meas: Operands | None = None
) -> Iterator[Row | Mark]:
    count = held(interval, duration)
    extra = Extra.of(add_meas, None)
    applied = cell.set_current(current)
    clock = Clock(cell, interval)
    yield READY
    for _ in range(count):
        sample = clock.sample()
        yield (sample.potential, applied, *extra.values(cell, sample))


@command(30, "out num num", {"add_meas": MEASURE["add_meas"]}, technique=0x000B, cell="off")
def meas_loop_ocp(
    cell: Cell, interval: float, duration: float, add_meas: Operands | None = None
) -> Iterator[Row | Mark]:
    count = held(interval, duration)
    extra = Extra.of(add_meas, None)
    clock = Clock(cell, interval)
    yield READY
    for _ in range(count):
        sample = clock.sample()
        yield (sample.potential, *extra.values(cell, sample))
