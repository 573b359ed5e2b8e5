"""Reading buffers."""

import struct
from typing import Any

import pytest


@pytest.fixture
def filled(bench: Any) -> Any:
    """Three readings of 1, 2 and 3 uA in a buffer of its own."""
    bench.ask(":TRAC:MAKE 'b',10;:SENS:CURR:RANG 1e-3;:SOUR:VOLT:DEL 0;:OUTP ON")
    for milli in (1, 2, 3):
        bench.ask(f":SOUR:VOLT {milli} mV;:READ? 'b'")
    return bench


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (":TRAC:ACT? 'b';:TRAC:ACT:STAR? 'b';END? 'b'", "3;1;3"),
        (":TRAC:ACT?;:TRAC:ACT:STAR?;END?", "0;0;0"),
        (":TRAC:POIN? 'b';:TRAC:POIN?", "10;100000"),
        (":TRAC:FILL:MODE? 'b';MODE?", "ONCE;CONT"),
        (":TRAC:LOG:STAT? 'b';STAT?", "0;1"),
        (":TRAC:DATA? 1,3,'b'", "1.000000E-06,2.000000E-06,3.000000E-06"),
        (":TRAC:DATA? 2,2,'b',SOUR,READ", "2.000000E-03,2.000000E-06"),
        (":TRAC:DATA? 1,1,'b',REL,UNIT,SOURUNIT", "0.000000E+00,AMP,VOLT"),
        (":TRAC:DATA? 1,1,'b',READ,READ", "1.000000E-06,1.000000E-06"),
        (":TRAC:DATA? 1,1,'b',STAT,SOURSTAT", "264,68"),
        (":TRAC:DATA? 1,1,'b',DATE,FORM", "01/01/2026,+1.00000 uA"),
        (":TRAC:STAT:AVER? 'b';MAX? 'b'", "2.000000E-06;3.000000E-06"),
        (":TRAC:STAT:MIN? 'b';PK2P? 'b';STDD? 'b'", "1.000000E-06;2.000000E-06;1.000000E-06"),
        (":TRAC:STAT:AVER?", "0.000000E+00"),
        (":FORM:ASC:PREC 3;:TRAC:DATA? 1,1,'b'", "1.00E-06"),
    ],
)
def test_reply(filled: Any, line: str, reply: str) -> None:
    assert filled.ask(line) == reply
    assert filled.errors() == []


def test_dates_follow_the_clock(filled: Any) -> None:
    date, clock, stamp = filled.ask(":TRAC:DATA? 1,1,'b',DATE,TIME,TST").split(",")
    assert (date, clock) == ("01/01/2026", "00:00:00")
    assert stamp.startswith("01/01/2026 00:00:00.") and len(stamp) == 29


def test_reading_does_not_empty(filled: Any) -> None:
    first = filled.ask(":TRAC:DATA? 1,3,'b',READ,SOUR,REL")
    assert filled.ask(":TRAC:DATA? 1,3,'b',READ,SOUR,REL") == first
    assert len(first.split(",")) == 9


@pytest.mark.parametrize("indices", ["1,4", "0,1", "3,2", "-1,1"])
def test_what_is_not_there(filled: Any, indices: str) -> None:
    assert filled.ask(f":TRAC:DATA? {indices},'b'") == ""
    assert filled.errors() == [-222]


def test_nothing_to_fetch(bench: Any) -> None:
    assert bench.ask(":FETC?") == ""
    assert bench.errors() == [-230]


def test_binary(filled: Any) -> None:
    raw = filled.session.execute(":FORM REAL;:TRAC:DATA? 1,2,'b',SOUR,READ")
    assert raw[:2] == b"#0"
    assert struct.unpack("<4d", raw[2:]) == pytest.approx((1e-3, 1e-6, 2e-3, 2e-6))
    raw = filled.session.execute(":FORM SRE;:FORM:BORD NORM;:TRAC:DATA? 3,3,'b'")
    assert struct.unpack(">f", raw[2:]) == pytest.approx((3e-6,))
    assert filled.session.execute(":TRAC:DATA? 1,1,'b',DATE") is None
    assert filled.errors() == [1133]


def test_a_buffer_that_fills_once_throws_new_readings_away(bench: Any) -> None:
    bench.ask(":TRAC:MAKE 'b',10;:SENS:CURR:RANG 1e-3;:OUTP ON;:COUN 15", ":READ? 'b'")
    assert bench.ask(":TRAC:ACT? 'b'") == "10"
    assert bench.ask(":TRAC:FILL:MODE CONT,'b';:TRAC:ACT? 'b'") == "0"
    bench.ask(":READ? 'b'")
    assert bench.ask(":TRAC:ACT? 'b';:TRAC:ACT:STAR? 'b';END? 'b'") == "10;6;5"


def test_making_and_unmaking(filled: Any) -> None:
    assert filled.ask(":TRAC:POIN 20,'b';:TRAC:ACT? 'b';:TRAC:POIN? 'b'") == "0;20"
    assert filled.ask(":TRAC:POIN 500;:TRAC:POIN?") == "500"
    filled.ask(":TRAC:DEL 'b'", ":TRAC:DEL 'defbuffer1'", ":TRAC:ACT? 'b'")
    assert filled.errors() == [-221, -224]
    filled.ask(":TRAC:MAKE 'b',10,WRIT", ":READ? 'b'")
    assert filled.errors() == [-221]


def test_clearing(filled: Any) -> None:
    assert filled.ask(":TRAC:CLE 'b';:TRAC:ACT? 'b';:TRAC:STAT:AVER? 'b'") == "0;0.000000E+00"
    filled.ask(":TRAC:TRIG 'b'")
    assert filled.ask(":TRAC:ACT? 'b'") == "1"
