"""A dummy cell on a clock of its own, and a source-measure unit on it."""

import threading
from collections.abc import Callable, Iterator

import pytest

from simulators.cellport import Control, Interrupted, Reading
from simulators.instruments.keithley import Smu, Wiring
from simulators.instruments.scpi import Session


class Battery:
    """A voltage behind 1 kohm; time is what is read for. `gate`, when cleared, blocks reads."""

    def __init__(self, rest: float = 0.0, resistance: float = 1e3) -> None:
        self.rest, self.resistance = rest, resistance
        self.time = 0.0
        self.mode, self.value = Control.OPEN, 0.0
        self.full_scale = 1.0
        self.reads: list[tuple[float, float]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        self._stop = threading.Event()

    def control(
        self, mode: Control, value: float = 0.0, slope: float = 0.0, at: float | None = None
    ) -> None:
        self.mode, self.value = mode, value

    def set_current_range(self, full_scale: float) -> None:
        self.full_scale = full_scale

    def set_bandwidth(self, hertz: float) -> None:
        pass

    def read(self, at: float, average: float = 0.0) -> Reading:
        self.waiting.set()
        while not self.gate.wait(0.002):
            if self._stop.is_set():
                break
        if self._stop.is_set():
            self._stop.clear()
            raise Interrupted
        self.time = max(self.time, at)
        self.reads.append((at, average))
        potential, current = self.rest, 0.0
        if self.mode is Control.POTENTIAL:
            potential, current = self.value, (self.value - self.rest) / self.resistance
        elif self.mode is Control.CURRENT:
            potential, current = self.rest + self.value * self.resistance, self.value
        clipped = max(-self.full_scale, min(self.full_scale, current))
        return Reading(self.time, potential, clipped, overload=clipped != current)

    def impedance(self, frequency: float, amplitude: float, periods: int = 3) -> complex:
        raise NotImplementedError

    def interrupt(self) -> None:
        self._stop.set()


class Bench:
    """An instrument with one client."""

    def __init__(self, port: Battery, model: str = "2450", working_on: str = "HI") -> None:
        self.port = port
        self.smu = Smu(port, model, Wiring(working_on))
        self.session = Session(self.smu, lambda data: None)

    def ask(self, *lines: str) -> str:
        """Send lines; the last reply."""
        reply: bytes | None = None
        for line in lines:
            reply = self.session.execute(line)
        return (reply or b"").decode("latin-1")

    def numbers(self, *lines: str) -> list[float]:
        """Send lines; the numbers of the last reply."""
        return [float(text) for text in self.ask(*lines).replace(";", ",").split(",")]

    def errors(self) -> list[int]:
        """Take all errors."""
        codes = []
        while (code := int(self.ask(":SYST:ERR:CODE?"))) != 0:
            codes.append(code)
        return codes


Make = Callable[..., Bench]


@pytest.fixture
def make() -> Iterator[Make]:
    benches: list[Bench] = []

    def build(
        rest: float = 0.0, resistance: float = 1e3, model: str = "2450", working_on: str = "HI"
    ) -> Bench:
        benches.append(Bench(Battery(rest, resistance), model, working_on))
        return benches[-1]

    yield build
    for bench in benches:
        bench.port.gate.set()
        bench.smu.close()


@pytest.fixture
def bench(make: Make) -> Bench:
    return make()
