"""`:TRIGger:BLOCk` and `:TRIGger:TIMer`: a trigger model of the client's own."""

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.instruments.keithley import blocks
from simulators.instruments.keithley.blocks import LISTS, MOST_BLOCKS, Act, Block, Blocks
from simulators.instruments.keithley.commands.parameters import BUFFER
from simulators.instruments.keithley.models import Model
from simulators.instruments.scpi import Choice, Command, Flag, Maybe, Real, ScpiError, Text, Whole
from simulators.instruments.scpi.tree import setting

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu

_PATH = ":TRIGger:BLOCk"
_NUMBER = Whole(1, MOST_BLOCKS)
_TARGET = Whole(0, MOST_BLOCKS)
_COUNT = Whole(1, 1_048_575, 1)
_EVENT = Choice(
    "NONE",
    "DISPlay",
    "COMMand",
    "SLIMit",
    also={f"{word}{n}": f"NOT{n}" for n in range(1, 9) for word in ("NOT", "NOTIFY")}
    | {f"{word}{n}": f"TIM{n}" for n in range(1, 5) for word in ("TIM", "TIMER")},
)
_DELAY = Real(167e-9, 1e4, 0.0, "S", also=(0.0,))


def commands(model: Model) -> Iterator[Command]:
    """All of them."""
    yield _block("BUFFer:CLEar", _clear, BUFFER)
    yield _block("SOURce:STATe", _switch, Flag())
    yield _block("DELay:CONStant", _delay, _DELAY)
    for word in ("MEASure", "MDIGitize"):
        yield _block(word, _measure, BUFFER, Maybe(_COUNT, 1))
    yield _block("BRANch:COUNter", _branch, _COUNT, _TARGET)
    yield _block("BRANch:ALWays", _jump, _TARGET)
    yield _block("NOTify", _notify, Whole(1, 8))
    yield _block("WAIT", _wait, _EVENT, Maybe(Choice("ENTer", "NEVer"), "NEV"))
    yield _block("CONFig:RECall", _recall, Text(), Maybe(Whole(1, 2500), 1))
    yield _block("CONFig:NEXT", _next, Text())
    yield _block("NOP", _nothing)
    yield Command(f"{_PATH}:LIST", ask=lambda smu: str(_present(smu)))
    yield from _timers()


def _block(words: str, make: Any, *takes: Any) -> Command:
    return Command(f"{_PATH}:{words}", make, takes=(_NUMBER, *takes), idle=True)


def _present(smu: "Smu") -> Blocks:
    plan = smu.triggers.plan
    return plan if isinstance(plan, Blocks) else Blocks()


def _put(smu: "Smu", number: int, text: str, act: Act, buffer: str | None = None) -> None:
    smu.triggers.load(_present(smu).put(number, Block(text, act), buffer), "BUILDING")


def _clear(smu: "Smu", number: int, buffer: str) -> None:
    name = smu.buffers[buffer].name
    _put(smu, number, f"BUFFER_CLEAR BUFFER: {name}", blocks.clear(name))


def _switch(smu: "Smu", number: int, on: bool) -> None:
    _put(smu, number, f"SOURCE_OUTPUT OUTPUT: {'ON' if on else 'OFF'}", blocks.switch(on))


def _delay(smu: "Smu", number: int, seconds: float) -> None:
    _put(smu, number, f"DELAY_CONSTANT DELAY: {seconds:.9f}", blocks.delay(seconds))


def _measure(smu: "Smu", number: int, buffer: str, count: int) -> None:
    name = smu.buffers[buffer].name
    text = f"MEASURE BUFFER: {name} COUNT: {count}"
    _put(smu, number, text, blocks.measure(name, count), name)


def _branch(smu: "Smu", number: int, count: int, target: int) -> None:
    text = f"BRANCH_COUNTER VALUE: {count} BRANCH_BLOCK: {target}"
    _put(smu, number, text, blocks.branch(number, count, target))


def _jump(smu: "Smu", number: int, target: int) -> None:
    _put(smu, number, f"BRANCH_ALWAYS BRANCH_BLOCK: {target}", blocks.jump(target))


def _notify(smu: "Smu", number: int, event: int) -> None:
    _put(smu, number, f"NOTIFY NOTIFY: {event}", blocks.notify(event))


def _wait(smu: "Smu", number: int, event: str, how: str) -> None:
    _put(smu, number, f"WAIT EVENT: {event} CLEAR: {how}", blocks.wait(event, how == "ENT"))


def _recall(smu: "Smu", number: int, name: str, index: int) -> None:
    _check_list(smu, name, index)
    text = f"CONFIG_RECALL CONFIG_LIST: {name} INDEX: {index}"
    _put(smu, number, text, blocks.recall(name, index))


def _next(smu: "Smu", number: int, name: str) -> None:
    _check_list(smu, name, 1)
    _put(smu, number, f"CONFIG_NEXT CONFIG_LIST: {name}", blocks.recall(name, None))


def _nothing(smu: "Smu", number: int) -> None:
    _put(smu, number, "NO_OPERATION", lambda smu, progress: None)


def _check_list(smu: "Smu", name: str, index: int) -> None:
    if name not in LISTS or len(smu.settings.sources[LISTS[name]].points) < index:
        raise ScpiError(2790)


def _timers() -> Iterator[Command]:
    path = ":TRIGger:TIMer<n>"
    for words, kind, name in (
        ("DELay", Real(8e-6, 1e5, 10e-6, "S"), "delay"),
        ("COUNt", Whole(0, 1_048_575, 1), "count"),
        ("STARt:STIMulus", _EVENT, "stimulus"),
        ("STARt:GENerate", Flag(), "immediate"),
        ("STATe", Flag(), "enabled"),
    ):
        do, get = partial(_set_timer, name=name), partial(_get_timer, name=name)
        yield setting(f"{path}:{words}", kind, do, get)
    yield Command(f"{path}:CLEar", lambda smu, number: None)


def _set_timer(smu: "Smu", number: int, value: Any, *, name: str) -> None:
    timer = smu.timers[_timer(number)]
    setattr(timer, name, value)
    timer.started = None


def _get_timer(smu: "Smu", number: int, *, name: str) -> Any:
    return getattr(smu.timers[_timer(number)], name)


def _timer(number: int) -> str:
    name = f"TIM{number}"
    if not re.fullmatch("TIM[1-4]", name):
        raise ScpiError(-114)
    return name
