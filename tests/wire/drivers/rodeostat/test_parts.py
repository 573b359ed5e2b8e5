"""Variants, tests of other shapes, and parsers that take whatever comes."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.rodeostat.messages import parse, sample
from drivers.rodeostat.variants import variant
from drivers.rodeostat.waveforms import waveforms
from sicmctl.hal.cell import Cycles, HoldPotential

RELAXED = settings(deadline=None, max_examples=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@RELAXED
@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_a_line_is_an_object_or_an_error(line: bytes) -> None:
    try:
        message = parse(line)
    except ValueError:
        return
    assert message == json.loads(line)


@RELAXED
@given(st.fixed_dictionaries({"t": JSON, "v": JSON, "i": JSON}, optional={"le": JSON}))
def test_a_sample_has_finite_numbers_or_is_an_error(message: dict[str, object]) -> None:
    try:
        found = sample(message, 1e-6)
    except ValueError:
        return
    assert found is not None
    assert all(map(math.isfinite, (found.time, found.potential, found.current)))
    assert found.over == (message.get("le") is True)


@RELAXED
@given(st.dictionaries(st.sampled_from("tvinx"), st.floats(-10, 10), max_size=4))
def test_what_lacks_a_number_ends_a_test(message: dict[str, object]) -> None:
    assert (sample(message, 1e-6) is None) == (not {"t", "v", "i"} <= message.keys())


@pytest.mark.parametrize(
    ("name", "currents", "top"),
    [
        ("10V_microAmpV0.2", ["1uA", "10uA", "100uA", "1000uA"], 10.0),
        ("10V_nanoAmpV0.2", ["60nA", "100nA", "1uA", "10uA"], 10.0),
        ("AD8251_milliAmpV0.1", ["100uA", "1000uA", "12000uA", "24000uA"], 8.0),
    ],
)
def test_variants(name: str, currents: list[str], top: float) -> None:
    found = variant(name)
    assert found is not None
    assert list(found.currents) == currents
    assert list(found.currents.values()) == sorted(found.currents.values())
    assert max(found.volts.values()) == top
    assert found.current_range(1.0) == currents[-1]


def test_cycles_that_begin_beyond_their_vertices_are_sweeps() -> None:
    step = Cycles(interval=0.1, start=1.0, first=0.4, second=0.0, rate=0.1, count=2)
    several = list(waveforms(step))
    assert [one.name for one in several] == ["linearSweep"] * 6
    assert [one.cycle for one in several] == [0, 0, 0, 1, 1, 1]
    assert several[2].parameters["finalValue"] == 1.0


@RELAXED
@given(st.floats(1e-3, 3600))
def test_sample_periods_are_such_as_the_firmware_takes(interval: float) -> None:
    (one,) = waveforms(HoldPotential(interval=interval, duration=10, potential=0))
    assert 1 <= one.sample_period <= 1000
    assert one.sample_period * one.every * 1e-3 == pytest.approx(interval, rel=0.01, abs=6e-4)
