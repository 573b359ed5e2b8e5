"""Reading buffers: rings of readings with statistics."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf, sqrt

from simulators.instruments.scpi import ScpiError

CAPACITY = 100_000
"""Of the default buffers."""
LEAST, MOST = 10, 6_875_000
"""Sizes a buffer may have."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement. time: s on the instrument's clock. status words as in the manual."""

    value: float
    source: float
    time: float
    unit: str
    source_unit: str
    status: int
    source_status: int


class Statistics:
    """Of all readings since the buffer was cleared, also of those that are overwritten."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._squares = 0.0
        self.minimum = inf
        self.maximum = -inf

    def add(self, value: float) -> None:
        """Take one reading into account (Welford's recurrence)."""
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self._squares += step * (value - self.mean)
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)

    @property
    def deviation(self) -> float:
        """Standard deviation of the sample."""
        return sqrt(self._squares / (self.count - 1)) if self.count > 1 else 0.0


@dataclass
class Buffer:
    """A ring of readings, numbered from 1 by their place in it.

    continuous: overwrite the oldest reading when full; otherwise throw new ones away.
    """

    name: str
    capacity: int
    style: str = "STAN"
    continuous: bool = False
    log_state: bool = False
    total: int = 0
    first_time: float = 0.0
    statistics: Statistics = field(default_factory=Statistics)
    _slots: list[Reading] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def full(self) -> bool:
        """Whether new readings are thrown away."""
        return not self.continuous and len(self) >= self.capacity

    @property
    def start(self) -> int:
        """Index of the oldest reading; 0 if there is none."""
        if self.total > self.capacity:
            return self.total % self.capacity + 1
        return min(1, self.total)

    @property
    def end(self) -> int:
        """Index of the newest reading; 0 if there is none."""
        return (self.total - 1) % self.capacity + 1 if self.total else 0

    @property
    def last(self) -> Reading:
        """The newest reading. ScpiError -230 if there is none."""
        if not self.total:
            raise ScpiError(-230)
        return self._slots[self.end - 1]

    def append(self, reading: Reading) -> None:
        """Take a reading, if there is room."""
        if self.style.startswith(("WRIT", "FULLWRIT")):
            raise ScpiError(-221, "writable buffers take no measurements")
        if self.full:
            return
        if not self.total:
            self.first_time = reading.time
        if len(self._slots) < self.capacity:
            self._slots.append(reading)
        else:
            self._slots[self.total % self.capacity] = reading
        self.total += 1
        self.statistics.add(reading.value)

    def part(self, start: int, end: int) -> Iterator[Reading]:
        """Readings `start` to `end`, both included; ScpiError -222 if they are not all there."""
        if not 1 <= start <= end <= len(self):
            raise ScpiError(-222)
        yield from self._slots[start - 1 : end]

    def clear(self) -> None:
        """Forget the readings and their statistics."""
        self._slots.clear()
        self.total = 0
        self.statistics = Statistics()

    def resize(self, capacity: int) -> None:
        """Change the capacity; the readings are lost."""
        self.capacity = capacity
        self.clear()


class Buffers:
    """All buffers by name; names tell capitals apart."""

    def __init__(self) -> None:
        self._all = {
            name: Buffer(name, CAPACITY, continuous=True, log_state=True)
            for name in ("defbuffer1", "defbuffer2")
        }

    def __getitem__(self, name: str) -> Buffer:
        if name not in self._all:
            raise ScpiError(-224, f"there is no reading buffer {name}")
        return self._all[name]

    def make(self, name: str, capacity: int, style: str) -> None:
        """Create a buffer. ScpiError 1115 if the name is taken."""
        if name in self._all:
            raise ScpiError(1115)
        if not name.isidentifier():
            raise ScpiError(-224, "not a name")
        self._all[name] = Buffer(name, capacity, style)

    def delete(self, name: str) -> None:
        """Delete a buffer that was made; the default ones stay."""
        if self[name].name.startswith("defbuffer"):
            raise ScpiError(-221, "the default buffers cannot be deleted")
        del self._all[name]
