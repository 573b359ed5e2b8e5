"""NI's attribute numbers, and where the card keeps what they name.

The numbers are those of NI's public header; a number that is not here answers as an attribute
the device does not support.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from nidaqmx.constants import (
    ActiveLevel,
    Edge,
    Level,
    OverwriteMode,
    ReadRelativeTo,
    RegenerationMode,
    SampleTimingType,
    Signal,
    Slope,
    TriggerType,
    WriteRelativeTo,
)

from simulators.instruments.nidaqmx.ai import default_buffer
from simulators.instruments.nidaqmx.card import Card
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.names import flatten
from simulators.instruments.nidaqmx.task import Task

Getter = Callable[[Card, Task], Any]
Setter = Callable[[Card, Task, Any], None]


@dataclass(frozen=True)
class Attribute:
    """How to read, and perhaps to set and reset, one attribute of a task."""

    get: Getter
    set: Setter | None = None
    default: Any = None


def stored(path: str, *choices: int, live: bool = False) -> Attribute:
    """An attribute kept at `path` of the task; `live` may be set while the task runs."""
    *parents, name = path.split(".")

    def get(_: Card, task: Task) -> Any:
        return getattr(reduce(getattr, parents, task), name)

    def put(_: Card, task: Task, value: Any) -> None:
        if not live:
            task.forbid_running(Code.CANNOT_SET_PROPERTY_WHEN_TASK_RUNNING)
        if choices and value not in choices:
            raise CardError(
                Code.INVALID_ATTRIBUTE_VALUE,
                f"Requested Value: {value}",
                f"Possible Values: {flatten(map(str, choices))}",
                f"Task Name: {task.name}",
            )
        setattr(reduce(getattr, parents, task), name, value)

    return Attribute(get, put, get(None, Task("")))  # pyright: ignore[reportArgumentType]


def computed(get: Getter) -> Attribute:
    """An attribute that can only be read."""
    return Attribute(get)


def values(*members: Any) -> tuple[int, ...]:
    """The numbers of enum members or of all members of enums."""
    return tuple(
        v for m in members for v in ([m.value] if hasattr(m, "value") else [x.value for x in m])
    )


def polled(get: Getter) -> Attribute:
    """A count a program polls while the task runs, which costs a call."""

    def wrapped(card: Card, task: Task) -> Any:
        card.pacing.poll()
        if task.fault:
            raise CardError(task.fault, f"Task Name: {task.name}")
        return get(card, task)

    return Attribute(wrapped)


def _set_rate(_: Card, task: Task, value: float) -> None:
    task.forbid_running(Code.CANNOT_SET_PROPERTY_WHEN_TASK_RUNNING)
    if value <= 0:
        raise CardError(Code.INVALID_ATTRIBUTE_VALUE, f"Requested Value: {value}")
    task.timing.rate = value


def _clock_terminal(card: Card, task: Task) -> str:
    source = task.timing.source
    own = source.lower() in {"", "onboardclock"}
    terminal = f"{task.subsystem}/SampleClock" if own else card.board.terminal(source)
    return f"/{card.board.device}/{terminal}"


def _input_size(_: Card, task: Task) -> int:
    return task.input.size or (default_buffer(task.timing) if task.timing.hardware else 0)


TRIG = {
    0x1393: stored(
        "start.kind",
        *values(TriggerType.NONE, TriggerType.DIGITAL_EDGE, TriggerType.ANALOG_EDGE),
    ),
    0x1395: stored("start.analog_hysteresis"),
    0x1396: stored("start.analog_level"),
    0x1397: stored("start.analog_slope", *values(Slope)),
    0x1398: stored("start.analog_source"),
    0x1404: stored("start.digital_edge", *values(Edge)),
    0x1407: stored("start.digital_source"),
    0x190F: stored("start.retriggerable"),
    0x2F1E: computed(lambda card, task: f"/{card.board.device}/{task.subsystem}/StartTrigger"),
    0x1366: stored(
        "pause.kind",
        *values(TriggerType.NONE, TriggerType.DIGITAL_LEVEL, TriggerType.ANALOG_LEVEL),
    ),
    0x1368: stored("pause.analog_hysteresis"),
    0x1369: stored("pause.analog_level"),
    0x1370: stored("pause.analog_source"),
    0x1371: stored("pause.analog_when", *values(ActiveLevel)),
    0x1379: stored("pause.digital_source"),
    0x1380: stored("pause.digital_when", *values(Level.HIGH, Level.LOW)),
    0x2F20: computed(lambda card, task: f"/{card.board.device}/{task.subsystem}/PauseTrigger"),
    0x1419: computed(lambda card, task: TriggerType.NONE.value),
}

TIMING = {
    0x1300: stored("timing.mode"),
    0x1301: stored("timing.edge", *values(Edge)),
    0x1310: stored("timing.samples"),
    0x1344: Attribute(lambda card, task: task.timing.coerced_rate, _set_rate, 1000.0),
    0x1347: stored(
        "timing.kind", *values(SampleTimingType.SAMPLE_CLOCK, SampleTimingType.ON_DEMAND)
    ),
    0x1852: stored("timing.source"),
    0x22C8: computed(
        lambda card, task: card.board.rate_limit(task.subsystem, max(1, len(task.channels)))
    ),
    0x2F1B: computed(_clock_terminal),
    0x1303: computed(lambda card, task: 1e8),
    0x1308: computed(lambda card, task: f"/{card.board.device}/100MHzTimebase"),
    0x18EB: computed(lambda card, task: task.timing.period),
}

READ = {
    0x1211: stored("input.overwrite", *values(OverwriteMode)),
    0x1215: stored("input.read_all_available", live=True),
    0x1221: computed(lambda card, task: task.input.position),
    0x1223: polled(lambda card, task: task.input.available),
    0x1823: computed(lambda card, task: flatten(c.name for c in task.channels)),
    0x1826: stored("input.auto_start", live=True),
    0x190A: stored(
        "input.relative_to",
        *values(
            ReadRelativeTo.FIRST_SAMPLE,
            ReadRelativeTo.CURRENT_READ_POSITION,
            ReadRelativeTo.MOST_RECENT_SAMPLE,
        ),
        live=True,
    ),
    0x190B: stored("input.offset", live=True),
    0x192A: polled(lambda card, task: task.input.acquired),
    0x217A: computed(lambda card, task: 2),
    0x217B: computed(lambda card, task: len(task.channels)),
    0x217C: computed(lambda card, task: max((len(c.lines) for c in task.lines), default=0)),
    0x31E8: polled(lambda card, task: card.default_read(task)),
    0x2174: computed(lambda card, task: False),
}

WRITE = {
    0x1453: stored("output.regeneration", *values(RegenerationMode)),
    0x1458: polled(lambda card, task: task.output.written),
    0x1460: polled(lambda card, task: task.output.room),
    0x190C: stored("output.relative_to", *values(WriteRelativeTo), live=True),
    0x190D: stored("output.offset", 0, live=True),
    0x192B: polled(lambda card, task: task.output.total),
    0x217D: computed(lambda card, task: 2),
    0x217E: computed(lambda card, task: len(task.channels)),
    0x217F: computed(lambda card, task: max((len(c.lines) for c in task.lines), default=0)),
}

BUFFER = {
    0x186C: Attribute(_input_size, stored("input.size").set, 0),
    0x186D: Attribute(
        lambda card, task: task.output.size or task.output.loop, stored("output.size").set, 0
    ),
    0x230A: computed(lambda card, task: 4095),
    0x230B: computed(lambda card, task: 8191),
}

TASK = {
    0x1273: computed(lambda card, task: flatten(c.name for c in task.channels)),
    0x1276: computed(lambda card, task: task.name),
    0x2181: computed(lambda card, task: len(task.channels)),
    0x230E: computed(lambda card, task: card.board.device if task.channels else ""),
    0x29BA: computed(lambda card, task: int(bool(task.channels))),
}

EXPORTS = {0x1663: Signal.SAMPLE_CLOCK.value, 0x0584: Signal.START_TRIGGER.value}
"""Exported-signal attribute -> signal."""

TABLES = {
    "Trig": TRIG,
    "Timing": TIMING,
    "TimingEx": TIMING,
    "Read": READ,
    "Write": WRITE,
    "Buffer": BUFFER,
    "Task": TASK,
}


def find(family: str, number: int, task: Task) -> Attribute:
    """The attribute, or NI's error for one that does not apply."""
    if attribute := TABLES[family].get(number):
        return attribute
    raise CardError(
        Code.ATTRIBUTE_NOT_SUPPORTED_IN_TASK_CONTEXT,
        f"Property: 0x{number:04X}",
        f"Task Name: {task.name}",
    )
