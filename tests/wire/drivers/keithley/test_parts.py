"""Passes, integration times, and parsers that take whatever comes."""

import math
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.keithley_2450 import commands
from drivers.keithley_2450.passes import LONGEST_LIST, LONGEST_PASS, UPLOAD, passes
from drivers.keithley_2450.readings import Translator
from drivers.keithley_2450.scpi import Garbled, Scpi
from drivers.keithley_2450.wire import Wire
from sicmctl.hal.cell import Cycles, HoldPotential, Open, Sweep
from sicmctl.hal.errors import InstrumentError

RELAXED = settings(deadline=None, max_examples=60)
POTENTIAL = st.floats(-5, 5).map(lambda e: round(e, 4))


@RELAXED
@given(POTENTIAL, POTENTIAL, st.floats(1e-3, 1), st.floats(0.01, 1))
def test_a_staircase_ends_at_its_stop_at_its_rate(
    start: float, stop: float, rate: float, interval: float
) -> None:
    if abs(stop - start) < 1e-3:
        return
    step = Sweep(interval=interval, start=start, stop=stop, rate=rate)
    several = list(passes(step))
    levels = [level for one in several for level in one.levels]
    assert levels[-1] == stop
    steps = np.diff([start, *levels])
    assert np.allclose(steps, (stop - start) / len(levels), atol=1e-12)
    assert sum(one.count * one.interval for one in several) == pytest.approx(step.duration)
    assert all(len(one.levels) <= LONGEST_LIST and one.count == len(one.levels) for one in several)


@RELAXED
@given(st.integers(1, 3000), st.sampled_from([1e-3, 0.01, 0.1]))
def test_cycles_are_whole_and_numbered(count: int, tread: float) -> None:
    step = Cycles(interval=0.01, start=0, first=0.5, second=-0.5, rate=tread / 0.01, count=count)
    cycle = round(2 / tread)
    total = 0
    for one in passes(step):
        assert one.count <= LONGEST_PASS
        assert one.cycle == total // cycle
        assert one.period in (0, cycle)
        total += one.count
    assert total == cycle * count


def test_long_cycles_are_cut_where_the_list_is_full() -> None:
    step = Cycles(interval=0.01, start=0, first=1.5, second=-1.5, rate=0.1, count=2)
    lengths = [(one.cycle, len(one.levels)) for one in passes(step)]
    assert lengths == [(c, n) for c in (0, 1) for n in (2500, 2500, 1000)]


@RELAXED
@given(st.floats(0.01, 1e6), st.floats(2e-3, 60))
def test_a_long_hold_is_cut_but_not_shortened(duration: float, interval: float) -> None:
    several = list(passes(Open(interval=interval, duration=duration)))
    assert sum(one.count for one in several) * several[0].interval == pytest.approx(duration)
    assert all(one.count <= LONGEST_PASS for one in several)


def test_a_list_is_sent_in_pieces() -> None:
    levels = tuple(k / 1000 for k in range(250))
    lines = list(commands.upload("VOLT", levels))
    assert [line.split(" ")[0] for line in lines] == [
        ":SOUR:LIST:VOLT", ":SOUR:LIST:VOLT:APP", ":SOUR:LIST:VOLT:APP"]  # fmt: skip
    sent = [float(v) for line in lines for v in line.split(" ")[1].split(",")]
    assert sent == list(levels)
    assert max(len(line.split(",")) for line in lines) == UPLOAD


@RELAXED
@given(st.floats(2e-3, 3600), st.sampled_from([50.0, 60.0]))
def test_a_reading_fits_its_interval(interval: float, line: float) -> None:
    for share in (0.8, commands.AUTOMATIC):
        how = commands.reading(interval, line, share)
        assert 0.01 <= how.cycles <= 10
        assert how.duration < 0.81 * interval
        assert how.cycles < 1 or how.cycles == int(how.cycles)


class Saying:
    """An instrument that says one thing, whatever it is asked."""

    def __init__(self, line: bytes) -> None:
        self._line = line

    def write(self, data: bytes) -> None:
        assert data.endswith(b"\n")

    def line(self, timeout: float) -> bytes:
        return self._line


def scpi(line: bytes) -> Scpi:
    return Scpi(cast(Wire, Saying(line)), "tape", 1.0)


@RELAXED
@given(st.binary(max_size=60) | st.text("0123456789.,E+-naif #", max_size=60).map(str.encode))
def test_numbers_are_finite_or_garbled(line: bytes) -> None:
    try:
        rows = scpi(line).numbers("?", 2)
    except Garbled:
        return
    assert all(len(row) == 2 and all(map(math.isfinite, row)) for row in rows)
    assert [value for row in rows for value in row] == [float(t) for t in line.split(b",")]


@RELAXED
@given(st.lists(st.floats(-1e30, 1e30), min_size=5, max_size=50))
def test_what_was_written_is_read(values: list[float]) -> None:
    line = ",".join(f"{value:.15E}" for value in values).encode()
    rows = scpi(line).numbers("?")
    assert [row[0] for row in rows] == pytest.approx(values, rel=1e-15)


@RELAXED
@given(st.binary(max_size=60))
def test_the_error_queue_is_read_or_garbled(line: bytes) -> None:
    try:
        scpi(line).check("nothing")
    except InstrumentError:
        return
    assert int(line.partition(b",")[0]) == 0


@RELAXED
@given(
    st.lists(
        st.tuples(
            st.floats(-5, 5),
            st.floats(-1, 1) | st.just(9.9e37),
            st.floats(0, 1e10),
            st.floats(0, 1),
            st.integers(0, 511),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_readings_become_as_many_finite_samples(rows: list[Any]) -> None:
    (one,) = passes(HoldPotential(interval=0.1, duration=10, potential=0.1))
    samples = Translator(one, -1.0, 1e-3, True)([list(row) for row in rows])
    assert len(samples) == len(rows)
    assert np.all(np.isfinite(samples.current)) and np.all(np.isfinite(samples.potential))
    over = np.array([row[1] > 1e37 for row in rows])
    assert np.all(np.abs(samples.current[over]) == 1e-3)
    assert np.array_equal((samples.flags & 1) != 0, over)
    assert samples.off == any(not row[4] & 0x40 for row in rows)
