"""The card: tasks of its clients, who may use what, and the calls that move samples."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from nidaqmx.constants import TriggerType
from nidaqmx.error_codes import DAQmxWarnings
from numpy.typing import NDArray

from simulators.instruments.nidaqmx import ai, ao
from simulators.instruments.nidaqmx.board import Board, Harness, Wiring
from simulators.instruments.nidaqmx.engine import Engine
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.pacing import Alive, Pacing
from simulators.instruments.nidaqmx.reservations import Reservations
from simulators.instruments.nidaqmx.task import AI, AO, DI, DO, State, Task
from simulators.instruments.nidaqmx.timing import TIMEBASE
from simulators.plant import Plant

UNKNOWN_WAIT = TIMEBASE // 100
"""How far to look ahead for a trigger nobody can foresee (10 ms)."""


@dataclass(frozen=True)
class Reading:
    """Samples of a read: ADC codes, shape (channels, n), and volts per code of each channel."""

    codes: NDArray[np.int16]
    scale: NDArray[np.float64]
    status: int = 0
    """0, or the code of a timeout that cut the read short."""

    @property
    def volts(self) -> NDArray[np.float64]:
        """Shape (channels, n)."""
        return self.codes * self.scale[:, None]


class Card:
    """A virtual board on a plant. Every method needs `lock`, which `Service` holds."""

    def __init__(
        self, plant: Plant, wiring: Wiring, pacing: Pacing, board: Board | None = None
    ) -> None:
        self.board = board or Board()
        self.engine = Engine(self.board, plant, Harness(self.board, plant, wiring))
        self.reservations = Reservations(self.board, self.engine)
        self.tasks: dict[str, Task] = {}
        self.lock = threading.Condition(threading.RLock())
        self.pacing = pacing
        self._unnamed = 0
        with self.lock:
            pacing.attach(self.engine, self.lock)

    def close(self) -> None:
        """Stop the clock and end all event streams."""
        self.pacing.close()
        with self.lock:
            for task in self.tasks.values():
                for stream in task.streams():
                    stream.close()

    # -- tasks ---------------------------------------------------------------------------

    def create_task(self, name: str) -> Task:
        """A new task; unnamed ones get a name as NI gives it."""
        if not name:
            name = f"_unnamedTask<{self._unnamed:X}>"
            self._unnamed += 1
        if name in self.tasks:
            raise CardError(Code.DUPLICATE_TASK, f"Task Name: {name}")
        self.tasks[name] = Task(name)
        return self.tasks[name]

    def task(self, name: str) -> Task:
        """A task by the name of its session."""
        if name not in self.tasks:
            raise CardError(Code.INVALID_TASK, f"Task Name: {name}")
        return self.tasks[name]

    def clear_task(self, task: Task) -> None:
        """Abort a task and forget it."""
        self.abort(task)
        for stream in task.streams():
            stream.close()
        self.tasks.pop(task.name, None)

    def reset(self) -> None:
        """Abort all tasks and let the outputs go back to 0 V and low, as at power-up."""
        for task in self.tasks.values():
            self.abort(task)
        self.engine.routes.clear()
        self.engine.volts.update(dict.fromkeys(self.engine.volts, 0.0))
        for line in self.board.lines:
            self.engine.set_line(line, False)

    def verify(self, task: Task) -> None:
        """Check that the board can do what the task asks for."""
        kind = task.subsystem
        channels = len(task.channels)
        if not task.timing.hardware:
            if task.triggered or task.gating:
                raise CardError(Code.TRIG_WHEN_ON_DEMAND_SAMP_TIMING, f"Task Name: {task.name}")
        elif task.timing.rate > self.board.rate_limit(kind, channels):
            single = kind == "ao" or task.timing.rate > self.board.ai_rate
            raise CardError(
                Code.SAMP_RATE_TOO_HIGH
                if single
                else Code.SAMPLE_RATE_NUM_CHANS_CONVERT_PERIOD_COMBO,
                "Property: DAQmx_SampClk_Rate",
                f"Requested Value: {task.timing.rate}",
                f"Maximum Value: {self.board.rate_limit(kind, channels)}",
                f"Task Name: {task.name}",
            )
        else:
            self.engine.clock_name(task)
            for trigger in (task.start, task.pause):
                if trigger.kind in {
                    TriggerType.DIGITAL_EDGE.value,
                    TriggerType.DIGITAL_LEVEL.value,
                }:
                    self.board.terminal(trigger.digital_source)
            self.reservations.analog_triggers(task)
        task.state = max(task.state, State.VERIFIED)

    def reserve(self, task: Task) -> None:
        """Claim what the task needs."""
        self.verify(task)
        self.reservations.claim(task)
        task.state = max(task.state, State.RESERVED)

    def start(self, task: Task) -> None:
        """Run a task."""
        task.forbid_running()
        resting = task.state
        self.reserve(task)
        try:
            if task.timing.hardware:
                if task.kind == AI:
                    task.input.allocate(task.inputs, task.timing)
                else:
                    task.output.restart()
            self.pacing.actuate()
        except CardError:
            self._rest(task, resting)
            raise
        task.resting = max(resting, State.VERIFIED)
        task.state = State.RUNNING
        task.fault = 0
        task.done = not task.timing.hardware
        if task.timing.hardware:
            self.reservations.wake_comparator(task)
            self.engine.begin(task)

    def stop(self, task: Task) -> int:
        """Stop a task; returns NI's warning if it had not finished, else 0."""
        if not task.running:
            return 0
        self.pacing.actuate()
        cut_short = task.timing.finite and not task.done
        self._halt(task, task.resting)
        return DAQmxWarnings.STOPPED_BEFORE_DONE.value if cut_short else 0

    def abort(self, task: Task) -> None:
        """Stop at once and give back everything."""
        if task.running:
            self.pacing.actuate()
        self._halt(task, State.VERIFIED)

    def _halt(self, task: Task, state: State) -> None:
        self.engine.drop(task)
        task.armed = task.paused = False
        task.done = True
        task.output.fresh = True
        self._rest(task, state)

    def _rest(self, task: Task, state: State) -> None:
        task.state = state
        if state < State.RESERVED:
            self.reservations.release(task)

    def control(self, task: Task, action: int) -> None:
        """NI's explicit state transitions."""
        if action == 0:
            self.start(task)
        elif action == 1:
            self.stop(task)
        elif action == 2:
            self.verify(task)
        elif action in {3, 4}:
            if not task.running:
                self.reserve(task)
                task.state = max(task.state, State.COMMITTED if action == 3 else State.RESERVED)
        elif action == 5:
            task.forbid_running()
            task.output.discard()
            self._rest(task, State.VERIFIED)
        elif action == 6:
            self.abort(task)
        else:
            raise CardError(Code.INVALID_ATTRIBUTE_VALUE, f"Requested Value: {action}")

    # -- waiting -------------------------------------------------------------------------

    def time_for(self, task: Task, edges: int) -> int:
        """The least time in which `edges` sample clock edges can reach a task."""
        clock = self.engine.clock_of(task)
        if clock is None or task.armed:
            return UNKNOWN_WAIT
        return clock.due - self.engine.now + (edges - 1) * clock.period

    def wait_until_done(self, task: Task, timeout: float, alive: Alive) -> None:
        """Return when a task has ended; -200560 if that takes longer than `timeout` (s)."""

        def missing() -> int:
            if not task.running or task.done:
                return 0
            remaining = None if task.retriggers else task.remaining
            return UNKNOWN_WAIT if remaining is None else self.time_for(task, max(1, remaining))

        if not self.pacing.wait(missing, timeout, alive):
            raise CardError(Code.WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE, f"Task Name: {task.name}")
        self.pacing.deliver()
        if task.fault:
            raise CardError(task.fault, f"Task Name: {task.name}")

    def is_done(self, task: Task) -> bool:
        """Whether a task has ended or never ran; a failed one raises its error."""
        self.pacing.poll()
        if task.fault:
            raise CardError(task.fault, f"Task Name: {task.name}")
        return task.done

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
        volts = np.empty((len(task.inputs), n))
        for k in range(n):
            self.pacing.poll()
            volts[:, k] = self.engine.look_now(task)
        codes = np.clip(np.rint(volts / scale[:, None]), -ai.CODES, ai.CODES - 1).astype(np.int16)
        self.pacing.deliver()
        self._give_back(task, resting)
        return Reading(codes, scale)

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
                self.engine.volts[channel.physical] = float(value)
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
