"""Sweeps, loops and the trigger model: `:SOURce:SWEep`, `:INITiate`, `:ABORt`, `:TRIGger`."""

from collections.abc import Callable, Iterator
from functools import partial
from math import ceil, copysign, log10
from typing import TYPE_CHECKING, Any

from simulators.instruments.keithley.commands.parameters import BUFFER, FUNCTIONS, level_of
from simulators.instruments.keithley.models import Function, Model
from simulators.instruments.keithley.trigger import Plan
from simulators.instruments.scpi import (
    Choice,
    Command,
    Flag,
    Kind,
    Maybe,
    Real,
    ScpiError,
    Text,
    Whole,
)

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu

_POINTS = Whole(2, 1_000_000)
_DELAY = Real(50e-6, 1e4, 0.0, "S", also=(-1.0, 0.0))
_PASSES = Whole(0, 268_435_455)
_RANGING = Choice("AUTO", "BEST", "FIXed")
_TAIL: tuple[Kind, ...] = (
    Maybe(_DELAY, -1.0),
    Maybe(_PASSES, 1),
    Maybe(_RANGING, "BEST"),
    Maybe(Flag(), True),
    Maybe(Flag(), False),
    BUFFER,
)
"""What follows start, stop and points: delay, passes, ranging, abort on limit, dual, buffer."""

Levels = Callable[[float, float, float], tuple[float, ...]]


def commands(model: Model) -> Iterator[Command]:
    """All of them."""
    for function, pattern in FUNCTIONS:
        level = level_of(function, model.quantity(function))
        path = f":SOURce[1]:SWEep:{pattern}"
        step = Real(1e-30, 2 * level.high, unit=level.unit)
        for word, third, levels in (
            ("LINear", _POINTS, linear),
            ("LINear:STEP", step, stepped),
            ("LOG", _POINTS, logarithmic),
        ):
            build = partial(_sweep, word=word, function=function, levels=levels)
            yield Command(f"{path}:{word}", build, takes=(level, level, third, *_TAIL), idle=True)
        yield Command(
            f"{path}:LIST",
            partial(_list, function=function),
            takes=(
                Maybe(Whole(1, 2500), 1),
                Maybe(_DELAY, 0.0),
                Maybe(_PASSES, 1),
                Maybe(Flag(), True),
                BUFFER,
                Maybe(Text()),
            ),
            idle=True,
        )
    yield Command(":INITiate[:IMMediate]", lambda smu: smu.initiate())
    yield Command(":ABORt", lambda smu: smu.abort())
    yield Command(":TRIGger:STATe", ask=_state)
    yield Command(
        ":TRIGger:LOAD",
        _load,
        takes=(Text(), Maybe(Real(0.0, 1e9)), Maybe(_DELAY, 0.0), BUFFER),
        idle=True,
    )


def linear(start: float, stop: float, points: float) -> tuple[float, ...]:
    """So many levels at equal distances."""
    step = (stop - start) / (points - 1)
    return tuple(start + index * step for index in range(int(points)))


def stepped(start: float, stop: float, step: float) -> tuple[float, ...]:
    """Levels a step apart, not beyond the stop."""
    count = int(abs(stop - start) / step * (1 + 1e-9))
    if count > 1_000_000:
        raise ScpiError(-222, "too many steps")
    return tuple(start + index * copysign(step, stop - start) for index in range(count + 1))


def logarithmic(start: float, stop: float, points: float) -> tuple[float, ...]:
    """So many levels at equal ratios; both ends have one sign."""
    if start * stop <= 0:
        raise ScpiError(-221, "a logarithmic sweep does not reach zero")
    ratio = log10(stop / start) / (points - 1)
    return tuple(start * 10 ** (index * ratio) for index in range(int(points)))


def _sweep(
    smu: "Smu",
    start: float,
    stop: float,
    third: float,
    *tail: Any,
    word: str,
    function: Function,
    levels: Levels,
) -> None:
    delay, passes, ranging, abort, dual, buffer = tail
    going = levels(start, stop, third)
    smu.triggers.load(
        Plan(
            word,
            function,
            going + going[-2::-1] if dual else going,
            delay,
            passes,
            abort_on_limit=abort,
            buffer=smu.buffers[buffer].name,
            ranging=ranging,
        )
    )


def _list(smu: "Smu", first: int, *tail: Any, function: Function) -> None:
    delay, passes, abort, buffer, name = tail
    points = smu.settings.sources[function].points
    if first > len(points):
        raise ScpiError(-222, "the list is shorter")
    if name not in (None, f"{function.capitalize()}CustomSweepList"):
        raise ScpiError(-224, "there is no such configuration list")
    smu.triggers.load(
        Plan(
            "LIST",
            function,
            tuple(points[first - 1 :]),
            delay,
            passes,
            abort_on_limit=abort,
            buffer=smu.buffers[buffer].name,
        )
    )


def _load(smu: "Smu", model: str, amount: float | None, delay: float, buffer: str) -> None:
    if model.upper() == "EMPTY":
        smu.triggers.load(None)
        return
    if model.upper() not in ("SIMPLELOOP", "DURATIONLOOP"):
        raise ScpiError(-224, "there is no such trigger model")
    if amount is None:
        raise ScpiError(-109)
    counted = model.upper() == "SIMPLELOOP"
    smu.triggers.load(
        Plan(
            model,
            delay=delay,
            readings=max(1, ceil(amount)) if counted else 1,
            duration=None if counted else amount,
            buffer=smu.buffers[buffer].name,
            clears=True,
        )
    )


def _state(smu: "Smu") -> str:
    state = smu.triggers.state
    return f"{state};{state};{smu.triggers.points}"
