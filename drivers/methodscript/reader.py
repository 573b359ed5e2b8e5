"""Turns what a running script says into data on the run's timeline."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from sicmctl.hal.cell import AnyStep, Cycles, Impedance, Open, Place, Sweep, Walk
from sicmctl.hal.errors import InstrumentError
from sicmctl.hal.potentiostat import CellData, CellSamples, CellSpectrum, SampleFlag, StepEnded
from sicmctl.hal.timeline import Stamp

from .kinds import Kind
from .numbers import BadPackage, Value, package
from .timing import interval, settling, stairs

_BATCH = 500
"""Samples that are handed on together at most."""
_FLOAT = 2.0**-22
"""Relative resolution of a number in the instrument's single precision, and a little more."""
_SAMPLE, _OPEN, _SPECTRUM, _END = ("eb", "ab", "ba"), ("eb", "ab"), ("eb", "dc", "cc", "cd"), ()
_STATUS = {1: SampleFlag.LATE, 2: SampleFlag.OVERLOAD, 4: SampleFlag.UNDERLOAD}
_OF_POTENTIAL = {1: SampleFlag.LATE, 2: SampleFlag.COMPLIANCE}


@dataclass(slots=True)
class _Grid:
    """The times of one loop's samples: equidistant, but never away from the instrument's timer.

    The timer is sent with as few digits as a package holds, so that it gets coarse.
    """

    interval: float
    first: float | None = None
    count: int = 0

    def time(self, timer: Value) -> float:
        coarse = max(timer.unit, abs(timer.number) * _FLOAT)
        if self.first is None:
            self.first = timer.number
        expected = self.first + self.count * self.interval
        self.count += 1
        return min(max(expected, timer.number - coarse), timer.number + coarse)


@dataclass(slots=True)
class _Rows:
    """Samples or points of a spectrum that wait to be handed on."""

    rows: list[tuple[float, float, float, float, int]] = field(default_factory=list)
    spectral: bool = False

    def take(self) -> list[tuple[float, float, float, float, int]]:
        rows, self.rows = self.rows, []
        return rows


