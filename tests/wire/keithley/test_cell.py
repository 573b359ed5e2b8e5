"""On the simulated front end and cell, and on a clock that somebody else moves."""

import threading

import pytest

from simulators.cellconfig import PotentiostatConfig, RcCell, ResistorCell
from simulators.clocks import FollowClock, FreeClock
from simulators.frontend import FrontEnd
from simulators.instruments.keithley import Smu
from simulators.instruments.scpi import Session
from simulators.world.cell import make_cell

CELL = RcCell(series_resistance=100.0, resistance=1e6, capacitance=1e-3, potential=1.0)


def session_on(clock: FreeClock | FollowClock) -> tuple[Smu, Session]:
    port = FrontEnd(make_cell(CELL), PotentiostatConfig.ideal(), clock)
    smu = Smu(port)
    return smu, Session(smu, lambda data: None)


def numbers(session: Session, line: str) -> list[float]:
    return [float(text) for text in (session.execute(line) or b"").split(b",")]


def test_rest_potential_and_a_cyclic_staircase() -> None:
    smu, session = session_on(FreeClock())
    session.execute(":OUTP:VOLT:SMOD HIMP;:OUTP:CURR:SMOD HIMP")
    session.execute(":SOUR:FUNC CURR;:SOUR:CURR 0;:SENS:FUNC 'VOLT';:OUTP ON")
    assert numbers(session, ":READ?") == pytest.approx([1.0], abs=1e-3)
    steps = [1 + 0.01 * n for n in range(20)]
    levels = ",".join(f"{level:g}" for level in steps + steps[::-1])
    session.execute(":OUTP OFF;:SOUR:FUNC VOLT;:SENS:FUNC 'CURR';:SOUR:VOLT:ILIM 0.01")
    session.execute(f":SOUR:LIST:VOLT {levels};:TRAC:CLE;:SOUR:SWE:VOLT:LIST 1,1;:INIT;*WAI")
    potentials = numbers(session, ":TRAC:DATA? 1,40,'defbuffer1',SOUR")
    currents = numbers(session, ":TRAC:DATA? 1,40")
    assert potentials == pytest.approx(steps + steps[::-1], abs=1e-4)
    assert max(currents[:20]) < 1e-5  # the capacitor is charged long before the reading
    smu.close()


def test_a_clock_that_somebody_else_moves() -> None:
    clock = FollowClock(patience=0.5)
    smu, session = session_on(clock)
    session.execute(":SENS:CURR:RANG 1e-3;:SOUR:VOLT:DEL 0;:SOUR:VOLT 1")
    session.execute(":SOUR:SWE:VOLT:LIN 1,1.1,3,1;:INIT")
    replies: list[bytes | None] = []
    began: list[float] = []

    def ask() -> None:
        began.append(clock.time)
        replies.append(session.execute("*WAI;:TRAC:ACT?"))

    waiting = threading.Thread(target=ask)
    waiting.start()
    while waiting.is_alive():
        clock.advance(clock.time + 0.1)
        waiting.join(0.01)  # else time would fly before the other thread has its turn
    assert replies == [b"3"]
    assert 3.2 < clock.time - began[0] < 5.0
    smu.close()


def test_auto_range_comes_up_again_from_too_low_a_range() -> None:
    """On 1 A the converter shows 10 uA as nothing, which sends auto range to its lowest."""
    port = FrontEnd(make_cell(ResistorCell(resistance=1e4)), PotentiostatConfig(), FreeClock())
    session = Session(Smu(port), lambda data: None)
    session.execute(":SENS:CURR:RANG 1;:SOUR:VOLT:ILIM 1;:SOUR:VOLT 0.1;:OUTP ON;:READ?")
    assert numbers(session, ":SENS:CURR:RANG:AUTO ON;:READ?") == pytest.approx([1e-5], rel=0.02)
