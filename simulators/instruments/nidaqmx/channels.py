"""Creates virtual channels from NI's physical channel strings."""

from typing import Any

from nidaqmx.constants import TerminalConfiguration

from simulators.instruments.nidaqmx import ai, ao
from simulators.instruments.nidaqmx.board import Board, check_limits
from simulators.instruments.nidaqmx.dio import DigitalChannel
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.names import expand, on_device
from simulators.instruments.nidaqmx.rpc import choice
from simulators.instruments.nidaqmx.task import AI, AO, DI, DO, Task


def add_inputs(board: Board, task: Task, request: Any) -> None:
    """AI voltage channels."""
    found = _physical(board, request.physical_channel, (*board.ai, *board.internal))
    names = _names(board, found, request.name_to_assign_to_channel)
    check_limits(request.min_val, request.max_val, ai.RANGES[-1], "AI", ", ".join(names))
    terminal = choice(request, "terminal_config")
    if terminal == TerminalConfiguration.DEFAULT.value:
        terminal = TerminalConfiguration.DIFF.value
    limits = request.min_val, request.max_val
    new = [ai.AnalogInput(n, p, *limits, terminal) for n, p in zip(names, found, strict=True)]
    task.add(AI, new)


def add_outputs(board: Board, task: Task, request: Any) -> None:
    """AO voltage channels."""
    found = _physical(board, request.physical_channel, board.ao)
    names = _names(board, found, request.name_to_assign_to_channel)
    check_limits(request.min_val, request.max_val, ao.RANGES[-1], "AO", ", ".join(names))
    limits = request.min_val, request.max_val
    task.add(AO, [ao.AnalogOutput(n, p, *limits) for n, p in zip(names, found, strict=True)])


def add_lines(board: Board, task: Task, request: Any, output: bool, together: bool) -> None:
    """Digital channels: one of all lines, or one of each."""
    names: list[str] = []
    for name in _physical(board, request.lines, (*board.lines, *board.port_names)):
        names += (
            [f"{name}/line{k}" for k in range(board.ports[int(name[4:])])]
            if "/" not in name
            else [name]
        )
    assigned = request.name_to_assign_to_lines
    if together:
        dots = "..." if len(names) > 1 else ""  # NI's way to name a channel of many lines
        new = [DigitalChannel(assigned or f"{board.device}/{names[0]}{dots}", tuple(names))]
    else:
        titles = _names(board, names, assigned)
        new = [DigitalChannel(t, (n,)) for t, n in zip(titles, names, strict=True)]
    task.add(DO if output else DI, new)


def _physical(board: Board, text: str, known: tuple[str, ...]) -> list[str]:
    """Physical channels without the device, spelt as the board spells them."""
    spelling = {k.lower(): k for k in known}
    found: list[str] = []
    for name in expand(text):
        local = on_device(name, board.device).lower()
        if local not in spelling:
            raise CardError(
                Code.PHYSICAL_CHAN_DOES_NOT_EXIST,
                f"Device: {board.device}",
                f"Physical Channel Name: {local}",
            )
        found.append(spelling[local])
    if not found:
        raise CardError(Code.PHYSICAL_CHAN_DOES_NOT_EXIST, f"Physical Channel Name: {text}")
    return found


def _names(board: Board, physical: list[str], assigned: str) -> list[str]:
    """Names of virtual channels: the physical ones, the one given, or the one given numbered."""
    if not assigned:
        return [f"{board.device}/{p}" for p in physical]
    listed = [n.strip() for n in assigned.split(",")]
    if len(listed) == len(physical):
        return listed
    return [f"{assigned}{k}" for k in range(len(physical))]
