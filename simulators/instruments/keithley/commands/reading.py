"""`:READ?`, `:MEASure?` and `:FETCh?`."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from simulators.instruments.keithley.buffers import Reading
from simulators.instruments.keithley.commands.parameters import BUFFER, MEASURES
from simulators.instruments.keithley.elements import MANY, show
from simulators.instruments.keithley.models import Model
from simulators.instruments.scpi import Command

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu


def commands(model: Model) -> Iterator[Command]:
    """All of them."""
    asks = (BUFFER, MANY)
    yield Command(":READ", ask=_read, asks=asks)
    yield Command(":FETCh", ask=_fetch, asks=asks)
    yield Command(":MEASure", ask=_read, asks=asks)
    for name, pattern in MEASURES.items():
        yield Command(f":MEASure:{pattern}", ask=partial(_measure, name=name), asks=asks)


def _read(smu: "Smu", buffer: str, elements: tuple[str, ...]) -> str | bytes:
    return _shown(smu, smu.measure(buffer), buffer, elements)


def _measure(smu: "Smu", buffer: str, elements: tuple[str, ...], *, name: str) -> str | bytes:
    smu.refuse_if_busy()
    smu.settings.sense_function = name
    return _read(smu, buffer, elements)


def _fetch(smu: "Smu", buffer: str, elements: tuple[str, ...]) -> str | bytes:
    return _shown(smu, smu.buffers[buffer].last, buffer, elements)


def _shown(smu: "Smu", reading: Reading, buffer: str, elements: tuple[str, ...]) -> str | bytes:
    return show([reading], smu.buffers[buffer], elements, smu.settings, smu.epoch)
