"""Tasks of a card's clients: their states, and who may use what."""

import threading

from nidaqmx.error_codes import DAQmxWarnings

from simulators.instruments.nidaqmx.board import Board, Harness, Wiring
from simulators.instruments.nidaqmx.engine import Engine
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.pacing import Alive, Pacing
from simulators.instruments.nidaqmx.reservations import Reservations
from simulators.instruments.nidaqmx.task import AI, State, Task
from simulators.instruments.nidaqmx.timing import TIMEBASE
from simulators.instruments.nidaqmx.triggers import DIGITAL_EDGE, DIGITAL_LEVEL
from simulators.plant import Plant

UNKNOWN_WAIT = TIMEBASE // 100
"""How far to look ahead for a trigger nobody can foresee (10 ms)."""


class Tasks:
    """A virtual board on a plant, and its tasks. Every method needs `lock`."""

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
        self.engine.unroute()
        self.engine.held[:] = 0.0
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
                if trigger.kind in {DIGITAL_EDGE, DIGITAL_LEVEL}:
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
