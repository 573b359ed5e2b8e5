"""The signals inside the card: sample clocks, start triggers, pause gates, digital lines."""

import numpy as np
from numpy.typing import NDArray

from simulators.instruments.nidaqmx.board import COMPARATOR, Board, Harness
from simulators.instruments.nidaqmx.task import Task
from simulators.instruments.nidaqmx.timing import LONGEST_STEP, Clock, common_step
from simulators.instruments.nidaqmx.triggers import (
    ANALOG_EDGE,
    ANALOG_LEVEL,
    DIGITAL_LEVEL,
    Comparator,
)
from simulators.plant import Plant


class Signals:
    """Which clock ticks for whom, and what starts and gates it.

    One AI and one AO task at most are clocked at a time; the card sees to that.
    """

    def __init__(self, board: Board, plant: Plant, harness: Harness) -> None:
        self.board = board
        self.plant = plant
        self.harness = harness
        self.now = plant.time
        """Card time in timebase periods; nobody else moves the plant."""
        self.lines = dict.fromkeys(board.lines, False)
        self.tasks: list[Task] = []
        """Running hardware-timed tasks."""
        self._paused: set[str] = set()
        """Subsystems whose clock a pause trigger stops now."""
        self.clocks: dict[str, Clock] = {}
        """The clocks that tick, by subsystem."""
        self.comparator: Comparator | None = None
        self.sensed: NDArray[np.float64] = np.zeros(len(plant.outputs))
        """Plant outputs (volts) at the present time."""
        self._routes: dict[str, str] = {}
        self._clock_names: dict[tuple[str, str], str | None] = {}
        self._timed: list[tuple[Task, Clock]] | None = None
        self._step: int | None = None

    def route(self, signal: str, terminal: str) -> None:
        """Export a signal to a terminal."""
        self._routes[terminal] = signal
        self._clock_names.clear()
        self._clocks_changed()

    def unroute(self) -> None:
        """Undo all exports."""
        self._routes.clear()
        self._clock_names.clear()
        self._clocks_changed()

    def clock_name(self, task: Task) -> str | None:
        """The subsystem whose sample clock times `task`; None if no clock arrives there."""
        key = task.subsystem, task.timing.source
        if key not in self._clock_names:
            self._clock_names[key] = self._find_clock(task)
        return self._clock_names[key]

    def _find_clock(self, task: Task) -> str | None:
        source = task.timing.source
        if source.lower() in {"", "onboardclock"}:
            return task.subsystem
        terminal = self.board.terminal(source)
        signal = self._routes.get(terminal, terminal)
        return signal.removesuffix("/SampleClock") if signal.endswith("/SampleClock") else None

    def clock_of(self, task: Task) -> Clock | None:
        """The clock that ticks for `task` now."""
        name = self.clock_name(task)
        return self.clocks.get(name) if name else None

    @property
    def timed(self) -> list[tuple[Task, Clock]]:
        """The tasks whose clock ticks now, and that clock; the same until one starts or ends."""
        if self._timed is None:
            self._timed = [
                (task, clock)
                for task in self.tasks
                if task.active and (clock := self.clock_of(task)) is not None
            ]
        return self._timed

    @property
    def step(self) -> int:
        """Length of a plant step that serves all clocks."""
        if self._step is None:
            periods = frozenset(clock.period for clock in self.clocks.values())
            self._step = common_step(periods) if periods else LONGEST_STEP
        return self._step

    def _clocks_changed(self) -> None:
        self._timed = self._step = None

    def _silence(self, subsystem: str) -> None:
        """Stop a subsystem's clock."""
        self.clocks.pop(subsystem, None)
        self._clocks_changed()

    def _gated(self, task: Task) -> bool:
        """Whether a pause trigger stops the edges that reach `task`: its own or its clock's."""
        paused = self._paused
        return bool(paused) and (task.subsystem in paused or self.clock_name(task) in paused)

    def begin(self, task: Task) -> None:
        """Start a hardware-timed task: run it, or arm its start trigger."""
        self.tasks.append(task)
        self._clocks_changed()
        self._update_pauses()
        if task.triggered:
            task.armed = True
        else:
            self.trigger(task)

    def trigger(self, task: Task) -> None:
        """The start trigger has come: the first clock edge is one period away."""
        task.armed = False
        if self.clock_name(task) == task.subsystem:
            period = task.timing.period
            self.clocks[task.subsystem] = Clock(period, self.now + period)
        self._clocks_changed()
        self.edge(f"{task.subsystem}/StartTrigger", True)

    def drop(self, task: Task) -> None:
        """Take a stopped task off the clocks; its outputs hold their last value."""
        if task in self.tasks:
            self.tasks.remove(task)
            self._silence(task.subsystem)
            self._paused.discard(task.subsystem)

    def edge(self, signal: str, rising: bool) -> None:
        """A digital signal changed: start what waits for it, gate what it pauses."""
        self._update_pauses()
        for task in [t for t in self.tasks if t.armed]:
            if self._start_signal(task) == signal and (
                task.start.rising == rising or signal.endswith("StartTrigger")
            ):
                self.trigger(task)

    def _start_signal(self, task: Task) -> str:
        if task.start.kind == ANALOG_EDGE:
            return COMPARATOR
        return self.signal(task.start.digital_source)

    def signal(self, source: str) -> str:
        """The signal that reaches a digital trigger's source terminal."""
        terminal = self.board.terminal(source)
        return self._routes.get(terminal) or self.board.pin_line(terminal) or terminal

    def _level(self, source: str) -> bool:
        signal = self.signal(source)
        if signal == COMPARATOR:
            return self.comparator is not None and self.comparator.is_high
        return self.lines.get(signal, False)

    def set_line(self, line: str, high: bool) -> None:
        """Drive a digital line."""
        changed = self.lines[line] != high
        self.lines[line] = high
        if line in self.harness.switches:
            self.plant.set_line(self.harness.switches[line], high)
        if changed:
            self.edge(line, high)

    def _look(self) -> bool:
        """Let the comparator see the present outputs; True if it flipped."""
        comparator = self.comparator
        if comparator is None or comparator.output is None:
            return False
        return comparator.look(float(self.sensed[comparator.output]))

    def _update_pauses(self) -> None:
        for task in self.tasks:
            pause = task.pause
            if pause.kind == ANALOG_LEVEL and self.comparator:
                task.paused = self.comparator.is_high == pause.when_high
            elif pause.kind == DIGITAL_LEVEL:
                task.paused = self._level(pause.digital_source) == pause.when_high
            else:
                task.paused = False
        self._paused = {task.subsystem for task in self.tasks if task.paused}
