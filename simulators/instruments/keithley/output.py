"""The source: a cell at the output terminals, held by level or by limit."""

from collections.abc import Callable
from dataclasses import dataclass
from math import copysign

from simulators.cellport import CellPort, Control, Interrupted, Reading
from simulators.instruments.keithley.models import Function

SETTLING = 1e-3
"""s from a hand-over between level and limit to the next reading."""

_CONTROL = {"VOLT": Control.POTENTIAL, "CURR": Control.CURRENT}
_TRIP = 1.001
"""A limit acts when it is exceeded by this much: noise must not trip it."""


@dataclass(frozen=True)
class Wiring:
    """How the cell hangs on the terminals.

    working_on: the terminal (`HI` or `LO`) of the working electrode; reference and counter
    electrode are on the other. On `LO`, voltage and current have the opposite sign of what
    electrochemistry calls them.
    """

    working_on: str = "HI"

    def __post_init__(self) -> None:
        if self.working_on not in ("HI", "LO"):
            raise ValueError(f"the working electrode is on HI or LO, not on {self.working_on!r}")

    @property
    def sign(self) -> float:
        """Of the terminals' voltage and current against those of the cell."""
        return 1.0 if self.working_on == "HI" else -1.0


@dataclass(frozen=True)
class Seen:
    """A reading in the sign of the terminals (HI against LO)."""

    time: float
    volt: float
    curr: float
    overload: bool
    compliance: bool

    def of(self, function: str) -> float:
        """Voltage or current."""
        return self.volt if function == "VOLT" else self.curr


class Output:
    """Drives a `CellPort` as a source with a limit.

    The port knows no limit, so the source looks at its readings: beyond the limit it holds the
    limit instead of the level, and goes back when the level would no longer exceed it. It can
    act only when it reads.
    """

    def __init__(self, port: CellPort, wiring: Wiring, stopping: Callable[[], bool]) -> None:
        self.port = port
        self.wiring = wiring
        self._stopping = stopping
        self.tripped = False
        self._open = True
        self._function: Function | None = None
        self._level = self._limit = self._held = 0.0

    def drive(self, function: Function, level: float, limit: float) -> None:
        """Source a level from now on; limit: of the other quantity, absolute."""
        self._function, self._level, self._limit = function, level, limit
        self.tripped = self._open = False
        self._control(function, level)

    def release(self, mode: str) -> None:
        """Switch off as the off mode says: open (`HIMP`), 0 A (`GUAR`), else 0 V.

        An open relay cuts the sense lines too: readings are 0.
        """
        self._function, self.tripped, self._open = None, False, mode == "HIMP"
        if self._open:
            self.port.control(Control.OPEN)
        else:
            self._control("CURR" if mode == "GUAR" else "VOLT", 0.0)

    def read(self, at: float, average: float) -> Seen:
        """Read at a time, averaged; hands over to the limit or back where the reading says so."""
        seen = self._read(at, average)
        for _ in range(2):
            if not self._hand_over(seen):
                break
            seen = self._read(seen.time + SETTLING + average, average)
        return seen

    def _read(self, at: float, average: float) -> Seen:
        sign = self.wiring.sign
        reading = self._uninterrupted(at, average)
        if self._open:
            return Seen(reading.time, 0.0, 0.0, False, False)
        return Seen(
            reading.time,
            sign * reading.potential,
            sign * reading.current,
            reading.overload,
            reading.compliance,
        )

    def _uninterrupted(self, at: float, average: float) -> Reading:
        """Read; an interrupt that was meant for an earlier reading does not end this one."""
        while True:
            try:
                return self.port.read(at, average)
            except Interrupted:
                if self._stopping():
                    raise

    def _hand_over(self, seen: Seen) -> bool:
        if self._function is None:
            return False
        other: Function = "CURR" if self._function == "VOLT" else "VOLT"
        limited = seen.of(other)
        if not self.tripped and abs(limited) > self._limit * _TRIP:
            self.tripped, self._held = True, copysign(self._limit, limited)
            self._control(other, self._held)
            return True
        reached = (seen.of(self._function) - self._level) * copysign(1.0, self._held) >= 0
        if self.tripped and reached:
            self.tripped = False
            self._control(self._function, self._level)
            return True
        return False

    def _control(self, function: Function, value: float) -> None:
        self.port.control(_CONTROL[function], self.wiring.sign * value)