class Reader:
    """Follows the steps of a program through the lines of its scripts.

    begin: call it with the moment (run's time, s) at which a script's timer started.
    """

    def __init__(self, walk: Walk, kind: Kind, name: str) -> None:
        self._walk, self._kind, self._name = walk, kind, name
        self._waiting = _Rows()
        self._origin = Stamp(0.0)
        self._in_loop = False
        self._current = np.nan
        self._next()

    @property
    def done(self) -> bool:
        """Whether all steps have ended."""
        return self._step is None

    def begin(self, origin: Stamp) -> None:
        """A script has started."""
        self._origin = origin
        self._in_loop = False

    def read(self, line: str) -> Iterator[CellData]:
        """Take a line of a script's output; yield what is complete with it.

        Raises InstrumentError for a line that the scripts cannot have sent.
        """
        try:
            yield from self._read(line)
        except BadPackage as error:
            raise InstrumentError(
                self._name,
                "run",
                f"it sent `{line[:80]}`, of which `{error}` cannot be read; "
                "the program was aborted, since what follows may be wrong too",
                "check the cable and the interface",
            ) from None

    def flush(self) -> CellData:
        """What waits to be handed on; samples of no length if nothing does."""
        rows = self._waiting.take()
        time, a, b, c, flags = np.array(rows, dtype=np.float64).reshape(-1, 5).T
        bits = flags.astype(np.uint8)
        sd = self._origin.uncertainty
        if self._waiting.spectral and rows:
            rest = self._step.potential if isinstance(self._step, Impedance) else np.nan
            return CellSpectrum(
                self._place, time, sd, a, b + 1j * c,
                np.full_like(a, rest), np.full_like(a, self._current), bits,
            )  # fmt: skip
        if rows:
            self._current = float(b[-1])
        return CellSamples(self._place, time, sd, a, b, bits, self._cycle)

    # -- lines

    def _read(self, line: str) -> Iterator[CellData]:
        match line[:1]:
            case "P":
                yield from self._package(package(line[1:]))
            case "M":
                self._require(not self._in_loop and len(line) == 5, line)
                self._in_loop, self._grid.first, self._grid.count = True, None, 0
            case "*":
                self._require(self._in_loop, line)
                yield from self._flushed()
                self._in_loop = False
            case "C":
                self._require(self._in_loop and len(line) == 5, line)
                yield from self._flushed()
                self._cycle = _hexadecimal(line[1:])
            case "-" | "L" | "+":
                self._require(len(line) == 1, line)
            case _:
                raise BadPackage(line)

    def _package(self, values: tuple[Value, ...]) -> Iterator[CellData]:
        step, kinds = self._step, tuple(value.kind for value in values)
        if step is None:
            raise BadPackage("a package after the last step")
        if not isfinite(values[0].number):
            raise BadPackage("a time that is no number")
        if not self._in_loop:
            yield from self._end(step, values)
            return
        spectral = isinstance(step, Impedance) and kinds == _SPECTRUM
        if not spectral and kinds != (_OPEN if isinstance(step, Open) else _SAMPLE):
            raise BadPackage(";".join(kinds))
        if spectral != self._waiting.spectral:
            yield from self._flushed()
            self._waiting.spectral = spectral
        timer, *rest = values
        a, b, c, *_ = [*(value.number for value in rest), 0.0, 0.0]
        time = timer.number if spectral else self._grid.time(timer)
        row = (self._origin.time + time, a, b, c, _flags(rest, spectral))
        self._waiting.rows.append(row)
        if len(self._waiting.rows) >= _BATCH:
            yield self.flush()

    def _end(self, step: AnyStep, values: tuple[Value, ...]) -> Iterator[CellData]:
        """The package after a step: how long it took, and which condition ended it."""
        if len(values) != 2 or values[0].kind != "eb" or not values[1].integer:
            raise BadPackage(";".join(value.kind for value in values))
        number = int(values[1].number)
        if not 0 <= number <= len(step.until):
            raise BadPackage(f"condition {number}")
        time = self._origin.time + values[0].number
        self._origin = Stamp(time, self._origin.uncertainty)
        place = self._place
        reason = "time"
        if number:
            until = step.until[number - 1]
            self._walk.obey(until)
            reason = str(until)
        self._next()
        yield StepEnded(place, self._origin, reason)

    def _flushed(self) -> Iterator[CellData]:
        if self._waiting.rows:
            yield self.flush()

    def _next(self) -> None:
        """Go to the next step, if there is one."""
        self._cycle = 0
        self._waiting.spectral = False
        found = next(self._walk, None)
        if found is None:
            self._step = None
            return
        self._place: Place = found[0]
        self._step: AnyStep | None = found[1]
        self._grid = _Grid(_interval(self._step, self._kind, self._name))

    def _require(self, right: bool, line: str) -> None:
        if not right:
            raise BadPackage(line)


def _interval(step: AnyStep, kind: Kind, name: str) -> float:
    """Between the samples of a step, as the script was told."""
    shortest = kind.limits.interval.low
    match step:
        case Sweep() | Cycles():
            return stairs(step, kind.tread, name).interval
        case Impedance():
            return settling(step, shortest)[0]
        case _:
            return interval(step, step.duration, shortest, name)


def _flags(values: list[Value], spectral: bool) -> int:
    """SampleFlag of one row: potential first, then the current; of a spectrum, both parts of Z."""
    flags = SampleFlag.OK
    for place, value in enumerate(values):
        table = _OF_POTENTIAL if place == 0 and not spectral else _STATUS
        for bit, flag in table.items():
            if value.status & bit:
                flags |= flag
    return int(flags)


def _hexadecimal(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise BadPackage(text) from None
