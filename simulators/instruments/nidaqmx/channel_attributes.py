"""Attributes of virtual channels, as NI numbers them."""

from collections.abc import Callable
from typing import Any

from nidaqmx.constants import (
    AOIdleOutputBehavior,
    Coupling,
    ResolutionType,
    TerminalConfiguration,
    UsageTypeAI,
    VoltageUnits,
)

from simulators.instruments.nidaqmx.ai import AnalogInput
from simulators.instruments.nidaqmx.ao import AnalogOutput
from simulators.instruments.nidaqmx.card import Card
from simulators.instruments.nidaqmx.dio import DigitalChannel
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.names import expand, flatten
from simulators.instruments.nidaqmx.task import AI, AO, Task

AnyChannel = AnalogInput | AnalogOutput | DigitalChannel

AI_CHANNEL: dict[int, Callable[[AnalogInput], Any]] = {
    0x17DD: lambda c: c.maximum,
    0x17DE: lambda c: c.minimum,
    0x1815: lambda c: c.full_scale,
    0x1816: lambda c: -c.full_scale,
    0x1097: lambda c: c.terminal,
    0x0695: lambda c: UsageTypeAI.VOLTAGE.value,
    0x1094: lambda c: VoltageUnits.VOLTS.value,
    0x1765: lambda c: 16.0,
    0x1764: lambda c: ResolutionType.BITS.value,
    0x0064: lambda c: Coupling.DC.value,
}
AO_CHANNEL: dict[int, Callable[[AnalogOutput], Any]] = {
    0x1186: lambda c: c.maximum,
    0x1187: lambda c: c.minimum,
    0x182D: lambda c: -c.full_scale,
    0x182E: lambda c: c.full_scale,
    0x1184: lambda c: VoltageUnits.VOLTS.value,
    0x1108: lambda c: UsageTypeAI.VOLTAGE.value,
    0x188E: lambda c: TerminalConfiguration.RSE.value,
    0x2240: lambda c: AOIdleOutputBehavior.MAINTAIN_EXISTING_VALUE.value,
}
LINE_CHANNEL: dict[int, Callable[[DigitalChannel], Any]] = {
    0x2178: lambda c: len(c.lines),
    0x2179: lambda c: len(c.lines),
}


def channel_attribute(card: Card, task: Task, names: str, number: int) -> Any:
    """An attribute of the first of the channels named; all of the task's if none is."""
    channel = _named(card, task, names)[0]
    if number == 0x187F:
        return task.kind
    if number == 0x2304:
        return False
    if number == 0x1926:
        return ""
    if number == 0x18F5:
        return flatten(_physical(card, channel))
    table: Any = {AnalogInput: AI_CHANNEL, AnalogOutput: AO_CHANNEL}.get(
        type(channel), LINE_CHANNEL
    )
    if number not in table:
        raise CardError(
            Code.ATTRIBUTE_NOT_SUPPORTED_IN_TASK_CONTEXT,
            f"Property: 0x{number:04X}",
            f"Channel Name: {names}",
            f"Task Name: {task.name}",
        )
    return table[number](channel)


def set_channel_attribute(card: Card, task: Task, names: str, number: int, value: Any) -> None:
    """Change limits or terminal configuration of channels."""
    task.forbid_running(Code.CANNOT_SET_PROPERTY_WHEN_TASK_RUNNING)
    fields = {
        AI: {0x17DD: "maximum", 0x17DE: "minimum", 0x1097: "terminal"},
        AO: {0x1186: "maximum", 0x1187: "minimum"},
    }.get(task.kind or 0, {})
    if number not in fields:
        raise CardError(
            Code.ATTRIBUTE_NOT_SUPPORTED_IN_TASK_CONTEXT,
            f"Property: 0x{number:04X}",
            f"Task Name: {task.name}",
        )
    for channel in _named(card, task, names):
        setattr(channel, fields[number], value)


def _named(card: Card, task: Task, names: str) -> list[AnyChannel]:
    """Channels of a task by their own or their physical names; all of them if none is given."""
    wanted = set(expand(names))
    own = [c for c in task.channels if c.name in wanted]
    found = own or [c for c in task.channels if wanted.issuperset(_physical(card, c))]
    if not wanted:
        found = list(task.channels)
    known = {n for c in found for n in (c.name, *_physical(card, c))}
    if not found or not wanted <= known:
        raise CardError(Code.CHAN_NOT_IN_TASK, f"Channel Name: {names}", f"Task Name: {task.name}")
    return found


def _physical(card: Card, channel: AnyChannel) -> list[str]:
    """Physical names of a channel."""
    names = channel.lines if isinstance(channel, DigitalChannel) else (channel.physical,)
    return [f"{card.board.device}/{name}" for name in names]
