"""The card: the calls of its clients that move samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.instruments.nidaqmx import ai, ao
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.pacing import Alive
from simulators.instruments.nidaqmx.task import AI, AO, DI, DO, State, Task
from simulators.instruments.nidaqmx.tasks import Tasks


@dataclass(frozen=True)
class Reading:
    """Samples of a read: ADC codes, shape (n, channels), and volts per code of each channel."""

    codes: NDArray[np.int16]
    scale: NDArray[np.float64]
    status: int = 0
    """0, or the code of a timeout that cut the read short."""

    @property
    def volts(self) -> NDArray[np.float64]:
        """Shape (channels, n)."""
        return ai.volts(self.codes, self.scale)


class Card(Tasks):
    """A virtual board on a plant. Every method needs `lock`, which the service holds."""

    # -- analog input --------------------------------------------------------------------

    def read_analog(self, task: Task, n: int, timeout: float, alive: Alive) -> Reading:
        """Read `n` samples per channel (-1: what NI's default is), waiting up to `timeout` (s)."""
        if task.kind != AI:
            raise CardError(Code.READ_NO_INPUT_CHANS_IN_TASK, f"Task Name: {task.name}", read=0)
        if not task.timing.hardware:
            return self._sample(task, max(n, 1))
        implicit = not task.running
        if implicit:
            self.start(task)
        try:
            return self._read_buffer(task, self.default_read(task) if n < 0 else n, timeout, alive)
        finally:
            if implicit:
                self.stop(task)

    def default_read(self, task: Task) -> int:
        """Samples per channel that a read without a number asks for."""
        if not task.timing.hardware:
            return 1
        if task.timing.finite and not task.input.read_all_available:
            return task.timing.samples
        return task.input.available

    def _read_buffer(self, task: Task, n: int, timeout: float, alive: Alive) -> Reading:
        buffer = task.input

        def missing() -> int:
            short = n - buffer.available
            if short <= 0 or task.fault or task.done or not task.running:
                return 0
            return self.time_for(task, short)

        in_time = self.pacing.wait(missing, timeout, alive)
        self.pacing.deliver()
        if task.fault:
            raise CardError(task.fault, f"Task Name: {task.name}", read=0)
        if buffer.available >= n:
            return Reading(buffer.take(n), buffer.scale)
        if not in_time:
            rest = Reading(buffer.take(buffer.available), buffer.scale)
            return Reading(rest.codes, rest.scale, Code.SAMPLES_NOT_YET_AVAILABLE.value)
        code = (
            Code.SAMPLES_WILL_NEVER_BE_AVAILABLE if task.running else Code.RUNTIME_ABORTING_ROUTING
        )
        raise CardError(code, f"Task Name: {task.name}", read=0)

    def _sample(self, task: Task, n: int) -> Reading:
        """On-demand conversions, each as it comes."""
        resting = self._borrow(task, start=True)
        scale = np.array([c.full_scale / ai.CODES for c in task.inputs])
        volts = np.empty((n, len(task.inputs)))
        for k in range(n):
            self.pacing.poll()
            volts[k] = self.engine.look_now(task)
        self.pacing.deliver()
        self._give_back(task, resting)
        return Reading(ai.quantise(volts, scale), scale)

    # -- analog output -------------------------------------------------------------------

    def write_analog(
        self, task: Task, volts: NDArray[np.float64], start: bool, timeout: float, alive: Alive
    ) -> int:
        """Write volts, shape (channels, n); returns the samples per channel written."""
        if task.kind != AO:
            raise CardError(
                Code.WRITE_NO_OUTPUT_CHANS_IN_TASK, f"Task Name: {task.name}", written=0
            )
        if len(volts) != len(task.outputs):
            raise CardError(Code.WRITE_NUM_CHANS_MISMATCH, f"Task Name: {task.name}", written=0)
        volts = ao.quantise(volts, task.outputs)
        if not task.timing.hardware:
            return self._put_out(task, volts, start)
        if task.running:
            self.pacing.actuate()
            return self._stream(task, volts, timeout, alive)
        self.control(task, 3)
        if not start:  # one call takes the time of one
            self.pacing.actuate()
        buffer = task.output
        if buffer.fresh or not buffer.loop:
            buffer.allocate(len(task.outputs), volts.shape[1])
        written = buffer.write(volts)
        if written < volts.shape[1]:
            full = (
                Code.NO_MORE_SPACE if buffer.size else Code.WRITE_FAILS_BUFFER_SIZE_AUTO_CONFIGURED
            )
            raise CardError(full, f"Task Name: {task.name}", written=written)
        if start:
            self.start(task)
        return written

    def _put_out(self, task: Task, volts: NDArray[np.float64], start: bool) -> int:
        """On-demand conversions; the last sample stays."""
        resting = self._borrow(task, start)
        for column in volts.T:
            self.pacing.actuate()
            for channel, value in zip(task.outputs, column, strict=True):
                self.engine.put_out(channel.physical, value)
        self._give_back(task, resting)
        return volts.shape[1]

    def _borrow(self, task: Task, start: bool) -> State | None:
        """Reserve a task that is not running for one on-demand call."""
        if task.running:
            return None
        if not start:
            raise CardError(
                Code.CANNOT_WRITE_WHEN_AUTO_START_FALSE_AND_TASK_NOT_RUNNING,
                f"Task Name: {task.name}",
                written=0,
            )
        resting = task.state
        self.reserve(task)
        return max(resting, State.VERIFIED)

    def _give_back(self, task: Task, resting: State | None) -> None:
        if resting is not None:
            self._rest(task, resting)

    def _stream(self, task: Task, volts: NDArray[np.float64], timeout: float, alive: Alive) -> int:
        """Write to a running generation as room appears."""
        buffer, total, written = task.output, volts.shape[1], 0

        def missing() -> int:
            short = min(total - written, buffer.loop) - buffer.room
            if short <= 0 or task.done or not task.running:
                return 0
            return self.time_for(task, short)

        while written < total:
            in_time = self.pacing.wait(missing, timeout, alive)
            if task.fault:
                raise CardError(task.fault, f"Task Name: {task.name}", written=written)
            if task.done:
                code = Code.SAMPLES_WILL_NEVER_BE_GENERATED
                raise CardError(code, f"Task Name: {task.name}", written=written)
            written += buffer.write(volts[:, written:])
            if not in_time and written < total:
                code = Code.SAMPLES_CAN_NOT_YET_BE_WRITTEN
                raise CardError(code, f"Task Name: {task.name}", written=written)
        return written

    # -- digital lines -------------------------------------------------------------------

    def write_lines(self, task: Task, states: Sequence[Sequence[bool]], start: bool) -> None:
        """Set the lines of each channel, in the order of the task."""
        if task.kind != DO:
            raise CardError(
                Code.WRITE_NO_OUTPUT_CHANS_IN_TASK, f"Task Name: {task.name}", written=0
            )
        resting = self._borrow(task, start)
        self.pacing.actuate()
        for channel, levels in zip(task.lines, states, strict=True):
            for line, high in zip(channel.lines, levels, strict=True):
                self.engine.set_line(line, high)
        self._give_back(task, resting)

    def read_lines(self, task: Task) -> list[list[bool]]:
        """Levels of the lines of each channel."""
        if task.kind not in {DI, DO}:
            raise CardError(Code.READ_NO_INPUT_CHANS_IN_TASK, f"Task Name: {task.name}", read=0)
        self.pacing.poll()
        self.pacing.deliver()
        return [[self.engine.lines[line] for line in c.lines] for c in task.lines]
