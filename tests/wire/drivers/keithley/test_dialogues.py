"""The exact bytes of a program, of holding, reading and resting; and of what goes wrong."""

import numpy as np
import pytest

from sicmctl.hal.cell import (
    CellProgram,
    CellRest,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Sweep,
    Until,
)
from sicmctl.hal.errors import (
    InstrumentError,
    LimitExceeded,
    NotConnected,
    NotSupported,
    UnexpectedState,
)
from sicmctl.hal.potentiostat import CellSamples, SampleFlag, StepEnded
from sicmctl.hal.timeline import Stamp

from ..tape import LOST, OPENED, REFUSED, SILENCE
from .conftest import (
    CALM_VOLT,
    CURR,
    GO,
    HELLO,
    IS_OFF,
    IS_ON,
    LOOK,
    OFF,
    OK,
    PREPARE,
    READY,
    SWITCH_OFF,
    TIMER,
    VOLT,
    Replay,
    data,
)  # fmt: skip

SWEEP = Sweep(interval=0.1, start=0.0, stop=0.03, rate=0.1)
HOLD = HoldPotential(interval=0.1, duration=0.2, potential=0.5)
SWEEP_SET_UP = [
    *VOLT,
    '> :SOUR:FUNC VOLT;:SENS:FUNC "CURR";:SOUR:VOLT:ILIM 1.05e-05;:SENS:CURR:RANG 1e-05;'
    ":SENS:CURR:NPLC 1;:SENS:CURR:AZER OFF",
    "> :SOUR:LIST:VOLT -0.01,-0.02,-0.03",
    TIMER,
    '> :TRIG:LOAD "Empty";:TRIG:BLOC:CONF:REC 1,"VoltCustomSweepList",1;'
    ':TRIG:BLOC:SOUR:STAT 2,ON;:TRIG:BLOC:NOT 3,1;:TRIG:BLOC:MEAS 4,"defbuffer2";'
    ':TRIG:BLOC:BRAN:ALW 5,7;:TRIG:BLOC:CONF:NEXT 6,"VoltCustomSweepList";'
    ':TRIG:BLOC:WAIT 7,TIM1;:TRIG:BLOC:MEAS 8,"defbuffer1";:TRIG:BLOC:BRAN:COUN 9,3,6;'
    ":TRIG:BLOC:DEL:CONS 10,0.5;:TRIG:BLOC:SOUR:STAT 11,OFF",
    *OK,
    *GO,
]
HOLD_SET_UP = [
    *VOLT,
    '> :SOUR:FUNC VOLT;:SENS:FUNC "CURR";:SOUR:VOLT:ILIM 0.1;:SENS:CURR:RANG:AUTO ON;'
    ":SENS:CURR:NPLC 0.6;:SENS:CURR:AZER OFF",
    "> :SOUR:LIST:VOLT 0.5",
    TIMER,
    '> :TRIG:LOAD "Empty";:TRIG:BLOC:CONF:REC 1,"VoltCustomSweepList",1;'
    ':TRIG:BLOC:SOUR:STAT 2,ON;:TRIG:BLOC:NOT 3,1;:TRIG:BLOC:MEAS 4,"defbuffer2";'
    ':TRIG:BLOC:WAIT 5,TIM1;:TRIG:BLOC:MEAS 6,"defbuffer1";:TRIG:BLOC:BRAN:COUN 7,2,5;'
    ":TRIG:BLOC:DEL:CONS 8,0.5;:TRIG:BLOC:SOUR:STAT 9,OFF",
    *OK,
    *GO,
]
HOLD_RUNS = [
    *PREPARE, "> :SOUR:VOLT:RANG 0.5;:SOUR:CURR:RANG:AUTO ON", *OK, *HOLD_SET_UP
]  # fmt: skip


def now() -> Stamp:
    return Stamp(10.0, 0.0)


