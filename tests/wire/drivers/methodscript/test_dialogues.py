"""The exact bytes that the driver sends, and what it makes of the instrument's."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

import drivers.methodscript.device
from drivers.link import Link
from drivers.methodscript import MethodScript
from drivers.methodscript.device import Device
from sicmctl.hal.capabilities import Identity
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    CellRest,
    Cycles,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Until,
)
from sicmctl.hal.errors import (
    InstrumentError,
    LimitExceeded,
    NoAnswer,
    NotConnected,
    NotSupported,
    UnexpectedState,
)
from sicmctl.hal.potentiostat import CellData, CellSamples, CellSpectrum, SampleFlag, StepEnded
from sicmctl.hal.timeline import Stamp

from .conftest import (
    ABORT_IDLE,
    HELLO,
    LOST,
    OFF,
    REFUSED,
    REOPENED,
    WHO,
    Tape,
    saying,
    sending,
)

Replay = Callable[..., MethodScript]

VARIABLES = "\n".join(f"var {name}" for name in "tpcexqwz")
BEGIN = f"{VARIABLES}\nstore_var z 0i ja\nset_pgstat_chan 0\ntimer_start"
RANGES = "set_range ba 10m\nset_autoranging ba 1n 10m"
SHOW = "timer_get t\npck_start\npck_add t\npck_add p\npck_add c\npck_end"
END = "timer_get t\ntimer_start\npck_start\npck_add t\npck_add w\npck_end"
FINISH = "on_finished:\nif z == 0i\ncell_off\nendif"
ON = f"cell_off\nset_pgstat_mode 3\nset_range_minmax da 100m 100m\n{RANGES}\nset_e 100m\ncell_on"
STEP = HoldPotential(interval=0.1, duration=0.2, potential=0.1)
HOLD = (
    f"{BEGIN}\n{ON}\nset_max_bandwidth 60\nstore_var w 0i ja\n"
    f"meas_loop_ca e c 100m 100m 200m add_meas(0 ab p)\n{SHOW}\nendloop\n{END}\n{FINISH}"
)
CONDITION = HOLD.replace("pck_start", "if c >= 1m\nstore_var w 1i ja\nendif\npck_start", 1).replace(
    "endloop", "if w > 0i\nbreakloop\nendif\nendloop"
)
ENDED = "PebDF5E100n;ja8000000i"


def now() -> Stamp:
    return Stamp(10.0, 0.002)


def run(
    potentiostat: MethodScript, *steps: AnyStep, after: CellRest = CellRest.OCP
) -> list[CellData]:
    found = potentiostat.run(CellProgram(steps, after), now)
    return [item for item in found if not isinstance(item, CellSamples) or len(item)]


# -- connecting ---------------------------------------------------------------------------------


def test_it_learns_who_is_there(replay: Replay) -> None:
    potentiostat = replay()
    assert potentiostat.identify() == Identity(
        "PalmSens", "EmStat4 LR", "ES4LR20B0008", "1500 Mar 12 2026 14:28:01, MethodSCRIPT 01.09.00"
    )
    assert potentiostat.limits.potential.high == 3.0
    assert potentiostat.limits.ranges[-1] == 1e-2


def device(*dialogue: str) -> Device:
    return Device(cast(Link, Tape(REOPENED, *dialogue)), 0.05)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers.methodscript.device, "_DEAF", 0.0)


@pytest.mark.usefixtures("quick")
def test_a_running_script_is_noticed_and_left_alone() -> None:
    talk = device("> ?", "< Pda8000000 ", "> ", "> t", "< *", "< tes4_hr1500#x", "< Pda8000000 ",
                  "< R*", "> i", "< Pda8000000 ", "< i!0006")  # fmt: skip
    talk.connect()
    with pytest.raises(UnexpectedState, match=r"a script is running.*abort_running = true"):
        talk.learn_serial()


@pytest.mark.usefixtures("quick")
def test_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(NotSupported, match=r"it says it is `espbl1200`.*es4_lr"):
        device("> ?", "> ", "> t", "< tespbl1200", "< R*").connect()


@pytest.mark.usefixtures("quick")
def test_a_mute_instrument_is_told() -> None:
    with pytest.raises(NoAnswer, match=r"no answer in time"):
        device("> ?", "> ", "> t").connect()


@pytest.mark.usefixtures("quick")
def test_a_firmware_without_script_version_is_taken() -> None:
    talk = device(*HELLO, "> i", "< iX1", "> v", "< v!0003")
    talk.connect()
    talk.learn_serial()
    assert talk.identity.serial == "X1" and "MethodSCRIPT" not in talk.identity.firmware


# -- a program ----------------------------------------------------------------------------------


def test_a_held_potential_from_end_to_end(replay: Replay) -> None:
    said = (
        "M0007\nPebDF5E100n;ab7F85F3Fu,10,206;ba48D503Dp,10,288\n"
        "Peb802D0F5u;ab     nan,12;ba80F4240p,16,218\n*"
    )
    potentiostat = replay(*sending(HOLD), *saying(f"{said}\n{ENDED}\n"))
    samples, end = run(potentiostat, STEP)
    assert isinstance(samples, CellSamples) and isinstance(end, StepEnded)
    assert samples.time == pytest.approx([10.1, 10.184566])  # the timer says when, not the plan
    assert samples.time_sd == 0.002
    assert samples.potential[0] == pytest.approx(-0.499905)
    assert samples.current == pytest.approx([-57.847747e-6, 1e-6])
    assert np.isnan(samples.potential[1])
    both = SampleFlag.OVERLOAD | SampleFlag.UNDERLOAD | SampleFlag.COMPLIANCE
    assert samples.flags.tolist() == [0, both]
    assert end.reason == "time" and end.time == Stamp(10.1, 0.002)


def test_the_start_lies_in_the_middle_of_the_round_trip(replay: Replay) -> None:
    potentiostat = replay(*sending(HOLD), *saying(f"M0007\n*\n{ENDED}\n"))
    times = iter([Stamp(5.0, 0.001), Stamp(5.5, 0.001)])
    (end,) = [
        item
        for item in potentiostat.run(CellProgram((STEP,)), lambda: next(times))
        if isinstance(item, StepEnded)
    ]
    assert end.time.time == pytest.approx(5.35)
    assert end.time.uncertainty == pytest.approx(0.251)


def test_a_condition_is_tested_by_the_instrument(replay: Replay) -> None:
    said = "M0007\nPebDF5E100n;abDF5817Cn;ba8000000 \n*\nPebDF5E100n;ja8000001i\n"
    potentiostat = replay(*sending(CONDITION), *saying(said))
    until = Until("current", "above", 1e-3)
    _, end = run(potentiostat, replace(STEP, until=(until,)))
    assert isinstance(end, StepEnded) and end.reason == "current >= 0.001 A"


def test_cycles_are_told_by_the_marks_of_scans(replay: Replay) -> None:
    script = HOLD.replace(
        "meas_loop_ca e c 100m 100m 200m", "meas_loop_cv e c 0 100m -100m 10m 100m nscans(2)"
    )
    script = script.replace("minmax da 100m 100m", "minmax da -100m 100m").replace(
        "set_e 100m", "set_e 0"
    )
    one = "PebDF5E100n;ab8000000 ;ba8000000 "
    said = f"M0005\nC0000\n{one}\n-\nC0001\n{one}\n-\n*\n{ENDED}\n"
    potentiostat = replay(*sending(script), *saying(said))
    cv = Cycles(interval=0.1, start=0.0, first=0.1, second=-0.1, rate=0.1, count=2)
    first, second, _ = run(potentiostat, cv)
    assert isinstance(first, CellSamples) and isinstance(second, CellSamples)
    assert (first.cycle, second.cycle) == (0, 1)


def test_a_spectrum(replay: Replay) -> None:
    loop = (
        "set_max_bandwidth 1M\nmeas_loop_eis x q e 7071068n 1k 10 3i 100m\n"
        "timer_get t\npck_start\npck_add t\npck_add x\npck_add q\npck_add e\npck_end\nendloop"
    )
    on = ON.replace("100m 100m", "90m 110m").replace(
        "set_e", "set_range ab 3\nset_autoranging ab 50m 3\nset_e"
    )
    script = f"{BEGIN}\n{on}\nstore_var w 0i ja\n{loop}\n{END}\n{FINISH}"
    point = "PebDF5E100n;dcDF5DFF4u;cc896D904m,10,287;cd82DB1A8u,10,287"
    potentiostat = replay(*sending(script), *saying(f"M000D\n{point}\n*\n{ENDED}\n"))
    step = Impedance(interval=0.1, potential=0.1, amplitude=0.01, frequencies=(1e3, 100.0, 10.0))
    spectrum, _ = run(potentiostat, step)
    assert isinstance(spectrum, CellSpectrum)
    assert spectrum.frequency == pytest.approx([99.999732])
    assert spectrum.impedance[0] == pytest.approx(9885.956 + 2.9946j)
    assert spectrum.potential == pytest.approx([0.1]) and np.isnan(spectrum.current[0])


def test_a_potential_stays_held_if_the_program_says_so(replay: Replay) -> None:
    script = HOLD.replace("on_finished:", "store_var z 1i ja\non_finished:")
    again = ["> e", "> set_range_minmax da 200m 200m", "> set_e 200m", "> ", "< e", "< "]
    potentiostat = replay(*sending(script), *saying(f"M0007\n*\n{ENDED}\n"), *again)
    run(potentiostat, STEP, after=CellRest.HOLD)
    potentiostat.rest(CellRest.HOLD)  # it is: nothing is sent
    potentiostat.hold(0.2)


def test_open_circuit_needs_the_cell_off(replay: Replay) -> None:
    script = (
        f"{BEGIN}\ncell_off\nset_pgstat_mode 3\nset_range ab 3\nset_autoranging ab 50m 3\n"
        "set_max_bandwidth 60\nstore_var w 0i ja\nmeas_loop_ocp p 100m 200m\n"
        f"{SHOW.replace(chr(10) + 'pck_add c', '')}\nendloop\n{END}\n{FINISH}"
    )
    potentiostat = replay(*sending(script), *saying(f"M000B\nPebDF5E100n;abDF5817Cn\n*\n{ENDED}\n"))
    samples, _ = run(potentiostat, Open(interval=0.1, duration=0.2))
    assert isinstance(samples, CellSamples)
    assert samples.potential == pytest.approx([0.0999755], abs=1e-6) and samples.current == [0.0]


# -- the cell by itself -------------------------------------------------------------------------

READ = "var p\nvar c\nmeas 100m p ab\nmeas 100m c ba\npck_start\npck_add p\npck_add c\npck_end"
READING = ["< PabDF5817Cn,10,206;baDF5817Cp,10,218", "< "]


def test_reading_holding_and_letting_go(replay: Replay) -> None:
    on = (
        "cell_off\nset_pgstat_mode 3\nset_max_bandwidth 1k\nset_range_minmax da 200m 200m\n"
        f"{RANGES}\nset_e 200m\ncell_on"
    )
    potentiostat = replay(
        *sending(READ), *READING, *sending(on), "< ", *ABORT_IDLE, *OFF, *ABORT_IDLE, *OFF
    )
    assert potentiostat.read() == pytest.approx((0.0999755, 99.9755e-6), rel=1e-4)
    potentiostat.hold(0.2)
    potentiostat.rest(CellRest.OCP)
    potentiostat.safe_state()


def test_a_fresh_instrument_has_no_mode_to_read_in(replay: Replay) -> None:
    first = [*sending(READ), "< !0023: Line 3"]
    potentiostat = replay(*first, *sending(f"set_pgstat_mode 3\n{READ}"), *READING)
    assert potentiostat.read()[0] == pytest.approx(0.1, rel=1e-3)


def test_a_reading_of_something_else_is_no_reading(replay: Replay) -> None:
    potentiostat = replay(*sending(READ), "< PabDF5817Cn", "< ", REOPENED, *HELLO, *ABORT_IDLE,
                          *WHO, *ABORT_IDLE, *OFF)  # fmt: skip
    with pytest.raises(NotConnected, match="it answered `PabDF5817Cn`"):
        potentiostat.read()


# -- what goes wrong ----------------------------------------------------------------------------


def test_an_overload_ends_the_program_and_opens_the_cell(replay: Replay) -> None:
    potentiostat = replay(*sending(HOLD), *saying("M0007\n!0032: Line 21"), *ABORT_IDLE, *OFF)
    with pytest.raises(InstrumentError) as caught:
        run(potentiostat, STEP)
    assert str(caught.value) == (
        "EmStat4 LR at tape: run a script: it stopped: a critical overload of the cell: it stopped "
        "to prevent damage (error 0032) at line 21, "
        "`meas_loop_ca e c 100m 100m 200m add_meas(0 ab p)` "
        "(lower the current or choose a higher range)"
    )


def test_a_refused_script_is_told_with_its_line(replay: Replay) -> None:
    refused = [*sending(HOLD)[:-1], "< e!4001: Line 9, Col 10"]
    potentiostat = replay(*refused, *ABORT_IDLE, *OFF)
    with pytest.raises(InstrumentError, match=r"refused.*an unknown word.*line 9, `store_var z 0i"):
        run(potentiostat, STEP)


@pytest.mark.parametrize(
    "line",
    ["Peb80", "\x81garbage", "Peb8000000 ;ab8000000 ", "M00", "Pab8000000 ;eb8000000 ;ba8000000 "],
)
def test_a_line_that_cannot_be_read_aborts_the_program(replay: Replay, line: str) -> None:
    running = ["> ", "> Z", "< Peb8000000 ;ab8000000 ;ba8000000 ", "< Z", "< *", "< "]
    potentiostat = replay(*sending(HOLD), "< M0007", f"< {line}", *running, *OFF)
    with pytest.raises(InstrumentError, match="cannot be read; the program was aborted"):
        run(potentiostat, STEP)


def test_closing_aborts(replay: Replay) -> None:
    one = "PebDF5E100n;ab8000000 ;ba8000000 "
    running = ["> ", "> Z", "< Z", "< *", "< "]
    potentiostat = replay(*sending(HOLD), *saying(f"M0007\n{one}"), *running, *OFF, timeout=2.0)
    data = potentiostat.run(CellProgram((STEP,)), now)
    sign = next(data)
    assert isinstance(sign, CellSamples) and len(sign) in (0, 1)
    with pytest.raises(UnexpectedState, match="a program is running"):
        potentiostat.read()
    data.close()


def test_an_abort_is_asked_for_twice_of_a_deaf_instrument(replay: Replay) -> None:
    potentiostat = replay("> ", "> Z", "> Z", "< Z!0006", *OFF)
    potentiostat.safe_state()


def test_a_script_that_ends_too_early_is_no_success(replay: Replay) -> None:
    potentiostat = replay(*sending(HOLD), *saying("M0007\n*\n"), *ABORT_IDLE, *OFF)
    with pytest.raises(InstrumentError, match="ended before the program did"):
        run(potentiostat, STEP)


def test_a_silent_instrument_is_asked_for_a_sign_of_life(replay: Replay) -> None:
    alive = ["> t", "< tes4_lr1500#Mar 12 2026 14:28:01", "< R*"]
    potentiostat = replay(*sending(HOLD), "< M0007", *alive, *alive, *saying(f"*\n{ENDED}\n"))
    assert len(run(potentiostat, STEP)) == 1


SAME = [REOPENED, *HELLO, *ABORT_IDLE, *WHO, *ABORT_IDLE, *OFF]


@pytest.mark.parametrize("how", [[LOST], ["> t"]])
def test_a_lost_link_is_restored_once_to_open_the_cell(replay: Replay, how: list[str]) -> None:
    potentiostat = replay(*sending(HOLD), "< M0007", *how, *SAME)
    with pytest.raises(NotConnected, match="it is back, to the same instrument, and the cell is"):
        run(potentiostat, STEP)


def test_a_script_that_went_on_without_the_link_is_aborted(replay: Replay) -> None:
    back = [REOPENED, *HELLO, "> ", "> Z", "< Z", "< *", "< ", *WHO, *ABORT_IDLE, *OFF]
    potentiostat = replay(*sending(HOLD), "< M0007", LOST, *back)
    with pytest.raises(NotConnected, match="nothing was resumed"):
        run(potentiostat, STEP)


def test_a_link_that_stays_lost_is_told_with_what_is_known(replay: Replay) -> None:
    potentiostat = replay(*sending(HOLD), "< M0007", LOST, REFUSED, REFUSED)
    with pytest.raises(NotConnected) as caught:
        run(potentiostat, STEP)
    assert str(caught.value) == (
        "EmStat4 LR at tape: run: the link was lost (Connection reset by peer) and could not be "
        "restored within 0 s (Connection refused); the cell may still be on (switch the instrument "
        "off or disconnect the cell, then check the cable)"
    )
    with pytest.raises(NotConnected, match="the cell may still be on"):
        potentiostat.safe_state()


def test_another_instrument_in_its_place_is_left_alone(replay: Replay) -> None:
    other = ["> i", "< iOTHER", "> v", "< v01.09.00"]
    potentiostat = replay(*sending(HOLD), "< M0007", LOST, REOPENED, *HELLO, *ABORT_IDLE, *other)
    with pytest.raises(NotConnected, match=r"another instrument.*OTHER; the cell may still be on"):
        run(potentiostat, STEP)


def test_a_link_lost_while_nothing_runs_is_restored_by_the_next_command(replay: Replay) -> None:
    potentiostat = replay(LOST, *SAME, *sending(READ), *READING)
    with pytest.raises(NotConnected, match="it is back"):
        potentiostat.read()
    potentiostat.read()


def test_refusals_send_nothing(replay: Replay) -> None:
    potentiostat = replay()
    with pytest.raises(LimitExceeded):
        potentiostat.hold(3.1)
    until = (Until("current", "above", 1e-3),)
    spectrum = Impedance(interval=1, until=until, potential=0, amplitude=0.01, frequencies=(1.0,))
    with pytest.raises(NotSupported, match="cannot end on a condition"):
        potentiostat.run(CellProgram((spectrum,)), now)
    with pytest.raises(NotSupported, match="no steps"):
        potentiostat.run(CellProgram((Repeat((STEP,), 0),)), now)
