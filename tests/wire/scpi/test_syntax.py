"""What a client may write, and what it means."""

import pytest

from simulators.instruments.scpi import (
    COMMON,
    Choice,
    Command,
    Device,
    Flag,
    Kind,
    Many,
    Maybe,
    Real,
    Session,
    Text,
    Whole,
)
from simulators.instruments.scpi.errors import CAPACITY, NO_ERROR
from simulators.instruments.scpi.tree import attribute, expression

NUMBER = Real(-1e9, 1e9)


def tell(word: str, kind: Kind, show: str = "{}") -> Command:
    """A query that answers with its parameter."""
    return Command(f":TELL:{word}", ask=lambda device, x: show.format(x), asks=(kind,))


class Echo(Device):
    """Says what it was told."""

    identity = "MAKER,MODEL 1,2,3"

    def __init__(self) -> None:
        self.level = 0.0
        super().__init__(
            (
                *COMMON,
                attribute(
                    ":SOURce[1]:VOLTage[:LEVel][:IMMediate]",
                    Real(-10, 10, 0.5, "V"),
                    lambda device: device,
                    "level",
                ),
                Command(":SOURce[1]:VOLTage:LIMit", ask=lambda device: "limit"),
                tell("REAL", NUMBER, "{:.6g}"),
                tell("VOLT", Real(-1e9, 1e9, unit="V"), "{:.6g}"),
                tell("AMPere", Real(-1e9, 1e9, unit="A"), "{:.6g}"),
                tell("WHOLe", Whole(0, 9)),
                tell("FLAG", Flag()),
                tell("TEXT", Text(), "<{}>"),
                tell("CHOice", Choice("ASCii", "REAL")),
                tell("MAYbe", Maybe(Whole(0, 9), 7)),
                tell("MANY", Many(Whole(0, 9), 1, 3)),
                Command(":TELL:LINE<n>:STATe", ask=lambda device, n: f"{n}"),
                Command(":TELL:BROKen", ask=lambda device: str(1 // 0)),
            )
        )

    def reset(self) -> None:
        self.level = 0.0


@pytest.fixture
def session() -> Session:
    return Session(Echo(), lambda data: None)


def ask(session: Session, line: str) -> str:
    return (session.execute(line) or b"").decode("latin-1")


def errors(session: Session) -> list[int]:
    codes = []
    while (code := int(ask(session, ":SYST:ERR:CODE?"))) != 0:
        codes.append(code)
    return codes


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("*IDN?", "MAKER,MODEL 1,2,3"),
        ("*idn?", "MAKER,MODEL 1,2,3"),
        (":*IDN?", "MAKER,MODEL 1,2,3"),
        ("  *IDN?  \r", "MAKER,MODEL 1,2,3"),
        ("", ""),
        (";;;", ""),
        (" ; *IDN? ; ", "MAKER,MODEL 1,2,3"),
        ("*OPC?;*TST?", "1;0"),
        ("SYST:ERR?", NO_ERROR),
        (":SYSTem:ERRor:NEXT?", NO_ERROR),
        ("SOUR:VOLT?", "0.000000E+00"),
        ("SOURce1:voltage:level:immediate?", "0.000000E+00"),
        (":SOUR:VOLT:IMM?", "0.000000E+00"),
        ("SOUR:VOLT 1.5;VOLT?", "1.500000E+00"),
        ("SOUR:VOLT 1.5;:SOUR:VOLT?", "1.500000E+00"),
        ("SOUR:VOLT:LEV 1.5;LEV?;LIM?", "1.500000E+00;limit"),
        ("SOUR:VOLT:LEV 1;*OPC?;LEV?", "1;1.000000E+00"),
        ("SOUR:VOLT? MIN;VOLT? MAX;VOLT? DEF", "-1.000000E+01;1.000000E+01;5.000000E-01"),
        ("SOUR:VOLT MAX;VOLT?", "1.000000E+01"),
        ("SOUR:VOLT minimum;VOLT?", "-1.000000E+01"),
        ("tell:real? 1", "1"),
        ("TELL:REAL?    -.5E-3   ", "-0.0005"),
        ("TELL:REAL? + 1", ""),
        ("TELL:REAL? 2 k", "2000"),
        ("TELL:REAL? 2MA", "2e+06"),
        ("TELL:REAL? #HFF", "255"),
        ("TELL:REAL? #B101", "5"),
        ("TELL:VOLT? 200 mV", "0.2"),
        ("TELL:VOLT? 3MAV", "3e+06"),
        ("TELL:VOLT? 3V", "3"),
        ("TELL:AMP? 5MA", "0.005"),
        ("TELL:AMP? 5 uA", "5e-06"),
        ("TELL:WHOL? 2.6", "3"),
        ("TELL:FLAG? ON;FLAG? off;FLAG? 2;FLAG? 0", "True;False;True;False"),
        ("TELL:TEXT? \"a;b,'c'\"", "<a;b,'c'>"),
        ("TELL:TEXT? 'it''s'", "<it's>"),
        ('TELL:TEXT? "say ""x"""', '<say "x">'),
        ("TELL:CHO? ascii;CHO? ASC;CHO? real", "ASC;ASC;REAL"),
        ("TELL:MAY?;MAY? 3", "7;3"),
        ("TELL:MANY? 1 , 2,3", "(1, 2, 3)"),
        ("TELL:LINE3:STAT?;:TELL:LINE:STATE?", "3;1"),
    ],
)
def test_reply(session: Session, line: str, reply: str) -> None:
    assert ask(session, line) == reply


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("NOTHING?", -113),
        ("SOURC:VOLT 1", -113),
        ("SOUR:VOLTAG 1", -113),
        ("SOUR:VOLT:LIM 1", -113),
        ("SOUR2:VOLT 1", -114),
        ("*IDN", -113),
        ("SOUR:VOLT", -109),
        ("SOUR:VOLT 1,", -109),
        ("SOUR:VOLT 1,2", -108),
        ("*RST 1", -108),
        ("SOUR:VOLT 11", -222),
        ("SOUR:VOLT 1e999", -222),
        ("SOUR:VOLT 'a'", -104),
        ("SOUR:VOLT SOME", -104),
        ("SOUR:VOLT 1 Q", -131),
        ("TELL:TEXT? abc", -104),
        ("TELL:TEXT? 'abc", -102),
        ("TELL:FLAG? MAYBE", -224),
        ("TELL:CHO? ASCI", -224),
        ("TELL:MANY? 1,2,3,4", -108),
        ("TELL:MANY?", -109),
        ("TELL:BROK?", -310),
        ("?", -102),
        ("SOUR::VOLT 1", -102),
        ("\x00\x01", -102),
    ],
)
def test_error_and_no_reply(session: Session, line: str, code: int) -> None:
    assert ask(session, line) == ""
    assert errors(session) == [code]
    assert ask(session, "SOUR:VOLT?") == "0.000000E+00"


