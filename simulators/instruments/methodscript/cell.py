"""The instrument's analog side as scripts see it: modes, ranges, limits, samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from simulators.cellport import CellPort, Control, Interrupted, Reading
from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.kinds import Kind, Mode
from simulators.instruments.methodscript.requests import Requests
from simulators.instruments.methodscript.values import Status, Value

LATE = 0.1
"""Share of the interval by which a sample may come late before its timing counts as not met."""

UPWARD, DOWNWARD = 0.95, 0.5
"""Autoranging: shares of the present and of the next smaller range at which it changes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at one moment, as values of a script."""

    time: float
    potential: Value
    current: Value


class Ranging:
    """The range of one quantity and the ranges autoranging may take."""

    def __init__(self, ranges: Mapping[int, float]) -> None:
        self.ranges = dict(sorted(ranges.items(), key=lambda item: item[1]))
        self.index = max(self.ranges, key=self.ranges.__getitem__, default=0)
        self._allowed = [self.index]

    @property
    def full_scale(self) -> float:
        return self.ranges.get(self.index, float("inf"))

    def fix(self, largest: float) -> None:
        """Take the smallest range that holds `largest`, and stay there."""
        self.index = self._holding(largest)
        self._allowed = [self.index]

    def allow(self, smallest: float, largest: float) -> None:
        """Change range by itself between these."""
        order = list(self.ranges)
        first, last = order.index(self._holding(smallest)), order.index(self._holding(largest))
        self._allowed = order[first : last + 1] or [order[last]]
        if self.index not in self._allowed:
            self.index = self._allowed[-1]

    def follow(self, value: float, overload: bool) -> bool:
        """Change range after a sample if that needs it; whether it did."""
        place = self._allowed.index(self.index) if self.index in self._allowed else 0
        if overload or abs(value) > UPWARD * self.full_scale:
            place = min(place + 1, len(self._allowed) - 1)
        elif place and abs(value) < DOWNWARD * self.ranges[self._allowed[place - 1]]:
            place -= 1
        changed = self._allowed[place] != self.index
        self.index = self._allowed[place]
        return changed

    def _holding(self, value: float) -> int:
        order = list(self.ranges)
        return next((i for i in order if self.ranges[i] >= abs(value) * (1 - 1e-9)), order[-1])


class Cell:
    """Drives a cell port as an instrument of some kind would."""

    def __init__(self, port: CellPort, kind: Kind) -> None:
        self.port = port
        self.kind = kind
        self.requests = Requests(port.interrupt, lambda: port.time)
        self.requests.over()
        self.overloaded_until = -1.0
        """Time up to which every current counts as beyond its range."""
        self.reset()

    def reset(self) -> None:
        """As after switching on: cell off, everything at its default."""
        self.on = False
        self.channel = 0
        self.fraction = 0.25
        self._held: Value = Value(0.0, "da")
        self._span: tuple[float, float] | None = None
        self.port.control(Control.OPEN)
        self._enter(next(number for number in self.kind.modes if number))

    @property
    def time(self) -> float:
        """On the port's clock, s."""
        return self.port.time

    @property
    def galvanostat(self) -> bool:
        """Whether the current is controlled."""
        return self.mode.galvanostat

    def set_mode(self, number: int) -> None:
        """Take a potentiostat mode, with the cell off."""
        self.kind.mode(number)
        self.switch(False)
        self._enter(number)

    def _enter(self, number: int) -> None:
        self.mode: Mode = self.kind.mode(number)
        self.mode_number = number
        self._held = Value(0.0, "db" if self.mode.galvanostat else "da")
        self._span = None
        self.current = Ranging(self.kind.current_ranges(self.mode))
        self.potential = Ranging(self.kind.potential_ranges)
        self.port.set_current_range(self.current.full_scale)

    def ranging(self, kind: str) -> Ranging:
        """That of a variable type."""
        if kind in ("ba", "db"):
            return self.current
        if kind in ("ab", "da"):
            return self.potential
        if kind == "bb":
            return Ranging(self.kind.current_ranges(self.mode))
        raise ScriptError(Code.NO_RANGES)

    def ranged(self) -> None:
        """A range was chosen."""
        self.port.set_current_range(self.current.full_scale)

    def set_window(self, lowest: float, highest: float) -> None:
        """Announce the potentials to come."""
        self._span = None
        for potential in (lowest, highest):
            self.check_potential(potential)
        if abs(highest - lowest) > self.mode.window + 1e-9:
            raise ScriptError(Code.POTENTIAL_INVALID)
        if self.mode.window < float("inf"):
            middle = (lowest + highest) / 2
            self._span = (middle - self.mode.window / 2, middle + self.mode.window / 2)

    def check_potential(self, potential: float) -> None:
        """Refuse what the mode, or the window that was announced, cannot reach."""
        lowest, highest = self.mode.lowest, self.mode.highest
        if self._span:
            lowest, highest = max(lowest, self._span[0]), min(highest, self._span[1])
        if not lowest - 1e-9 <= potential <= highest + 1e-9:
            raise ScriptError(Code.POTENTIAL_INVALID)

    def set_potential(self, potential: float) -> Value:
        """Hold a potential (V), rounded to what the converter can set; returns that."""
        self.require(galvanostat=False)
        self.check_potential(potential)
        return self._hold(self.applied(potential))

    def applied(self, potential: float) -> Value:
        """What the converter makes of a potential."""
        return Value(_round(potential, self.kind.lsb), "da")

    def set_current(self, current: float) -> Value:
        """Hold a current (A), likewise."""
        self.require(galvanostat=True)
        if abs(current) > self.current.full_scale * (1 + 1e-9):
            self.current.fix(current)
            if abs(current) > self.current.full_scale * (1 + 1e-9):
                raise ScriptError(Code.OUT_OF_BOUNDS)
            self.ranged()
        lsb = self.kind.current_lsb * self.current.full_scale
        return self._hold(Value(_round(current, lsb), "db"))

    def _hold(self, value: Value) -> Value:
        self._held = value
        if self.on:
            self._apply()
        return value

    def _apply(self) -> None:
        control = Control.CURRENT if self.mode.galvanostat else Control.POTENTIAL
        self.port.control(control, self._held.number)

    def switch(self, on: bool) -> None:
        """Close or open the cell's circuit."""
        self.on = on
        if on:
            self._apply()
        else:
            self.port.control(Control.OPEN)

    def require(self, galvanostat: bool) -> None:
        """Refuse what the mode cannot do."""
        if self.mode.galvanostat != galvanostat or self.mode_number == 0:
            raise ScriptError(Code.WRONG_PGSTAT_MODE)

    def read(self, at: float, average: float = 0.0) -> Reading:
        """Let time pass until `at`, and read. Raises what a client asks for meanwhile."""
        self.requests.checkpoint()
        while True:
            try:
                reading = self.port.read(at, average)
            except Interrupted:
                self.requests.interrupted()
                continue
            self.requests.undisturbed()
            return reading

    def sample(self, at: float, interval: float) -> Sample:
        """Read at `at`, averaged over the last part of the interval, and choose the next range."""
        reading = self.read(at, interval * self.fraction)
        late = Status.TIMING if reading.time > at + LATE * interval + 1e-9 else Status.OK
        overload = reading.overload or reading.time <= self.overloaded_until + 1e-9
        status = late | (Status.OVERLOAD if overload else 0)
        status |= Status.UNDERLOAD if reading.underload and not overload else 0
        if abs(reading.current) > UPWARD * self.current.full_scale and not overload:
            status |= Status.WARNING
        of_potential = late | (Status.OVERLOAD if reading.compliance else 0)
        potential_range = self.potential.index if self.potential.ranges else None
        sample = Sample(
            reading.time,
            Value(reading.potential, "ab", status=of_potential, range=potential_range),
            Value(reading.current, "ba", status=status, range=self.current.index),
        )
        if not self.mode.galvanostat and self.current.follow(reading.current, overload):
            self.ranged()
        if self.potential.ranges:
            self.potential.follow(reading.potential, False)
        return sample

    def impedance(self, frequency: float, rms: float) -> complex:
        """Z at one frequency (Hz) with an amplitude (V or A, rms)."""
        self.requests.checkpoint()
        while True:
            try:
                return self.port.impedance(frequency, rms * sqrt(2))
            except Interrupted:
                self.requests.interrupted()


def _round(value: float, lsb: float) -> float:
    return round(value / lsb) * lsb
