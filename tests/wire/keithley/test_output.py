"""The output: limits, polarity, wires, off modes, ranges, time."""

from typing import Any

import pytest

from simulators.cellport import Control
from simulators.instruments.keithley import Wiring


def test_source_voltage_measure_current(bench: Any) -> None:
    bench.ask(":SOUR:VOLT:ILIM 0.1;:SOUR:VOLT 0.5;:OUTP ON")
    assert bench.ask(":READ?") == "5.000000E-04"
    assert bench.ask(':READ? "defbuffer1",SOUR,READ') == "5.000000E-01,5.000000E-04"
    assert bench.ask(":FETC?") == "5.000000E-04"
    assert bench.ask(":MEAS:VOLT?") == "5.000000E-01"
    assert bench.ask(":MEAS:RES?") == "1.000000E+03"
    assert bench.ask(":SENS:FUNC?") == '"RES"'


def test_the_rest_potential_is_seen_at_zero_current(make: Any) -> None:
    bench = make(rest=3.7)
    bench.ask(":SOUR:FUNC CURR;:SOUR:CURR 0;:SENS:FUNC 'VOLT';:OUTP:CURR:SMOD HIMP;:OUTP ON")
    assert bench.ask(":READ?") == "3.700000E+00"
    bench.ask(":OUTP OFF")
    assert bench.port.mode is Control.OPEN
    assert bench.ask(":READ?") == "0.000000E+00"  # the sense lines are cut too


def test_the_limit_takes_over_and_gives_back(bench: Any) -> None:
    bench.ask(":SOUR:VOLT:ILIM 1e-3;:SOUR:VOLT 5;:OUTP ON")
    assert bench.ask(':READ? "defbuffer1",SOUR,READ;:SOUR:VOLT:ILIM:TRIP?') == (
        "1.000000E+00,1.000000E-03;1"
    )
    assert bench.port.mode is Control.CURRENT
    assert bench.ask(":SOUR:CURR:VLIM:TRIP?") == "0"
    bench.port.resistance = 1e4
    assert bench.ask(":READ?;:SOUR:VOLT:ILIM:TRIP?") == "5.000000E-04;0"
    assert bench.port.mode is Control.POTENTIAL
    bench.ask(":SOUR:VOLT -20")
    assert bench.ask(":READ?;:SOUR:VOLT:ILIM:TRIP?") == "-1.000000E-03;1"


def test_the_voltage_limit_of_a_current_source(bench: Any) -> None:
    bench.ask(":SOUR:FUNC CURR;:SOUR:CURR:VLIM 2;:SOUR:CURR 5e-3;:SENS:FUNC 'VOLT';:OUTP ON")
    assert bench.ask(':READ? "defbuffer1",SOUR,READ;:SOUR:CURR:VLIM:TRIP?') == (
        "2.000000E-03,2.000000E+00;1"
    )


def test_overvoltage_protection_bounds_the_level(bench: Any) -> None:
    bench.ask(":SOUR:VOLT:ILIM 1;PROT PROT2;:SENS:FUNC 'VOLT';:SOUR:VOLT 5;:OUTP ON")
    assert bench.ask(":READ?;:SOUR:VOLT:PROT:TRIP?") == "2.000000E+00;1"


@pytest.mark.parametrize(("working_on", "sign"), [("HI", 1.0), ("LO", -1.0)])
def test_polarity(make: Any, working_on: str, sign: float) -> None:
    bench = make(rest=0.2, working_on=working_on)
    bench.ask(":SOUR:VOLT:ILIM 0.1;:SOUR:VOLT 1;:OUTP ON")
    assert bench.port.value == sign
    assert bench.numbers(':READ? "defbuffer1",SOUR,READ') == pytest.approx(
        [1.0, sign * (sign * 1.0 - 0.2) / 1e3]
    )


def test_polarity_has_two_names() -> None:
    with pytest.raises(ValueError, match="HI or LO"):
        Wiring("left")


@pytest.mark.parametrize("line", [":SENS:CURR:RSEN ON", ":ROUT:TERM REAR", ":SOUR:FUNC CURR"])
def test_what_switches_the_output_off(bench: Any, line: str) -> None:
    assert bench.ask(":OUTP ON;:OUTP?") == "1"
    assert bench.ask(line, ":OUTP?") == "0"


