"""A dummy cell on a clock of its own, and a Rodeostat on it."""

import json
import threading
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest

from simulators.cellport import Control, Interrupted, Reading
from simulators.instruments.rodeostat import Device


class Resistor:
    """1 kohm at a rest potential of 0.25 V; `gate`, when cleared, blocks reads."""

    def __init__(self) -> None:
        self.time = 0.0
        self.resistance = 1e3
        self.mode, self.value, self.slope, self.since = Control.OPEN, 0.0, 0.0, 0.0
        self.full_scale = 1.0
        self.held: list[tuple[float, float, float]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        self._stop = threading.Event()

    def control(
        self, mode: Control, value: float = 0.0, slope: float = 0.0, at: float | None = None
    ) -> None:
        self.mode, self.value, self.slope, self.since = mode, value, slope, self.time
        if mode is Control.POTENTIAL:
            self.held.append((self.time, value, slope))

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
        if self.mode is not Control.POTENTIAL:
            return Reading(self.time, 0.25, 0.0)
        potential = self.value + self.slope * (self.time - self.since)
        current = potential / self.resistance
        return Reading(self.time, potential, current, overload=abs(current) > self.full_scale)

    def impedance(self, frequency: float, amplitude: float, periods: int = 3) -> complex:
        raise NotImplementedError

    def interrupt(self) -> None:
        self._stop.set()


class Bench:
    """An instrument with one client."""

    def __init__(self) -> None:
        self.port = Resistor()
        self.device = Device(self.port)
        self.said: Queue[bytes] = Queue()
        self.device.attach(self.said.put)

    def send(self, line: bytes) -> None:
        """Send a line, without its end."""
        self.device.receive(line + b"\n")

    def hear(self) -> Any:
        """The next line."""
        line = self.said.get(timeout=5)
        assert line.endswith(b"\r\n")
        return json.loads(line)

    def raw(self, line: bytes) -> bytes:
        """Send a line; the reply as it comes."""
        self.send(line)
        return self.said.get(timeout=5)

    def ask(self, command: str, **values: Any) -> Any:
        """Send a command; its reply."""
        self.send(json.dumps({"command": command} | values).encode())
        return self.hear()

    def run(self, test: str, **values: Any) -> list[dict[str, Any]]:
        """Set parameters and run a test; its samples."""
        if values:
            assert self.ask("setParam", test=test, param=values)["success"]
        assert self.ask("runTest", test=test)["success"]
        samples = []
        while sample := self.hear():
            samples.append(sample)
        return samples


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.port.gate.set()
    bench.device.close()
