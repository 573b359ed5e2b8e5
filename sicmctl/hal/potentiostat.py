"""What a potentiostat can do, what it sends while it does it, and where its limits lie."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import IntFlag
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .capabilities import F64, Identity, SafeState
from .cell import AnyStep, CellProgram, CellRest, Place
from .limits import Interval
from .timeline import Stamp

Now = Callable[[], Stamp]
"""Tells the time of the run with its uncertainty."""


class SampleFlag(IntFlag):
    """What an instrument says of one sample; combined by OR."""

    OK = 0
    OVERLOAD = 1  # the current lies beyond its range: the value is wrong
    UNDERLOAD = 2  # it lies far below its range: the value is coarse
    COMPLIANCE = 4  # the instrument could not keep what it was told to
    LATE = 8  # the sample was not taken in time


@dataclass(frozen=True, slots=True)
class CellSamples:
    """Consecutive samples of one step.

    time: on the run's timeline, s. time_sd: its standard uncertainty, s, the same for all: that
        of the moment at which the instrument's own clock began.
    potential (V), current (A): as measured. flags: SampleFlag values. All of shape (n,).
    cycle: of a Cycles step, counted from 0.
    May be empty: a sign of life.
    """

    place: Place
    time: F64
    time_sd: float
    potential: F64
    current: F64
    flags: NDArray[np.uint8]
    cycle: int = 0

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class CellSpectrum:
    """Consecutive points of an Impedance step.

    frequency: Hz. impedance: ohm, complex. potential, current: at rest during each, V, A.
    """

    place: Place
    time: F64
    time_sd: float
    frequency: F64
    impedance: NDArray[np.complex128]
    potential: F64
    current: F64
    flags: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step is over. reason: `time`, or what ended it early, as `str(until)` writes it."""

    place: Place
    time: Stamp
    reason: str = "time"


CellData = CellSamples | CellSpectrum | StepEnded


@dataclass(frozen=True, slots=True)
class CellLimits:
    """What an instrument can apply and measure. SI units.

    ranges: full scales of the current ranges, A, rising.
    rate: of sweeps, V/s. interval: between samples, s.
    frequency: of impedance spectra, Hz; None if it cannot measure any.
    steps: the kinds of step it can run. tread: smallest stair of a staircase, V; 0 for ramps.
    """

    potential: Interval
    current: Interval
    ranges: tuple[float, ...]
    rate: Interval
    interval: Interval
    steps: frozenset[type[AnyStep]]
    frequency: Interval | None = None
    tread: float = 0.0


@runtime_checkable
class Potentiostat(SafeState, Protocol):
    """Controls the working electrode against the reference."""

    limits: CellLimits

    def identify(self) -> Identity: ...

    def run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        """Run a program, yielding what is measured as it comes, at least once a second.

        The cell is switched on when the iteration begins, and is in `program.after` when it ends.
        Closing the iterator aborts the program; the cell is then at rest (open), as it is after
        any error. Raises NotConnected if the link was lost: the driver then reconnects once, sees
        that it is the same instrument, and opens the cell; the error says whether that succeeded.
        A program is never resumed.
        """
        ...

    def read(self) -> tuple[float, float]:
        """Return potential (V) and current (A) now, in whatever state the cell is."""
        ...

    def hold(self, potential: float) -> None:
        """Switch the cell on at a potential, V, and leave it so."""
        ...

    def rest(self, how: CellRest) -> None:
        """Bring the cell into a rest state. Harmless if it is in it."""
        ...

    def close(self) -> None:
        """Let go of the instrument, leaving the cell as it is."""
        ...