def test_a_sweep_with_the_working_electrode_on_lo(replay: Replay) -> None:
    driver = replay(
        *PREPARE, "> :SOUR:VOLT:RANG 0.03;:SOUR:CURR:RANG:AUTO ON", *OK, *SWEEP_SET_UP,
        LOOK, "< RUNNING;RUNNING;7;0",
        LOOK, "< WAITING;WAITING;7;2",
        data(1, 2),
        "< -1.0E-02,-1.0E-06,1767225600,9.5E-01,100,-2.0E-02,9.9E+37,1767225601,5E-02,116",
        LOOK, "< IDLE;IDLE;11;3",
        data(3, 3), "< -3.0E-02,-3.0E-09,1767225601,2.5E-01,100",
        "> :ABOR", *OFF,
        working_electrode="LO",
    )  # fmt: skip
    found = list(driver.run(CellProgram((SWEEP,), current_range=8e-6), now))
    blocks = [item for item in found if isinstance(item, CellSamples) and len(item)]
    time = np.concatenate([block.time for block in blocks])
    reading = 2 * 1 / 50 + 1e-3
    assert time == pytest.approx(10.1 + reading + np.array([0, 0.1, 0.3]), abs=1e-6)
    assert np.concatenate([b.potential for b in blocks]) == pytest.approx([0.01, 0.02, 0.03])
    assert np.concatenate([b.current for b in blocks]) == pytest.approx([1e-6, 1e-5, 3e-9])
    overloaded = SampleFlag.OVERLOAD | SampleFlag.COMPLIANCE
    flags = [SampleFlag.OK, overloaded, SampleFlag.UNDERLOAD | SampleFlag.LATE]
    assert list(np.concatenate([b.flags for b in blocks])) == flags
    assert isinstance(found[-1], StepEnded) and found[-1].reason == "time"
    assert blocks[0].time_sd == pytest.approx((reading**2 / 12 + 1e-6) ** 0.5)


def test_a_condition_stops_the_trigger_model_and_the_cell_is_held(replay: Replay) -> None:
    driver = replay(
        *HOLD_RUNS,
        LOOK, "< IDLE;IDLE;9;2",
        data(1, 2), "< 0.5,1E-6,1767225600,0.1,100,0.5,2E-6,1767225600,0.2,100",
        "> :ABOR",
        *VOLT, *READY, CALM_VOLT,
        "> :SOUR:VOLT:RANG:AUTO ON;:SOUR:VOLT 0.5;:OUTP ON", *OK, *IS_ON,
    )  # fmt: skip
    step = HoldPotential(
        interval=0.1, duration=0.2, potential=0.5, until=(Until("current", "above", 0.5e-6),)
    )
    found = list(driver.run(CellProgram((step,), CellRest.HOLD), now))
    assert [len(item) for item in found if isinstance(item, CellSamples)] == [1]
    assert isinstance(found[-1], StepEnded) and found[-1].reason == "current >= 5e-07 A"


def test_current_control_opens_the_cell_before_the_source_changes(replay: Replay) -> None:
    driver = replay(
        *PREPARE, "> :SOUR:VOLT:RANG 0;:SOUR:CURR:RANG:AUTO ON", *OK,
        *VOLT, *OFF,
        '> :SOUR:FUNC CURR;:SENS:FUNC "VOLT";:SOUR:CURR:VLIM 2;:SENS:VOLT:RANG 2;'
        ":SENS:VOLT:NPLC 1;:SENS:VOLT:AZER OFF",
        "> :SOUR:LIST:CURR 1e-05",
        TIMER,
        '> :TRIG:LOAD "Empty";:TRIG:BLOC:CONF:REC 1,"CurrCustomSweepList",1;'
        ':TRIG:BLOC:SOUR:STAT 2,ON;:TRIG:BLOC:NOT 3,1;:TRIG:BLOC:MEAS 4,"defbuffer2";'
        ':TRIG:BLOC:WAIT 5,TIM1;:TRIG:BLOC:MEAS 6,"defbuffer1";:TRIG:BLOC:BRAN:COUN 7,1,5;'
        ":TRIG:BLOC:DEL:CONS 8,0.5;:TRIG:BLOC:SOUR:STAT 9,OFF",
        *OK, *GO,
        LOOK, "< IDLE;IDLE;9;1",
        data(1, 1), "< 1E-5,2.0,1767225600,0.1,116",
        "> :ABOR", *OFF,
        potential_limit="2 V",
    )  # fmt: skip
    step = HoldCurrent(interval=0.1, duration=0.1, current=1e-5)
    block, _ = driver.run(CellProgram((step,)), now)
    assert isinstance(block, CellSamples)
    assert (block.potential[0], block.current[0]) == (2.0, 1e-5)
    assert block.flags[0] == SampleFlag.COMPLIANCE


