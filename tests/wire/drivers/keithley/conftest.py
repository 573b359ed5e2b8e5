"""The driver on a recorded dialogue, and what all dialogues have in common."""

from collections.abc import Callable, Iterator

import pytest

import drivers.keithley_2450.instrument
from drivers.keithley_2450 import Keithley2450

from ..tape import OPENED, Tape

OK = ["> :SYST:ERR?", '< 0,"No error;0;0 0"']
HELLO = ["> *LANG?", "< SCPI", "> *IDN?", "< KEITHLEY INSTRUMENTS,MODEL 2450,04123456,1.7.12b"]
CONNECT = [OPENED, *HELLO, "> :SYST:LFR?", "< 50"]
SWITCH_OFF = "> :ABOR;:OUTP:VOLT:SMOD HIMP;:OUTP:CURR:SMOD HIMP;:OUTP OFF"
OFF = [SWITCH_OFF, "> :OUTP?", "< 0"]
IS_OFF, IS_ON = ["> :OUTP?", "< 0"], ["> :OUTP?", "< 1"]
VOLT, CURR = ["> :SOUR:FUNC?", "< VOLT"], ["> :SOUR:FUNC?", "< CURR"]
READY = [
    "> :OUTP:VOLT:SMOD HIMP;:OUTP:CURR:SMOD HIMP",
    "> :ROUT:TERM FRON;:SENS:VOLT:RSEN ON;:SENS:CURR:RSEN ON",
    "> :SENS:COUN 1;:FORM ASC;:FORM:ASC:PREC 16;"
    ":SENS:VOLT:AVER OFF;:SOUR:VOLT:READ:BACK ON;:SOUR:VOLT:DEL 0;"
    ":SENS:CURR:AVER OFF;:SOUR:CURR:READ:BACK ON;:SOUR:CURR:DEL 0",
]
CALM_VOLT = (
    '> :SOUR:FUNC VOLT;:SENS:FUNC "CURR";:SOUR:VOLT:ILIM 0.1;:SENS:CURR:RANG:AUTO ON;'
    ":SENS:CURR:NPLC 2;:SENS:CURR:AZER ON"
)
PREPARE = [
    "> *CLS;:ABOR", *VOLT, *VOLT, *READY, CALM_VOLT, *IS_OFF,
    "> :SOUR:VOLT:RANG:AUTO ON;:SOUR:VOLT 0",
]  # fmt: skip
TIMER = (
    "> :TRIG:TIM1:STAT OFF;:TRIG:TIM1:DEL 0.1;:TRIG:TIM1:COUN 0;"
    ":TRIG:TIM1:STAR:STIM NOT1;:TRIG:TIM1:STAR:GEN OFF;:TRIG:TIM1:STAT ON"
)
GO = ['> :TRAC:CLE "defbuffer1";:INIT', *OK]
LOOK = '> :TRIG:STAT?;:TRAC:ACT:END? "defbuffer1"'


def data(first: int, last: int) -> str:
    return f'> :TRAC:DATA? {first},{last},"defbuffer1",SOUR,READ,SEC,FRAC,SOURSTAT'


Replay = Callable[..., Keithley2450]


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    """Open the driver on a dialogue that begins after the connection; all of it must happen."""
    tapes: list[Tape] = []

    def play(*dialogue: str, connect: list[str] = CONNECT, **options: str) -> Keithley2450:
        tape = Tape(*connect, *dialogue)
        tapes.append(tape)
        monkeypatch.setattr(
            drivers.keithley_2450.instrument, "wire_to", lambda resource, timeout: tape
        )
        given = {"resource": "tape", "timeout": "0.05 s"} | options
        return Keithley2450.open(Keithley2450.Options.model_validate(given))

    yield play
    for tape in tapes:
        assert not tape.left
