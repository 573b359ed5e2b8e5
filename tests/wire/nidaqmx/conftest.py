"""A card on a loopback plant, driven by NI's own package over a loopback connection."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import grpc
import nidaqmx
import numpy as np
import pytest
from nidaqmx.system import Device, System
from numpy.typing import NDArray

from simulators.instruments.nidaqmx import Card, Host, Lockstep, Pacing, Server
from simulators.plant import Watch


def crosses(watch: Watch, signal: NDArray[Any]) -> int | None:
    """First sample at which the watch changes state."""
    hits = signal < watch.low if watch.is_high else signal > watch.high
    return int(np.argmax(hits)) if hits.any() else None


class Loopback:
    """Each output is the input of the same number, as it was held; `out.clock` is the time in s."""

    inputs: tuple[str, ...] = ("in.0", "in.1", "in.2")
    outputs: tuple[str, ...] = ("out.0", "out.1", "out.2", "out.clock")
    lines: tuple[str, ...] = ("line.0", "line.1")

    def __init__(self) -> None:
        self.time = 0
        self.levels: dict[str, bool] = dict.fromkeys(self.lines, False)
        self.line_log: list[tuple[int, str, bool]] = []
        self.runs = 0

    def run(
        self, drive: NDArray[np.float64], period: int, watches: Sequence[Watch] = ()
    ) -> NDArray[np.float64]:
        self.runs += 1
        clock = (self.time + period * np.arange(1, len(drive) + 1)) * 1e-8
        out: NDArray[Any] = np.column_stack((drive, clock))
        ends = [k for w in watches if (k := crosses(w, out[:, w.output])) is not None]
        out = out[: min(ends) + 1] if ends else out
        self.time += period * len(out)
        return out

    def set_line(self, line: str, high: bool) -> None:
        self.levels[line] = high
        self.line_log.append((self.time, line, high))


WIRING = {
    "ai0": "out.0",
    "ai1": "out.1",
    "ai2": "out.2",
    "ai3": "out.clock",
    "APFI0": "out.0",
    "ao0": "in.0",
    "ao1": "in.1",
    "ao2": "in.2",
    "port0/line0": "line.0",
    "port1/line0": "line.1",
}


RATE = 50e3
STEP = 2000
"""One sample at `RATE`, in units of 10 ns."""


class Bench:
    """A served card, and tasks that are closed with it."""

    def __init__(self, stack: ExitStack, pacing: Pacing) -> None:
        self.plant = Loopback()
        self.card = Card(self.plant, WIRING, pacing)
        self.server = stack.enter_context(Server(self.card))
        channel = stack.enter_context(grpc.insecure_channel(self.server.address))
        self.options = nidaqmx.GrpcSessionOptions(channel, "")
        self._stack = stack

    @property
    def device(self) -> Device:
        return next(iter(System.remote(self.options).devices))

    def task(self, name: str = "") -> nidaqmx.Task:
        task = nidaqmx.Task(name, grpc_options=self.options)
        self._stack.callback(lambda: task.close() if task._handle else None)
        return task

    def ai(
        self, *channels: str, rate: float | None = RATE, samples: int | None = None
    ) -> nidaqmx.Task:
        """An AI task of +-10 V; finite if `samples` is given, on demand if no rate is."""
        task = self.task()
        for channel in channels:
            task.ai_channels.add_ai_voltage_chan(f"Dev1/{channel}", min_val=-10, max_val=10)
        return _timed(task, rate, samples)

    def ao(
        self,
        *channels: str,
        rate: float | None = RATE,
        samples: int | None = None,
        source: str = "",
    ) -> nidaqmx.Task:
        """An AO task; finite if `samples` is given, on demand if no rate is."""
        task = self.task()
        for channel in channels:
            task.ao_channels.add_ao_voltage_chan(f"Dev1/{channel}")
        return _timed(task, rate, samples, source)


def _timed(
    task: nidaqmx.Task, rate: float | None, samples: int | None, source: str = ""
) -> nidaqmx.Task:
    from nidaqmx.constants import AcquisitionType

    if rate is not None:
        mode = AcquisitionType.FINITE if samples else AcquisitionType.CONTINUOUS
        task.timing.cfg_samp_clk_timing(
            rate, source=source, sample_mode=mode, samps_per_chan=samples or 1000
        )
    return task


@contextmanager
def open_bench(pacing: Pacing | None = None) -> Iterator[Bench]:
    """A bench in lockstep with a host that takes 100 us a call and 1 ms to react."""
    with ExitStack() as stack:
        yield Bench(stack, pacing or Lockstep(Host(jitter=0.0)))


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench() as found:
        yield found


@pytest.fixture
def benches() -> Callable[..., Any]:
    """To open benches with another pacing."""
    return open_bench


def volts(code: int, full_scale: float = 10.0) -> float:
    """What a converter of 16 bits makes of a code."""
    return code * full_scale / 32768