def test_an_open_cell_is_read_with_a_source_of_nothing(replay: Replay) -> None:
    driver = replay(
        *IS_OFF, *VOLT, *OFF, *READY,
        '> :SOUR:FUNC CURR;:SENS:FUNC "VOLT";:SOUR:CURR:VLIM 5;:SENS:VOLT:RANG 5;'
        ":SENS:VOLT:NPLC 5;:SENS:VOLT:AZER ON",
        "> :SOUR:CURR:RANG:AUTO ON;:SOUR:CURR 0;:OUTP ON", *OK, *IS_ON,
        *CURR, "> :SENS:FUNC?", '< "VOLT:DC"',
        '> :READ? "defbuffer2",SOUR,READ', "< 0,3.25", *OK,
        *OFF,
    )  # fmt: skip
    assert driver.read() == (3.25, 0.0)


def test_a_held_cell_is_read_as_it_is(replay: Replay) -> None:
    reading = ["> :SENS:FUNC?", '< "CURR:DC"', '> :READ? "defbuffer2",SOUR,READ']
    driver = replay(
        *IS_ON, *VOLT, *reading, "< 0.5,1E-6", *OK, *IS_ON, *VOLT, *reading, "< 0.5,9.9E37", *OK
    )
    assert driver.read() == (0.5, 1e-6)
    assert driver.read() == (0.5, 0.1)