def test_a_command_error_ends_the_line_and_an_execution_error_does_not(session: Session) -> None:
    assert ask(session, "*OPC?;NOPE;*OPC?") == "1"
    assert ask(session, "*OPC?;:SOUR:VOLT 99;*OPC?") == "1;1"
    assert errors(session) == [-113, -222]


def test_replies_end_in_a_line_feed_however_the_line_comes() -> None:
    said: list[bytes] = []
    session = Session(Echo(), said.append)
    for byte in b"*OPC?\r\n*TST?\n:SYST:CLE\n*IDN":
        session.receive(bytes([byte]))
    session.receive(b"?\n*OPC?\n")
    assert said == [b"1\n", b"0\n", b"MAKER,MODEL 1,2,3\n", b"1\n"]


def test_an_endless_line_is_reported_and_forgotten() -> None:
    said: list[bytes] = []
    session = Session(Echo(), said.append)
    for _ in range(20):
        session.receive(b"x" * (1 << 16))
    session.receive(b"?\n:SYST:ERR:CODE?\n*OPC?\n")
    assert said == [b"-363\n", b"1\n"]


def test_the_log_is_first_in_first_out_and_says_when_it_overflows(session: Session) -> None:
    for _ in range(CAPACITY + 5):
        ask(session, "NOPE")
    ask(session, "SOUR:VOLT 99")
    assert ask(session, ":SYST:ERR:COUN?") == str(CAPACITY)
    codes = errors(session)
    assert (codes[0], codes[-1], len(codes)) == (-113, -350, CAPACITY)
    assert ask(session, ":SYST:ERR?") == NO_ERROR


def test_status_registers(session: Session) -> None:
    assert ask(session, "*ESR?") == "128"
    ask(session, "*ESE 48;*SRE 32")
    assert ask(session, "*ESE?;*SRE?;*STB?") == "48;32;0"
    ask(session, "NOPE")
    assert ask(session, "*STB?") == str(4 + 32 + 64)
    assert ask(session, "*ESR?") == "32"
    ask(session, "SOUR:VOLT 99;*OPC")
    assert ask(session, "*ESR?") == "17"
    ask(session, "NOPE;*CLS")
    assert ask(session, "*CLS;*ESR?;*STB?") == "0;0"


def test_the_expression_of_a_pattern() -> None:
    pattern = expression("[:SENSe[1]]:CURRent[:DC]:RANGe[:UPPer]")
    for header in (":SENS:CURR:RANG", ":CURR:DC:RANGE", ":SENSE1:CURRENT:RANG:UPP"):
        assert pattern.fullmatch(header)
    for header in (":SENS2:CURR:RANG", ":SENS:CUR:RANG", ":CURR:RANG:DC"):
        assert not pattern.fullmatch(header)
