"""`:SENSe`: function, range, integration time, wires, filter."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from simulators.instruments.keithley.commands.parameters import MEASURES, range_of
from simulators.instruments.keithley.models import OVERRANGE, RESISTANCES, Model
from simulators.instruments.keithley.settings import Sense
from simulators.instruments.scpi import Choice, Command, Flag, Real, Whole
from simulators.instruments.scpi.tree import attribute, setting

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu

_SHOWN = {"VOLT": '"VOLT:DC"', "CURR": '"CURR:DC"', "RES": '"RES"'}
_UNITS = {"VOLT": ("VOLT", "OHM", "WATT"), "CURR": ("AMP", "OHM", "WATT")}


def commands(model: Model) -> Iterator[Command]:
    """All of the subsystem."""
    function = Choice(
        "VOLTage",
        "CURRent",
        "RESistance",
        quoted=True,
        also={"VOLTage:DC": "VOLT", "CURRent:DC": "CURR", "VOLT:DC": "VOLT", "CURR:DC": "CURR"},
    )
    yield Command(
        "[:SENSe[1]]:FUNCtion[:ON]",
        _set_function,
        lambda smu: _SHOWN[smu.settings.sense_function],
        takes=(function,),
        idle=True,
    )
    yield attribute("[:SENSe[1]]:COUNt", Whole(1, 300_000, 1), lambda smu: smu.settings, "count")
    yield Command("[:SENSe[1]]:AZERo:ONCE", do=lambda smu: None, idle=True)
    for name, pattern in MEASURES.items():
        yield from _function(model, name, f"[:SENSe[1]]:{pattern}")


def _function(model: Model, name: str, path: str) -> Iterator[Command]:
    of = partial(_sense, name=name)
    yield setting(
        f"{path}:RANGe[:UPPer]",
        _range(model, name),
        partial(_set_range, name=name),
        lambda smu: of(smu).range,
    )
    yield attribute(f"{path}:RANGe:AUTO", Flag(), of, "auto_range")
    yield attribute(f"{path}:NPLCycles", Real(0.01, 10.0, 1.0), of, "line_cycles")
    yield attribute(f"{path}:AZERo[:STATe]", Flag(), of, "auto_zero")
    yield setting(
        f"{path}:RSENse", Flag(), partial(_set_wires, name=name), lambda smu: of(smu).four_wire
    )
    yield attribute(f"{path}:AVERage[:STATe]", Flag(), of, "averages")
    yield attribute(f"{path}:AVERage:COUNt", Whole(1, 100, 10), of, "average_count")
    yield attribute(f"{path}:AVERage:TCONtrol", Choice("REPeat", "MOVing"), of, "average_control")
    yield attribute(f"{path}:UNIT", Choice(*_UNITS.get(name, ("OHM",))), of, "unit")


def _range(model: Model, name: str) -> Real:
    if name == "RES":
        return Real(0.0, RESISTANCES[-1] * OVERRANGE, RESISTANCES[0])
    quantity = model.quantity(name)
    return range_of(name, quantity, quantity.ranges[0])


def _sense(smu: "Smu", name: str) -> Sense:
    return smu.settings.senses[name]


def _set_function(smu: "Smu", name: str) -> None:
    smu.settings.sense_function = name


def _set_range(smu: "Smu", value: float, *, name: str) -> None:
    sense = smu.settings.senses[name]
    if name == "RES":
        sense.range = next(full for full in RESISTANCES if value <= full * OVERRANGE)
    else:
        sense.range = smu.model.quantity(name).range_for(value)
    sense.auto_range = False


def _set_wires(smu: "Smu", four: bool, *, name: str) -> None:
    sense = smu.settings.senses[name]
    if four != sense.four_wire:
        smu.switch(False)
    sense.four_wire = four
