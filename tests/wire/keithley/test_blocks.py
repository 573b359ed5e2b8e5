"""Trigger models of a client's own: blocks, timers, lists."""

import threading
from typing import Any

import pytest

from simulators.cellport import Control

READY = (
    ":SENS:CURR:RANG 1;:SENS:CURR:NPLC 0.05;:SENS:CURR:AZER OFF;:SOUR:VOLT:ILIM 1;"
    ":SOUR:VOLT:DEL 0;:SOUR:VOLT:READ:BACK OFF;:OUTP:VOLT:SMOD HIMP;:TRIG:LOAD 'Empty'"
)
READING = 0.05 / 50 + 300e-6


@pytest.fixture
def ready(bench: Any) -> Any:
    bench.ask(READY)
    return bench


def read(bench: Any, element: str) -> list[float]:
    return bench.numbers(f":TRAC:DATA? 1,{bench.ask(':TRAC:ACT?')},'defbuffer1',{element}")


def test_a_timer_paces_readings(ready: Any) -> None:
    """The manual's example of a timer: twenty readings, half a second apart."""
    ready.ask(":SOUR:VOLT 0.2;:TRIG:TIM4:DEL 0.5;STAR:STIM NOT8;GEN OFF;:TRIG:TIM4:COUN 20;STAT ON")
    ready.ask(":TRIG:BLOC:SOUR:STAT 1,ON", ":TRIG:BLOC:BUFF:CLEAR 2,'defbuffer1'")
    ready.ask(":TRIG:BLOC:NOT 3,8;WAIT 4,TIM4;MEAS 5,'defbuffer1';BRAN:COUN 6,20,4")
    assert ready.ask(":TRIG:STAT?").startswith("BUILDING")
    ready.ask(":INIT;*WAI")
    assert read(ready, "REL") == pytest.approx([0.5 * n for n in range(20)], abs=1e-6)
    assert read(ready, "READ") == pytest.approx([2e-4] * 20)
    assert ready.ask(":OUTP?;:TRIG:STAT?") == "1;IDLE;IDLE;6"  # the output stays as it is
    assert ready.errors() == []


def test_events_that_came_late_count_once(ready: Any) -> None:
    ready.ask(":TRIG:TIM1:DEL 1e-3;COUN 0;STAR:STIM NOT1;:TRIG:TIM1:STAT ON;:SOUR:VOLT 1")
    ready.ask(
        ":TRIG:BLOC:SOUR:STAT 1,ON;:TRIG:BLOC:NOT 2,1;WAIT 3,TIM1;MEAS 4;BRAN:COUN 5,4,3;:INIT;*WAI"
    )
    assert read(ready, "REL") == pytest.approx([n * READING for n in range(4)], abs=1e-6)
    ready.ask(":TRIG:BLOC:WAIT 3,TIM1,ENT;:TRAC:CLE;:INIT;*WAI")
    assert read(ready, "REL") == pytest.approx([n * 2e-3 for n in range(4)], abs=1e-6)


def test_a_list_goes_round_and_round(ready: Any) -> None:
    ready.ask(":SOUR:LIST:VOLT 0.1,0.2,0.3")
    ready.ask(":TRIG:BLOC:BUFF:CLE 1;:TRIG:BLOC:CONF:REC 2,'VoltCustomSweepList',2")
    ready.ask(":TRIG:BLOC:SOUR:STAT 3,ON")
    ready.ask(":TRIG:BLOC:BRAN:ALW 4,6;:TRIG:BLOC:CONF:NEXT 5,'VoltCustomSweepList'")
    ready.ask(":TRIG:BLOC:MEAS 6;BRAN:COUN 7,5,5;:TRIG:BLOC:DEL:CONS 8,2;:TRIG:BLOC:SOUR:STAT 9,0")
    ready.ask(":INIT;*WAI")
    assert read(ready, "SOUR") == pytest.approx([0.2, 0.3, 0.1, 0.2, 0.3])
    assert ready.port.time == pytest.approx(5 * READING + 2)
    assert ready.ask(":OUTP?") == "0"
    assert ready.port.mode is Control.OPEN


def test_the_blocks_as_text(ready: Any) -> None:
    ready.ask(":TRIG:BLOC:BUFF:CLE 1;:TRIG:BLOC:MEAS 2;BRAN:COUN 3,5,2")
    ready.ask(":TRIG:BLOC:DEL:CONS 4,1;:TRIG:BLOC:NOP 5")
    assert ready.ask(":TRIG:BLOC:LIST?").split("\n") == [
        "1) BUFFER_CLEAR BUFFER: defbuffer1",
        "2) MEASURE BUFFER: defbuffer1 COUNT: 1",
        "3) BRANCH_COUNTER VALUE: 5 BRANCH_BLOCK: 2",
        "4) DELAY_CONSTANT DELAY: 1.000000000",
        "5) NO_OPERATION",
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (":TRIG:BLOC:MEAS 3", -222),
        (":TRIG:BLOC:MEAS 1,'nobody'", -224),
        (":TRIG:BLOC:CONF:REC 1,'VoltCustomSweepList'", 2790),
        (":TRIG:BLOC:CONF:NEXT 1,'nobody'", 2790),
        (":TRIG:BLOC:WAIT 1,TIM5", -224),
        (":TRIG:TIM5:DEL 1", -114),
        (":TRIG:TIM1:DEL 1e-6", -222),
    ],
)
def test_refused(ready: Any, line: str, code: int) -> None:
    ready.ask(line)
    assert ready.errors() == [code]
    assert ready.ask(":TRIG:STAT?").startswith("EMPTY")


def test_waiting_for_what_never_comes_can_be_aborted(ready: Any) -> None:
    ready.ask(":TRIG:BLOC:SOUR:STAT 1,ON;:TRIG:BLOC:MEAS 2;WAIT 3,DISP;MEAS 4;:INIT")
    session = ready.smu.session(lambda data: None)
    waiting = threading.Thread(target=session.receive, args=(b"*WAI\n",))
    waiting.start()
    ready.ask(":ABOR")
    waiting.join(5)
    assert not waiting.is_alive()
    assert ready.ask(":OUTP?") == "1"
    assert ready.ask(":TRIG:STAT?").startswith("ABORTED")
