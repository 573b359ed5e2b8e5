"""`:SYSTem`, `:FORMat`, `:STATus:PRESet`, `:DISPlay` and `*LANG`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from simulators.instruments.keithley.models import Model
from simulators.instruments.scpi import Choice, Command, Maybe, Real, Text, Whole
from simulators.instruments.scpi.tree import attribute

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu

_LANGUAGES = Choice("SCPI", "TSP", "SCPI2400")


def _settings(smu: "Smu") -> object:
    return smu.settings


def commands(model: Model) -> Iterator[Command]:
    """All of them."""
    yield Command("*LANG", _set_language, lambda smu: smu.language, takes=(_LANGUAGES,))
    yield Command(":SYSTem:LFRequency", ask=lambda smu: f"{smu.line:.0f}")
    yield Command(":SYSTem:VERSion", ask=lambda smu: "1996.0")
    yield Command(":SYSTem:TIME", _set_time, _time, takes=(Real(0.0, 4e9),))
    yield Command(
        ":SYSTem:BEEPer[:IMMediate]",
        lambda smu, frequency, seconds: None,
        takes=(Real(20.0, 8e3), Real(0.001, 100.0)),
    )
    yield Command(":SYSTem:EVENtlog:POST", _post, takes=(Text(), Maybe(Whole(1, 4), 4)))
    yield Command(":STATus:PRESet", lambda smu: None)
    yield attribute(":FORMat[:DATA]", Choice("ASCii", "REAL", "SREal"), _settings, "data_format")
    yield attribute(":FORMat:ASCii:PRECision", Whole(0, 16, 0), _settings, "precision")
    yield attribute(":FORMat:BORDer", Choice("NORMal", "SWAPped"), _settings, "byte_order")
    yield Command(":DISPlay:CLEar", lambda smu: None)
    yield Command(":DISPlay:SCReen", lambda smu, name: None, takes=(Choice(*_SCREENS),))
    yield Command(":DISPlay:USER<n>:TEXT[:DATA]", lambda smu, line, text: None, takes=(Text(32),))
    yield Command(":DISPlay:LIGHt:STATe", lambda smu, state: None, takes=(Choice(*_LIGHTS),))


_SCREENS = ("HOME", "SOURce", "SETTINGS", "STATistics", "GRAPh", "SWIPE_USER", "PROCessing")
_LIGHTS = ("ON100", "ON75", "ON50", "ON25", "OFF", "BLACkout")


def _set_language(smu: "Smu", language: str) -> None:
    smu.next_language = language


def _time(smu: "Smu") -> str:
    return f"{smu.now().timestamp():.0f}"


def _set_time(smu: "Smu", seconds: float) -> None:
    smu.epoch += timedelta(seconds=round(seconds - smu.now().timestamp()))


def _post(smu: "Smu", text: str, kind: int) -> None:
    smu.note(text, kind)
