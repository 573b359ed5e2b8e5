"""`:OUTPut` and `:ROUTe`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulators.instruments.keithley.commands.parameters import FUNCTIONS
from simulators.instruments.keithley.models import Function, Model
from simulators.instruments.scpi import Choice, Command, Flag
from simulators.instruments.scpi.tree import attribute, setting

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu

_OFF_MODES = Choice("NORMal", "HIMPedance", "ZERO", "GUARd")


def commands(model: Model) -> Iterator[Command]:
    """All of the subsystems."""
    yield Command(
        ":OUTPut[1][:STATe]",
        _switch,
        lambda smu: Flag().write(smu.settings.output),
        takes=(Flag(),),
    )
    for function, pattern in FUNCTIONS:
        yield _off_mode(function, f":OUTPut[1]:{pattern}:SMODe")
    yield attribute(":OUTPut[1]:INTerlock:STATe", Flag(), lambda smu: smu.settings, "interlock")
    yield Command(":OUTPut[1]:INTerlock:TRIPped", ask=lambda smu: "0")
    yield setting(
        ":ROUTe:TERMinals",
        Choice("FRONt", "REAR"),
        _set_terminals,
        lambda smu: smu.settings.terminals,
    )


def _off_mode(function: Function, pattern: str) -> Command:
    def do(smu: "Smu", mode: str) -> None:
        smu.settings.sources[function].off_mode = mode
        smu.rest()

    return setting(pattern, _OFF_MODES, do, lambda smu: smu.settings.sources[function].off_mode)


def _switch(smu: "Smu", on: bool) -> None:
    if on:
        smu.refuse_if_busy()
    smu.switch(on)


def _set_terminals(smu: "Smu", terminals: str) -> None:
    if terminals != smu.settings.terminals:
        smu.switch(False)
    smu.settings.terminals = terminals
