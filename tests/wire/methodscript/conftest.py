"""A dummy cell on a clock of its own, and instruments on it."""

import threading
from collections.abc import Callable, Iterator

import pytest

from simulators.cellport import Control, Interrupted, Reading
from simulators.instruments.methodscript import Device


class Resistor:
    """1 kohm; time is what is read for. `gate`, when cleared, makes reads block."""

    def __init__(self, resistance: float = 1e3) -> None:
        self.resistance = resistance
        self.time = 0.0
        self.mode = Control.OPEN
        self.value = 0.0
        self.rest = 0.25
        self.full_scale = 1.0
        self.limit = 10.0
        self.controls: list[tuple[float, Control, float]] = []
        self.reads: list[float] = []
        self.late = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        self._stop = False
        self._changed = threading.Condition()

    def control(
        self, mode: Control, value: float = 0.0, slope: float = 0.0, at: float | None = None
    ) -> None:
        self.mode, self.value = mode, value
        self.controls.append((self.time, mode, value))

    def set_current_range(self, full_scale: float) -> None:
        self.full_scale = full_scale

    def set_bandwidth(self, hertz: float) -> None:
        self.bandwidth = hertz

    def read(self, at: float, average: float = 0.0) -> Reading:
        self.waiting.set()
        while not self.gate.wait(0.002) or self._stop:
            if self._stop:
                self._stop = False
                raise Interrupted
        self.time = max(self.time, at) + self.late
        self.reads.append(self.time)
        potential, current = self.rest, 0.0
        if self.mode is Control.POTENTIAL:
            potential, current = self.value, self.value / self.resistance
        elif self.mode is Control.CURRENT:
            potential, current = self.value * self.resistance, self.value
        return Reading(
            self.time,
            max(-self.limit, min(self.limit, potential)),
            current,
            overload=abs(current) > self.full_scale,
            compliance=abs(potential) > self.limit,
        )

    def impedance(self, frequency: float, amplitude: float, periods: int = 3) -> complex:
        self.time += periods / frequency
        return complex(self.resistance, -1 / frequency)

    def interrupt(self) -> None:
        self._stop = True


class Bench:
    """One instrument, its cell, and all that it has said."""

    def __init__(self, kind: str) -> None:
        self.port = Resistor()
        self.device = Device(self.port, kind)
        self._said = bytearray()
        self._more = threading.Condition()
        self.device.attach(self._hear)

    def _hear(self, data: bytes) -> None:
        with self._more:
            self._said += data
            self._more.notify_all()

    def say(self, text: str) -> None:
        self.device.receive(text.encode())

    def take(self) -> str:
        """What was said since the last call."""
        with self._more:
            text, self._said = self._said.decode("latin-1"), bytearray()
            return text

    def ask(self, text: str) -> str:
        """Send, wait until no script runs, and return what was said."""
        self.say(text)
        assert self.device.runtime.join(20)
        return self.take()

    def run(self, script: str) -> list[str]:
        """Lines that a script puts out, without the echo."""
        lines = self.ask(f"e\n{script.strip()}\n\n").split("\n")
        assert lines.pop() == ""
        assert lines.pop(0) == "e", lines
        return lines

    def until(self, text: str) -> None:
        """Wait until something has been said."""
        with self._more:
            assert self._more.wait_for(lambda: text.encode() in self._said, 20)


@pytest.fixture
def bench_of() -> Iterator[Callable[[str], Bench]]:
    made: list[Bench] = []

    def make(kind: str) -> Bench:
        made.append(Bench(kind))
        return made[-1]

    yield make
    for bench in made:
        bench.port.gate.set()
        bench.device.close()


@pytest.fixture
def bench(bench_of: Callable[[str], Bench]) -> Bench:
    return bench_of("emstat4-lr")
