"""Settings: their defaults, what they accept, what they bring about."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("*IDN?", "KEITHLEY INSTRUMENTS,MODEL 2450,04123456,1.7.12b"),
        ("*LANG?", "SCPI"),
        (":SYST:LFR?;VERS?", "50;1996.0"),
        (":SOUR:FUNC?", "VOLT"),
        (":SOUR:FUNC CURR;FUNC?", "CURR"),
        ("source1:function:mode current;mode?", "CURR"),
        (":SENS:FUNC?", '"CURR:DC"'),
        (":SENS:FUNC 'VOLT';FUNC?", '"VOLT:DC"'),
        (':SENS:FUNC "VOLT:DC";FUNC?', '"VOLT:DC"'),
        (":FUNC 'RES';:SENS:FUNC:ON?", '"RES"'),
        (":SENS:FUNC 'CURR';:SENS:CURR:NPLC 0.100000;:SENS:CURR:NPLC?", "1.000000E-01"),
        (":SENS:CURR:NPLC? MIN;NPLC? MAX;NPLC? DEF", "1.000000E-02;1.000000E+01;1.000000E+00"),
        (":SENS:CURR:RANG 0.0005;RANG?;RANG:AUTO?", "1.000000E-03;0"),
        (":SENS:CURR:RANG 1.05e-3;RANG?", "1.000000E-03"),
        (":SENS:VOLT:RANG 5;RANG?", "2.000000E+01"),
        (":SENS:CURR:RSEN?;RSEN 1;RSEN?", "0;1"),
        (":SENS:CURR:AZER?;AVER?;AVER:COUN?;TCON?", "1;0;10;REP"),
        (":SENS:CURR:AVER:TCON MOV;COUN 5;:CURR:AVER:COUN?;TCON?", "5;MOV"),
        (":SENS:CURR:UNIT?;:SENS:VOLT:UNIT?", "AMP;VOLT"),
        (":SENS:COUN?;:COUN 5;:SENS:COUN?", "1;5"),
        (":SOUR:VOLT 0.5;:SOUR:VOLT:LEV:IMM:AMPL?", "5.000000E-01"),
        (":SOUR:VOLT 0.5;:SOUR:VOLT:RANG?;RANG:AUTO?", "2.000000E+00;1"),
        (":SOUR:VOLT:RANG 50 mV;RANG?;RANG:AUTO?", "2.000000E-01;0"),
        (":SOUR:VOLT:ILIM?;:SOUR:CURR:VLIM?", "1.050000E-04;2.100000E+01"),
        (":SOUR:VOLT:ILIM 1e-3;ILIM:LEV?;TRIP?", "1.000000E-03;0"),
        (":SOUR:VOLT:ILIM:TRIP?", "0"),
        (":SOUR:VOLT:DEL:AUTO?;:SOUR:VOLT:DEL 0.1;DEL?;DEL:AUTO?", "1;1.000000E-01;0"),
        (":SOUR:VOLT:DEL:USER3 5;USER3?;USER1?", "5.000000E+00;0.000000E+00"),
        (":SOUR:VOLT:READ:BACK?;BACK OFF;BACK?", "1;0"),
        (":SOUR:VOLT:PROT?;PROT PROT20;PROT?;PROT:TRIP?", "NONE;PROT20;0"),
        (":SOUR:VOLT:HIGH:CAP?", "0"),
        (":OUTP?;:OUTPUT?;:OUTP:STAT?", "0;0;0"),
        (":OUTP:VOLT:SMOD?;SMOD HIMP;SMOD?;:OUTP:CURR:SMOD?", "NORM;HIMP;NORM"),
        (":OUTP:INT:STAT?;TRIP?", "0;0"),
        (":ROUT:TERM?;TERM REAR;TERM?", "FRON;REAR"),
        (":FORM?;:FORM:DATA?;:FORM REAL;:FORM?;:FORM SRE;:FORM?", "ASC;ASC;REAL;SRE"),
        (":FORM:ASC:PREC?;PREC 6;PREC?;:FORM:BORD?", "0;6;SWAP"),
        (":SOUR:LIST:VOLT 1,2 ,-3;:SOUR:LIST:VOLT?", "1.000000E+00,2.000000E+00,-3.000000E+00"),
        (":SOUR:LIST:VOLT 1,2;VOLT:APP 3;APP 4;POIN?", "4"),
        (":TRIG:STAT?", "EMPTY;EMPTY;0"),
        ("*RST;:stat:pres;:*CLS;", ""),
        (":SYST:BEEP 500, 0.1", ""),
        ("*TRG;:ABOR;*OPC?", "1"),
    ],
)
def test_reply(bench: Any, line: str, reply: str) -> None:
    assert bench.ask(line) == reply


@pytest.mark.parametrize(
    ("line", "code", "query", "kept"),
    [
        (":SOUR:VOLT 211", -222, ":SOUR:VOLT?", "0.000000E+00"),
        (":SOUR:CURR 1.06", -222, ":SOUR:CURR?", "0.000000E+00"),
        (":SOUR:VOLT:ILIM 2", -222, ":SOUR:VOLT:ILIM?", "1.050000E-04"),
        (":SOUR:VOLT:ILIM 1e-10", -222, ":SOUR:VOLT:ILIM?", "1.050000E-04"),
        (":SENS:CURR:NPLC 11", -222, ":SENS:CURR:NPLC?", "1.000000E+00"),
        (":SENS:COUN 0", -222, ":SENS:COUN?", "1"),
        (":SOUR:LIST:VOLT 1,2,300", -222, ":SOUR:LIST:VOLT:POIN?", "0"),
        (":SOUR:LIST:VOLT " + ",".join("1" * 101), -108, ":SOUR:LIST:VOLT:POIN?", "0"),
        (":SOUR:VOLT:DEL:USER6 1", -114, ":SOUR:VOLT:DEL:USER1?", "0.000000E+00"),
        (":SOUR:FUNC RES", -224, ":SOUR:FUNC?", "VOLT"),
        (":SENS:FUNC 'POWER'", -224, ":SENS:FUNC?", '"CURR:DC"'),
        (":SOUR:VOLT:PROT PROT3", -224, ":SOUR:VOLT:PROT?", "NONE"),
        (':TRAC:MAKE "defbuffer1",100', 1115, ":TRAC:ACT?", "0"),
        (':TRAC:MAKE "b",9', -222, ":TRAC:ACT?", "0"),
        (':TRAC:ACT? "nobody"', -224, ":TRAC:ACT?", "0"),
        (":TRAC:FEED SENS", -113, ":TRAC:ACT?", "0"),
        (":STAT:MEAS:ENAB 512", -113, ":TRAC:ACT?", "0"),
        (":INIT", -221, ":TRIG:STAT?", "EMPTY;EMPTY;0"),
        (":SOUR:SWE:VOLT:LOG 0,1,10", -221, ":TRIG:STAT?", "EMPTY;EMPTY;0"),
        (":SOUR:SWE:VOLT:LIN 0,1,1", -222, ":TRIG:STAT?", "EMPTY;EMPTY;0"),
        (":SOUR:SWE:VOLT:LIN 0,1,5,1e-6", -222, ":TRIG:STAT?", "EMPTY;EMPTY;0"),
        (":SOUR:SWE:VOLT:LIST 1", -222, ":TRIG:STAT?", "EMPTY;EMPTY;0"),
    ],
)
def test_refused_and_unchanged(bench: Any, line: str, code: int, query: str, kept: str) -> None:
    bench.ask(line)
    assert bench.errors() == [code]
    assert bench.ask(query) == kept


@pytest.mark.parametrize(
    ("model", "volt", "current", "limit"),
    [
        ("2450", "2.100000E+02", "1.050000E+00", "2.100000E+01"),
        ("2460", "1.050000E+02", "7.350000E+00", "7.350000E+00"),
        ("2461", "1.050000E+02", "7.350000E+00", "7.350000E+00"),
    ],
)
def test_models(make: Any, model: str, volt: str, current: str, limit: str) -> None:
    bench = make(model=model)
    assert f"MODEL {model}," in bench.ask("*IDN?")
    assert bench.ask(":SOUR:VOLT? MAX;:SOUR:CURR? MAX;:SOUR:CURR:VLIM?") == (
        f"{volt};{current};{limit}"
    )


def test_a_level_beyond_a_fixed_range_is_refused(bench: Any) -> None:
    bench.ask(":SOUR:VOLT:RANG 2", ":SOUR:VOLT 3")
    assert bench.errors() == [-222]
    bench.ask(":SOUR:VOLT 2.1", ":SOUR:VOLT:RANG 0.2")
    assert bench.errors() == [-221]
    assert bench.ask(":SOUR:VOLT?;:SOUR:VOLT:RANG?") == "2.100000E+00;2.000000E+00"


def test_reset_puts_everything_back(bench: Any) -> None:
    bench.ask(":SOUR:FUNC CURR;:SENS:FUNC 'VOLT';:SENS:VOLT:NPLC 5;:OUTP ON;:TRAC:MAKE 'b',20")
    bench.ask(":READ?", "*RST")
    assert bench.ask(":SOUR:FUNC?;:SENS:FUNC?;:SENS:VOLT:NPLC?;:OUTP?;:TRAC:ACT?") == (
        'VOLT;"CURR:DC";1.000000E+00;0;0'
    )
    bench.ask(":TRAC:ACT? 'b'")
    assert bench.errors() == [-224]


def test_errors_say_when_and_what_kind(bench: Any) -> None:
    bench.ask(":READ? 'defbuffer1'", "NOPE", ":SYST:EVEN:POST 'hello',2")
    assert bench.ask(":SYST:EVEN:COUN?;COUN? 2;:SYST:ERR:COUN?") == "2;1;1"
    first = bench.ask(":SYST:ERR?")
    assert first.startswith('-113,"Undefined header;1;2026/01/01 00:00:00.')
    assert bench.ask(":SYST:EVEN:NEXT?").startswith('1,"hello;2;')
    assert bench.ask(":SYST:ERR?;:SYST:EVEN?") == '0,"No error;0;0 0";0,"No error;0;0 0"'


def test_another_language_needs_a_restart_and_understands_no_scpi(bench: Any) -> None:
    assert bench.ask("*LANG TSP;*LANG?") == "SCPI"
    bench.smu.power_cycle()
    assert bench.ask("*LANG?") == "TSP"
    bench.ask(":SOUR:VOLT 1")
    assert bench.smu.log.pop().code == -285
    bench.ask("*LANG SCPI")
    bench.smu.power_cycle()
    assert bench.ask(":SOUR:FUNC?") == "VOLT"
