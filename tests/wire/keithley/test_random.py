"""Whatever comes over the wire, the instrument lives and its error queue stays in order."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.instruments.keithley import commands
from simulators.instruments.keithley.models import MODELS
from simulators.instruments.scpi import Command

ALL = commands.of(MODELS["2450"])
SLOW = ("*WAI", "*OPC", ":INITiate")  # an endless sweep makes waiting endless, as it should

RELAXED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

PARAMETERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(str),
    st.integers(-5, 30).map(str),
    st.sampled_from(["ON", "OFF", "MIN", "MAX", "DEF", "VOLT", "CURR", "AUTO", "READ", "SOUR"]),
    st.sampled_from(['"defbuffer1"', "'defbuffer2'", "'b'", '"VOLT"', "'RES'", "'SimpleLoop'"]),
    st.sampled_from(["1 mV", "2uA", "#HFF", "1e99", "(1,2)", "", "@", "'", '"']),
)


def header(command: Command) -> str:
    """A header that the pattern allows."""
    text = command.pattern.replace("[1]", "").replace("<n>", "2")
    while "[" in text:
        start = text.index("[")
        text = text[:start] + text[text.index("]", start) + 1 :]
    return text


HEADERS = st.sampled_from([header(c) for c in ALL if not c.pattern.startswith(SLOW)])
COMMANDS = st.builds(
    lambda head, query, parameters: f"{head}{query} {','.join(parameters)}",
    HEADERS,
    st.sampled_from(["", "?"]),
    st.lists(PARAMETERS, max_size=4),
)
LINES = st.lists(COMMANDS, min_size=1, max_size=6).map(";".join)


@pytest.fixture
def healthy(bench: Any) -> Callable[[], None]:
    """Fails unless the queue counts right, empties, and holds no error of our own."""

    def check() -> None:
        bench.ask("*LANG SCPI")
        count = int(bench.ask(":SYST:ERR:COUN?"))
        codes = bench.errors()
        assert len(codes) == count
        assert -310 not in codes
        assert bench.ask(":SYST:ERR?") == '0,"No error;0;0 0"'
        assert bench.ask("*IDN?").startswith("KEITHLEY")

    return check


@RELAXED
@given(data=st.binary(max_size=200))
def test_random_bytes(bench: Any, healthy: Callable[[], None], data: bytes) -> None:
    session = bench.smu.session(lambda reply: None)
    session.receive(data)
    session.receive(b"\n")
    healthy()


@RELAXED
@given(line=LINES)
def test_random_commands(bench: Any, healthy: Callable[[], None], line: str) -> None:
    bench.ask("*RST", line)
    healthy()


@RELAXED
@given(line=COMMANDS)
def test_every_reply_is_one_line_of_text(bench: Any, line: str) -> None:
    bench.ask("*RST;:FORM ASC")
    reply = bench.ask(line)
    assert "\n" not in reply
    assert reply.isascii()
    if "?" not in line.split(" ", 1)[0]:
        assert reply == ""
