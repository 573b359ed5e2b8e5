"""Sweeps and loops through the trigger model."""

import threading
from typing import Any

import pytest

from simulators.cellport import Control

READY = ":SENS:CURR:RANG 1;:SOUR:VOLT:ILIM 1;:SOUR:VOLT:DEL 0;:OUTP:VOLT:SMOD HIMP"


@pytest.fixture
def ready(bench: Any) -> Any:
    """Wide limits, no automatic delays, and no short circuit afterwards."""
    bench.ask(READY)
    return bench


def sourced(bench: Any) -> list[float]:
    """The source values in the default buffer."""
    return bench.numbers(f":TRAC:DATA? 1,{bench.ask(':TRAC:ACT?')},'defbuffer1',SOUR")


@pytest.mark.parametrize(
    ("sweep", "levels"),
    [
        ("VOLT:LIN 0,1,5", [0, 0.25, 0.5, 0.75, 1]),
        ("voltage:LINear 1,0,3,0,2", [1, 0.5, 0, 1, 0.5, 0]),
        ("VOLT:LIN 0,1,3,0,1,AUTO,ON,ON,'defbuffer1'", [0, 0.5, 1, 0.5, 0]),
        ("VOLT:LIN:STEP 0,1,0.4", [0, 0.4, 0.8]),
        ("VOLT:LIN:STEP 1,0,0.5,1e-3,1,BEST,ON", [1, 0.5, 0]),
        ("VOLT:LOG 0.01,1,3,0,1,FIX", [0.01, 0.021, 0.021]),
        ("VOLT:LOG -0.01,-1,3", [-0.01, -0.1, -1]),
    ],
)
def test_levels(ready: Any, sweep: str, levels: list[float]) -> None:
    ready.ask(f":SOUR:SWE:{sweep}")
    assert ready.ask(":TRIG:STAT?") == "IDLE;IDLE;0"
    assert ready.ask(":INIT;*OPC?") == "1"
    assert sourced(ready) == pytest.approx(levels)
    assert ready.errors() == []
    assert ready.ask(":TRIG:STAT?") == f"IDLE;IDLE;{len(levels)}"


def test_a_list_in_pieces(ready: Any) -> None:
    ready.ask(":SOUR:LIST:VOLT " + ",".join(f"{n / 100}" for n in range(100)))
    for start in range(100, 2500, 100):
        ready.ask(
            ":SOUR:LIST:VOLT:APP " + ",".join(f"{n / 100}" for n in range(start, start + 100))
        )
    assert ready.ask(":SOUR:LIST:VOLT:POIN?") == "2500"
    ready.ask(":SOUR:LIST:VOLT:APP 1")
    assert ready.errors() == [-222]
    ready.ask(":SOUR:SWE:VOLT:LIST 2401,0.01;:INIT;*WAI")
    assert sourced(ready) == pytest.approx([n / 100 for n in range(2400, 2500)])


def test_time_of_a_sweep(ready: Any) -> None:
    ready.ask(":SENS:CURR:NPLC 0.05;:SENS:CURR:AZER OFF;:SOUR:VOLT:READ:BACK OFF")
    ready.ask(":SOUR:LIST:VOLT 0,0.1,0.2,0.3;:SOUR:SWE:VOLT:LIST 1,0.2;:INIT;*WAI")
    times = ready.numbers(":TRAC:DATA? 1,4,'defbuffer1',REL")
    each = 0.2 + 0.05 / 50 + 300e-6
    assert times == pytest.approx([n * each for n in range(4)])
    assert ready.port.time == pytest.approx(4 * each)


def test_wait_delays_the_answer_and_readings_show_meanwhile(ready: Any) -> None:
    answers: list[str] = []
    ready.port.gate.clear()
    ready.ask(":SOUR:SWE:VOLT:LIN 0,1,3;:INIT")
    session = ready.smu.session(lambda data: answers.append(data.decode()))
    waiting = threading.Thread(target=session.receive, args=(b"*WAI;:TRAC:ACT?\n",))
    waiting.start()
    assert ready.port.waiting.wait(5)
    assert ready.ask(":TRIG:STAT?;:TRAC:ACT?;:OUTP?") == "RUNNING;RUNNING;0;0;1"
    assert answers == []
    ready.port.gate.set()
    waiting.join(5)
    assert answers == ["3\n"]


