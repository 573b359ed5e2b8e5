"""`:SOURce`: function, level, limit, range, delays, lists."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from simulators.instruments.keithley.commands.parameters import (
    FUNCTIONS,
    UNITS,
    level_of,
    range_of,
)
from simulators.instruments.keithley.models import OVERRANGE, Function, Model
from simulators.instruments.keithley.settings import OTHER, Source
from simulators.instruments.scpi import (
    Choice,
    Command,
    Flag,
    Many,
    Real,
    ScpiError,
    Whole,
)
from simulators.instruments.scpi.tree import attribute, setting

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu

LONGEST_LIST = 2500
"""Points of a source list; 100 of them at a time."""

_LIMITS = {"VOLT": "ILIMit", "CURR": "VLIMit"}


def commands(model: Model) -> Iterator[Command]:
    """All of the subsystem."""
    yield setting(
        ":SOURce[1]:FUNCtion[:MODE]",
        Choice("VOLTage", "CURRent", also={"VOLTage:DC": "VOLT", "CURRent:DC": "CURR"}),
        _set_function,
        lambda smu: smu.settings.source_function,
    )
    protections = (f"PROT{level}" for level in model.protections)
    yield attribute(
        ":SOURce[1]:VOLTage[:DC]:PROTection[:LEVel]",
        Choice("NONE", *protections),
        lambda smu: smu.settings,
        "protection",
        after=lambda smu: smu.apply(),
    )
    yield Command(
        ":SOURce[1]:VOLTage[:DC]:PROTection[:LEVel]:TRIPped",
        ask=lambda smu: Flag().write(smu.protecting),
    )
    for function, pattern in FUNCTIONS:
        yield from _levels(model, function, f":SOURce[1]:{pattern}")
        yield from _delays(function, f":SOURce[1]:{pattern}")
        yield from _lists(model, function, pattern)


def _levels(model: Model, function: Function, path: str) -> Iterator[Command]:
    quantity, limited = model.quantity(function), model.quantity(OTHER[function])
    of = partial(_source, function=function)
    limit = f"{path}:{_LIMITS[function]}[:LEVel]"
    yield setting(
        f"{path}[:LEVel][:IMMediate][:AMPLitude]",
        level_of(function, quantity),
        partial(_set_level, function=function),
        lambda smu: of(smu).level,
    )
    yield setting(
        limit,
        Real(limited.least_limit, limited.top, limited.default_limit, UNITS[OTHER[function]]),
        partial(_set_limit, function=function),
        lambda smu: of(smu).limit,
    )
    yield Command(f"{limit}:TRIPped", ask=partial(_is_tripped, function=function))
    yield setting(
        f"{path}:RANGe",
        range_of(function, quantity, quantity.ranges[0]),
        partial(_set_range, function=function),
        lambda smu: of(smu).range,
    )
    yield attribute(f"{path}:RANGe:AUTO", Flag(), of, "auto_range", after=_follow_level)
    yield attribute(f"{path}:READ:BACK", Flag(), of, "read_back")
    yield attribute(f"{path}:HIGH:CAPacitance", Flag(), of, "high_capacitance")


def _delays(function: Function, path: str) -> Iterator[Command]:
    of = partial(_source, function=function)
    delay = Real(0.0, 1e4, 0.0, "S")

    def set_delay(smu: "Smu", value: float) -> None:
        of(smu).delay, of(smu).auto_delay = value, False

    def set_user(smu: "Smu", number: int, value: float) -> None:
        of(smu).user_delays[_user(number)] = value

    yield setting(f"{path}:DELay", delay, set_delay, lambda smu: of(smu).delay)
    yield attribute(f"{path}:DELay:AUTO", Flag(), of, "auto_delay")
    yield setting(
        f"{path}:DELay:USER<n>",
        delay,
        set_user,
        lambda smu, number: of(smu).user_delays[_user(number)],
    )


def _lists(model: Model, function: Function, pattern: str) -> Iterator[Command]:
    path = f":SOURce[1]:LIST:{pattern}"
    levels = (Many(level_of(function, model.quantity(function)), least=1, most=100),)
    of = partial(_source, function=function)

    def replace(smu: "Smu", points: tuple[float, ...]) -> None:
        of(smu).points = list(points)

    def append(smu: "Smu", points: tuple[float, ...]) -> None:
        if len(of(smu).points) + len(points) > LONGEST_LIST:
            raise ScpiError(-222, f"a list has at most {LONGEST_LIST} points")
        of(smu).points += points

    def show(smu: "Smu") -> str:
        return ",".join(f"{point:.6E}" for point in of(smu).points)

    yield Command(path, replace, show, takes=levels, idle=True)
    yield Command(f"{path}:APPend", append, takes=levels, idle=True)
    yield Command(f"{path}:POINts", ask=lambda smu: Whole(0, 0).write(len(of(smu).points)))


def _source(smu: "Smu", function: str) -> Source:
    return smu.settings.sources[function]


def _set_function(smu: "Smu", function: Function) -> None:
    if function != smu.settings.source_function:
        smu.switch(False)
        smu.settings.source_function = function


def _set_level(smu: "Smu", level: float, *, function: Function) -> None:
    source = smu.settings.sources[function]
    if not source.auto_range and abs(level) > source.range * OVERRANGE:
        raise ScpiError(-222, "beyond the source range")
    smu.set_level(function, level)


def _set_limit(smu: "Smu", limit: float, *, function: Function) -> None:
    smu.settings.sources[function].limit = limit
    smu.apply()


def _is_tripped(smu: "Smu", *, function: Function) -> str:
    active = function == smu.settings.source_function
    return Flag().write(active and smu.settings.output and smu.output.tripped)


def _set_range(smu: "Smu", value: float, *, function: Function) -> None:
    source = smu.settings.sources[function]
    chosen = smu.model.quantity(function).range_for(value)
    if abs(source.level) > chosen * OVERRANGE:
        raise ScpiError(-221, "the source level is beyond the range")
    source.range, source.auto_range = chosen, False


def _follow_level(smu: "Smu") -> None:
    for function, source in smu.settings.sources.items():
        if source.auto_range:
            source.range = smu.model.quantity(function).range_for(source.level)


def _user(number: int) -> int:
    if not 1 <= number <= 5:
        raise ScpiError(-114)
    return number - 1