# -- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connect", "error", "words"),
    [
        ([REFUSED], NotConnected, "Connection refused"),
        ([OPENED, "> *LANG?", SILENCE], InstrumentError, "no answer within 0.05 s"),
        ([OPENED, "> *LANG?", "< TSP"], NotSupported, "its command set is TSP.*SCPI"),
        ([OPENED, *HELLO[:3], "< KEITHLEY,MODEL 2450"], InstrumentError, "makes no sense"),
        ([OPENED, *HELLO[:3], "< KEITHLEY INSTRUMENTS,MODEL 2400,1,2"], NotSupported, "2400"),
        ([OPENED, *HELLO[:3], "< ACME,MODEL 2450,1,2"], NotSupported, "it is a ACME 2450"),
        ([OPENED, *HELLO, "> :SYST:LFR?", "< fifty"], InstrumentError, "makes no sense"),
    ],
)
def test_not_connected(
    replay: Replay, connect: list[str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        replay(connect=connect)


def test_what_the_instrument_refuses_is_told_in_its_words_and_the_cell_is_opened(
    replay: Replay,
) -> None:
    driver = replay(
        *PREPARE, "> :SOUR:VOLT:RANG 0.5;:SOUR:CURR:RANG:AUTO ON",
        "> :SYST:ERR?", '< -222,"Parameter data out of range;1;2026/01/01 00:00:00.000"', *OK,
        *OFF,
    )  # fmt: skip
    with pytest.raises(InstrumentError, match=r"prepare: it reports -222, Parameter data"):
        list(driver.run(CellProgram((HOLD,)), now))


def test_an_output_that_stays_on_is_told(replay: Replay) -> None:
    driver = replay(SWITCH_OFF, *IS_ON, SWITCH_OFF, *IS_ON)
    with pytest.raises(UnexpectedState, match=r"stays on: the cell is still driven"):
        driver.safe_state()


def test_an_output_that_does_not_go_on_is_told(replay: Replay) -> None:
    driver = replay(
        *VOLT, *READY, CALM_VOLT, "> :SOUR:VOLT:RANG:AUTO ON;:SOUR:VOLT 1;:OUTP ON", *OK,
        *IS_OFF, *OFF,
    )  # fmt: skip
    with pytest.raises(UnexpectedState, match="interlock"):
        driver.hold(1.0)


def test_an_output_that_somebody_switched_off_ends_the_program(replay: Replay) -> None:
    driver = replay(
        *HOLD_RUNS, LOOK, "< RUNNING;RUNNING;5;1", data(1, 1), "< 0,0,1767225600,0.1,36", *OFF
    )
    with pytest.raises(UnexpectedState, match="switched off meanwhile"):
        list(driver.run(CellProgram((HOLD,)), now))


def test_a_trigger_model_that_stands_still_ends_the_program(
    replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.keithley_2450.instrument._STALLED", 0.0)
    driver = replay(*HOLD_RUNS, LOOK, "< ABORTED;ABORTED;5;0", *OK, *OFF)
    with pytest.raises(UnexpectedState, match="its trigger model is aborted"):
        list(driver.run(CellProgram((HOLD,)), now))


@pytest.mark.parametrize(
    "spoilt",
    [
        [LOOK, "< RUNNING"],
        [LOOK, "< RUNNING;RUNNING;5;many"],
        [LOOK, "< \xff\xfe"],
        [LOOK, "< RUNNING;RUNNING;5;1", data(1, 1), "< 0.5,1E-6,17672"],
        [LOOK, "< RUNNING;RUNNING;5;1", data(1, 1), "< 0.5,1E-6,1767225600,nan,100"],
        [LOOK, "< RUNNING;RUNNING;5;2", data(1, 2), "< 0.5,1E-6,1767225600,0.1,100"],
        [LOOK, SILENCE],
        [LOOK, LOST],
    ],
)
def test_a_spoilt_or_missing_answer_ends_the_program_on_a_fresh_link(
    replay: Replay, spoilt: list[str]
) -> None:
    driver = replay(*HOLD_RUNS, *spoilt, OPENED, *HELLO, *IS_ON, *OFF)
    with pytest.raises(NotConnected, match="output was on, and the cell is open now") as caught:
        list(driver.run(CellProgram((HOLD,)), now))
    assert "program was ended" in caught.value.remedy


def test_what_cannot_be_reached_again_may_still_be_on(replay: Replay) -> None:
    driver = replay(*HOLD_RUNS, LOOK, LOST, REFUSED, timeout="1e-9 s")
    with pytest.raises(NotConnected, match="THE CELL MAY STILL BE ON"):
        list(driver.run(CellProgram((HOLD,)), now))


def test_another_instrument_in_its_place_is_left_alone(replay: Replay) -> None:
    other = [*HELLO[:3], "< KEITHLEY INSTRUMENTS,MODEL 2450,9,1.7.12b"]
    driver = replay(*HOLD_RUNS, LOOK, LOST, OPENED, *other)
    with pytest.raises(NotConnected, match=r"2450 9 answers in its place; .* MAY STILL BE ON"):
        list(driver.run(CellProgram((HOLD,)), now))


def test_refused_before_anything_is_sent(replay: Replay) -> None:
    driver = replay()
    spectrum = Impedance(interval=1, potential=0, amplitude=0.01, frequencies=(10.0,))
    with pytest.raises(NotSupported, match="it cannot do an impedance spectrum"):
        driver.run(CellProgram((spectrum,)), now)
    with pytest.raises(LimitExceeded, match="finer than its converter's step"):
        driver.run(CellProgram((Sweep(interval=1, start=0, stop=1, rate=1e-5),)), now)


def test_opening_asks_who_it_is_and_changes_nothing(replay: Replay) -> None:
    identity = replay().identify()
    assert (identity.maker, identity.model, identity.serial) == ("Keithley", "2450", "04123456")