def test_the_same_again_leaves_the_output_on(bench: Any) -> None:
    bench.ask(":OUTP ON;:SENS:CURR:RSEN OFF;:ROUT:TERM FRON;:SOUR:FUNC VOLT")
    assert bench.ask(":OUTP?") == "1"


@pytest.mark.parametrize(
    ("mode", "control"),
    [
        ("NORM", Control.POTENTIAL),
        ("ZERO", Control.POTENTIAL),
        ("GUAR", Control.CURRENT),
        ("HIMP", Control.OPEN),
    ],
)
def test_off_modes(make: Any, mode: str, control: Control) -> None:
    bench = make(rest=3.0)
    bench.ask(f":OUTP:VOLT:SMOD {mode}")
    assert bench.port.mode is Control.OPEN  # the relay has never closed
    bench.ask(":SOUR:VOLT 3;:OUTP ON", ":OUTP OFF")
    assert (bench.port.mode, bench.port.value) == (control, 0.0)


def test_auto_range_finds_the_range(bench: Any) -> None:
    bench.ask(":SOUR:VOLT:ILIM 1;:SOUR:VOLT 0.9;:OUTP ON", ":READ?")
    assert bench.ask(":SENS:CURR:RANG?") == "1.000000E-03"
    assert bench.ask(":SOUR:VOLT 0.009;:READ?;:SENS:CURR:RANG?") == "9.000000E-06;1.000000E-05"
    assert bench.ask(":SOUR:VOLT 5;:READ?;:SENS:CURR:RANG?") == "5.000000E-03;1.000000E-02"


def test_a_fixed_range_overflows(bench: Any) -> None:
    bench.ask(":SOUR:VOLT:ILIM 1;:SENS:CURR:RANG 1e-3;:SOUR:VOLT 5;:OUTP ON")
    assert bench.ask(":READ?") == "9.900000E+37"
    bench.ask(":SENS:FUNC 'VOLT';:SENS:VOLT:RANG 2")
    assert bench.ask(":READ?") == "9.900000E+37"


def test_integration_sets_the_time_of_a_reading(bench: Any) -> None:
    bench.ask(":SENS:CURR:RANG 1e-3;:SOUR:VOLT:DEL 0;:SENS:CURR:AZER OFF;:SOUR:VOLT:READ:BACK OFF")
    bench.ask(":SENS:CURR:NPLC 5;:OUTP ON", ":READ?")
    before = bench.port.time
    bench.ask(":READ?")
    assert bench.port.time - before == pytest.approx(5 / 50 + 300e-6)
    assert bench.port.reads[-1] == pytest.approx((bench.port.time, 0.1))
    bench.ask(":SENS:CURR:AZER ON;:SOUR:VOLT:READ:BACK ON")
    before = bench.port.time
    bench.ask(":READ?")
    assert bench.port.time - before == pytest.approx(6 * 5 / 50 + 300e-6)


def test_a_filter_averages_and_takes_its_time(bench: Any) -> None:
    bench.ask(":SENS:CURR:RANG 1e-3;:SENS:CURR:AVER:COUN 4;:SENS:CURR:AVER ON;:OUTP ON")
    bench.ask(":READ?")
    assert len(bench.port.reads) == 4
    assert bench.ask(":TRAC:ACT?") == "1"


def test_the_source_delay_comes_once_per_level(bench: Any) -> None:
    bench.ask(":SENS:CURR:RANG 1e-3;:SOUR:VOLT:DEL 10;:OUTP ON", ":READ?")
    assert 10 < bench.port.time < 11
    bench.ask(":READ?")
    assert bench.port.time < 11
    bench.ask(":SOUR:VOLT 1;:READ?")
    assert 20 < bench.port.time < 21


def test_overload_on_demand(bench: Any) -> None:
    bench.ask(":SENS:CURR:RANG 1e-3;:SOUR:VOLT 0.05;:OUTP ON")
    bench.smu.overload(1.0)
    assert bench.ask(":READ?") == "9.900000E+37"
    bench.port.time += 1.0
    assert bench.ask(":READ?") == "5.000000E-05"