def test_what_a_running_sweep_refuses(ready: Any) -> None:
    ready.port.gate.clear()
    ready.ask(":SOUR:SWE:VOLT:LIN 0,1,3;:INIT")
    for line in (":INIT", ":READ?", ":SOUR:VOLT 1", ":SENS:CURR:NPLC 1", ":OUTP ON", ":MEAS:VOLT?"):
        assert ready.ask(line) == ""
    assert ready.errors() == [-213, -221, -221, -221, -221, -221]
    assert ready.ask(":SOUR:VOLT:ILIM?;*IDN?;*ESE 1;*ESE?") != ""
    assert ready.errors() == []


@pytest.mark.parametrize(
    ("line", "output", "mode"),
    [(":ABOR", "1", Control.POTENTIAL), (":OUTP OFF", "0", Control.OPEN)],
)
def test_ending_an_endless_sweep(ready: Any, line: str, output: str, mode: Control) -> None:
    ready.port.gate.clear()
    ready.ask(":SOUR:SWE:VOLT:LIN 0.1,1,3,0,0;:INIT")
    assert ready.port.waiting.wait(5)
    ready.ask(line)
    assert ready.ask(":OUTP?;:TRIG:STAT?").startswith(f"{output};ABORTED;ABORTED")
    assert ready.port.mode is mode
    ready.port.gate.set()
    ready.ask(":OUTP ON")
    assert ready.ask(":READ?") != ""
    assert ready.errors() == []


def test_the_operation_complete_bit_comes_at_the_end(ready: Any) -> None:
    ready.port.gate.clear()
    ready.ask("*CLS;:SOUR:SWE:VOLT:LIN 0,1,3;:INIT;*OPC")
    assert ready.ask("*ESR?") == "0"
    ready.port.gate.set()
    assert ready.ask("*WAI;*ESR?") == "1"


def test_the_output_is_on_during_a_sweep_and_off_afterwards(ready: Any) -> None:
    ready.ask(":SOUR:SWE:VOLT:LIN 0.1,1,3;:INIT;*WAI")
    assert ready.ask(":OUTP?") == "0"
    assert ready.port.mode is Control.OPEN
    assert ready.numbers(":TRAC:DATA? 1,3") == pytest.approx([1e-4, 5.5e-4, 1e-3])


@pytest.mark.parametrize(("abort", "count"), [("ON", 3), ("OFF", 5)])
def test_abort_on_limit(ready: Any, abort: str, count: int) -> None:
    ready.ask(f":SOUR:VOLT:ILIM 1e-3;:SOUR:SWE:VOLT:LIN 0.2,2.2,5,0,1,BEST,{abort};:INIT;*WAI")
    assert ready.ask(":TRAC:ACT?") == str(count)
    assert max(ready.numbers(f":TRAC:DATA? 1,{count}")) == pytest.approx(1e-3)


def test_a_current_sweep(ready: Any) -> None:
    ready.ask(":SENS:FUNC 'VOLT';:SOUR:CURR:DEL 0;:SOUR:SWE:CURR:LIN -1e-3,1e-3,3;:INIT;*WAI")
    assert ready.ask(":SOUR:FUNC?") == "CURR"
    assert ready.numbers(":TRAC:DATA? 1,3,'defbuffer1',SOUR,READ") == pytest.approx(
        [-1e-3, -1, 0, 0, 1e-3, 1]
    )


def test_loops(ready: Any) -> None:
    ready.ask(":TRAC:MAKE 'b',100;:SOUR:VOLT 0.35;:TRIG:LOAD 'SimpleLoop',5,0,'b';:INIT;*WAI")
    assert ready.numbers(":TRAC:DATA? 1,5,'b',READ,SOUR") == pytest.approx([3.5e-4, 0.35] * 5)
    before = ready.port.time
    ready.ask(":TRIG:LOAD 'DurationLoop',2,0.1;:INIT;*WAI")
    assert 2.0 <= ready.port.time - before < 2.5
    ready.ask(":TRIG:LOAD 'Empty';:INIT", ":TRIG:LOAD 'Nonsense',1")
    assert ready.errors() == [-221, -224]


def test_power_cycle_ends_a_sweep(ready: Any) -> None:
    ready.port.gate.clear()
    ready.ask(":SOUR:SWE:VOLT:LIN 0,1,3;:INIT")
    ready.smu.power_cycle()
    assert ready.ask(":OUTP?;:TRIG:STAT?;*ESR?") == "0;EMPTY;EMPTY;0;128"
    assert ready.port.mode is Control.OPEN
