"""Which task holds which resource of the board."""

from nidaqmx.constants import TriggerType

from simulators.instruments.nidaqmx.board import Board
from simulators.instruments.nidaqmx.engine import Engine
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.names import on_device
from simulators.instruments.nidaqmx.task import AI, AO, DI, DO, Task
from simulators.instruments.nidaqmx.triggers import (
    Comparator,
    PauseTrigger,
    StartTrigger,
    band,
    initial_state,
)

ANALOG = {TriggerType.ANALOG_EDGE.value, TriggerType.ANALOG_LEVEL.value}

Setting = tuple[str, float, float]
"""Source, low and high threshold (volts) of the comparator."""


class Reservations:
    """One AI task, one hardware-timed AO task, each AO channel and line once, one comparator."""

    def __init__(self, board: Board, engine: Engine) -> None:
        self.board = board
        self.engine = engine
        self.holders: dict[str, Task] = {}
        self.comparing: dict[str, Setting] = {}
        """Task name -> the comparator setting it holds."""

    def needs(self, task: Task) -> list[str]:
        """Names of the resources a task needs."""
        if task.kind == AI:
            return ["ai"]
        if task.kind == AO:
            timed = ["ao/SampleClock"] if task.timing.hardware else []
            return [*timed, *(c.physical for c in task.outputs)]
        if task.kind in {DI, DO}:
            return [line for c in task.lines for line in c.lines] if task.kind == DO else []
        return []

    def claim(self, task: Task) -> None:
        """Give the task all it needs, or nothing and an error."""
        needs = self.needs(task)
        for name in needs:
            holder = self.holders.get(name)
            if holder is not None and holder is not task:
                code = (
                    Code.DIG_LINES_RESERVED_OR_UNAVAILABLE
                    if task.kind == DO
                    else Code.PAL_RESOURCE_RESERVED
                )
                raise CardError(code, f"Resource: {name}", f"Task Name: {task.name}")
        setting = self._setting(task)
        others = [s for name, s in self.comparing.items() if name != task.name]
        if setting and any(s != setting for s in others):
            raise CardError(
                Code.PAL_RESOURCE_RESERVED, "Resource: analog trigger", f"Task Name: {task.name}"
            )
        self.holders.update(dict.fromkeys(needs, task))
        if setting:
            self.comparing[task.name] = setting

    def release(self, task: Task) -> None:
        """Take back everything the task holds."""
        self.holders = {name: t for name, t in self.holders.items() if t is not task}
        if self.comparing.pop(task.name, None) and not self.comparing:
            self.engine.comparator = None

    def analog_triggers(self, task: Task) -> list[StartTrigger | PauseTrigger]:
        """The task's analog triggers, their sources checked."""
        triggers = [t for t in (task.start, task.pause) if t.kind in ANALOG]
        for trigger in triggers:
            self._source(task, trigger)
        return triggers

    def wake_comparator(self, task: Task) -> None:
        """Set up the comparator for a task that starts, unless another one runs it already."""
        setting = self.comparing.get(task.name)
        if setting is None or (self.engine.comparator and len(self.comparing) > 1):
            return
        source, low, high = setting
        column = self.engine.harness.sense(source)
        volts = 0.0 if column is None else float(self.engine.sensed[column])
        state = initial_state(self.analog_triggers(task)[0], volts)
        self.engine.comparator = Comparator(source, column, low, high, state)

    def _setting(self, task: Task) -> Setting | None:
        settings = {(self._source(task, t), *band(t)) for t in self.analog_triggers(task)}
        if len(settings) > 1:
            raise CardError(
                Code.PAL_RESOURCE_RESERVED, "Resource: analog trigger", f"Task Name: {task.name}"
            )
        return next(iter(settings), None)

    def _source(self, task: Task, trigger: StartTrigger | PauseTrigger) -> str:
        """The analog terminal or AI channel that the comparator looks at."""
        name = trigger.analog_source
        first = task.inputs[0] if task.inputs else None
        if first and name in {first.name, first.physical, f"{self.board.device}/{first.physical}"}:
            if isinstance(trigger, PauseTrigger) and len(task.inputs) > 1:
                raise CardError(
                    Code.TOO_MANY_CHANS_FOR_ANALOG_PAUSE_TRIG, f"Task Name: {task.name}"
                )
            return first.physical
        bare = on_device(name, self.board.device) if "/" in name else name
        if bare.upper() in self.board.analog_terminals:
            return bare.upper()
        raise CardError(
            Code.INVALID_ANALOG_TRIG_SRC, f"Source Specified: {name}", f"Task Name: {task.name}"
        )
