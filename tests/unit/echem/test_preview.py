"""What is foretold of a program is what running it would come to."""

from math import isclose, isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sicmctl import echem
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Sweep,
    Until,
    walk,
)

from .techniques import program, table

TIMES = st.integers(1, 1000).map(float)
VOLTS = st.integers(-3000, 3000).map(lambda v: v / 1000)
STEPS: st.SearchStrategy[AnyStep] = st.one_of(
    st.builds(Open, interval=TIMES, duration=TIMES),
    st.builds(HoldPotential, interval=TIMES, duration=TIMES, potential=VOLTS),
    st.builds(HoldCurrent, interval=TIMES, duration=TIMES, current=VOLTS),
    st.builds(
        Sweep,
        interval=TIMES,
        start=VOLTS,
        stop=st.just(4.0),
        rate=st.floats(0.01, 1),
        until=st.sampled_from([(), (Until("current", "above", 1.0),)]),
    ),
    st.builds(
        Cycles, interval=TIMES, start=VOLTS, first=st.just(4.0), second=VOLTS,
        rate=st.floats(0.01, 1), count=st.integers(1, 3),
    ),
    st.builds(
        Impedance, interval=TIMES, potential=VOLTS, amplitude=st.just(0.01),
        frequencies=st.just((1e3, 1.0)),
    ),
)  # fmt: skip
PROGRAMS = st.lists(
    st.recursive(
        STEPS,
        lambda inner: st.builds(Repeat, st.lists(inner, max_size=3).map(tuple), st.integers(0, 3)),
        max_leaves=8,
    ),
    max_size=4,
).map(lambda found: CellProgram(tuple(found)))


@settings(deadline=None)
@given(PROGRAMS)
def test_totals_are_those_of_the_unrolled_program(made: CellProgram) -> None:
    steps = [step for _, step in walk(made)]
    charges = [s.current * s.duration for s in steps if isinstance(s, HoldCurrent)]
    total = echem.totals(made.steps)
    assert isclose(total.duration, sum(s.duration for s in steps), abs_tol=1e-9)
    assert isclose(total.anodic, sum(q for q in charges if q > 0), abs_tol=1e-9)
    assert isclose(total.cathodic, -sum(q for q in charges if q < 0), abs_tol=1e-9)


@settings(deadline=None)
@given(PROGRAMS)
def test_the_course_ends_when_the_program_does_and_carries_its_charge(made: CellProgram) -> None:
    course, total = echem.course(made), echem.totals(made.steps)
    assert course.whole
    assert len(course.time) % 2 == 0
    if not len(course.time):
        assert total.duration == 0
        return
    assert np.all(np.diff(course.time) >= 0)
    assert isclose(course.time[-1], total.duration, rel_tol=1e-9)
    lasting = course.time[1::2] - course.time[::2]
    charge = float(np.nansum(course.current[::2] * lasting))
    assert isclose(charge, total.anodic - total.cathodic, rel_tol=1e-6, abs_tol=1e-6)
    decided = np.isnan(course.current).any()
    assert bool(decided) == total.cell_decides or total.duration == 0


CURRENTS = st.integers(-500, 500).filter(bool)


@settings(deadline=None)
@given(CURRENTS, st.integers(1, 600), st.integers(1, 900), st.integers(1, 50), st.booleans())
def test_a_titration_takes_its_pulses_and_rests(
    microamperes: int, on: int, rest: int, count: int, back: bool
) -> None:
    made = program(
        "gitt", current=f"{microamperes} uA", on=f"{on} s", rest=f"{rest} s", count=count, back=back
    )
    total, ways = echem.totals(made.steps), 2 if back else 1
    assert isclose(total.duration, ways * count * (on + rest) + rest)
    charge = abs(microamperes) * 1e-6 * on * count
    passed = sorted((total.anodic, total.cathodic))
    assert passed == pytest.approx([charge if back else 0.0, charge])
    assert not total.early


@settings(deadline=None)
@given(st.integers(-2000, 2000), st.integers(1, 500), st.integers(1, 100), st.integers(1, 9))
def test_a_voltammogram_takes_its_way_over_its_rate(
    start: int, height: int, rate: int, cycles: int
) -> None:
    made = program(
        "cv",
        start=f"{start} mV",
        vertex=f"{start + height} mV",
        rate=f"{rate} mV/s",
        cycles=cycles,
    )
    assert isclose(echem.totals(made.steps).duration, 2 * height / rate * cycles, rel_tol=1e-6)
    course = echem.course(made)
    assert isclose(np.ptp(course.potential), height * 1e-3, rel_tol=1e-6)
    assert np.isnan(course.current).all()


def test_a_million_cycles_cost_nothing() -> None:
    inner = table("gcpl", current="1 mA", time_limit="1 h", lower="0 V", upper="1 V",
                  cycles=1_000_000)  # fmt: skip
    made = program("sequence", repeat=1_000_000, techniques=[inner])
    total = echem.totals(made.steps)
    assert total.duration == 7200e12
    assert total.early
    course = echem.course(made, points=100)
    assert not course.whole
    assert len(course.time) == 100
    assert [line.what for line in echem.listing(made)] == [
        "1000000 times", "1000000 times", "1 mA", "-1 mA",
    ]  # fmt: skip


def test_the_course_of_each_kind_of_step() -> None:
    made = CellProgram(
        (
            Open(interval=1.0, duration=5.0),
            HoldPotential(interval=1.0, duration=10.0, potential=1.0),
            HoldCurrent(interval=1.0, duration=10.0, current=-1e-3),
            Cycles(interval=1.0, start=0.0, first=1.0, second=-1.0, rate=0.1),
        )
    )
    course = echem.course(made)
    assert course.time.tolist() == [0, 5, 5, 15, 15, 25, 25, 35, 35, 55, 55, 65]
    assert_same(course.potential, [nan, nan, 1, 1, nan, nan, 0, 1, 1, -1, -1, 0])
    assert_same(course.current, [0, 0, nan, nan, -1e-3, -1e-3, *[nan] * 6])


def assert_same(found: np.ndarray, wanted: list[float]) -> None:
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert (isnan(a) and isnan(b)) or isclose(a, b)


def test_a_listing_says_what_a_person_asks() -> None:
    made = program(
        "gcpl",
        capacity="1 mAh",
        current="C/10",
        lower="5 mV",
        upper="1.5 V",
        cycles=2,
        upper_hold="1 h",
        stop_if="E > 2 V",
        until="|Q| > 0.5 mAh",
    )
    told = [(line.depth, line.label, line.what, line.until) for line in echem.listing(made)]
    assert told == [
        (0, "repeat", "2 times", ()),
        (1, "charge", "100 uA", ("E > 2 V (ends all)", "E > 1.5 V",
                                 "|Q| > 500 uAh (skips the next)", "|Q| > 2 mAh (skips the next)")),
        (1, "hold", "1.5 V", ("E > 2 V (ends all)",)),
        (1, "discharge", "-100 uA", ("E > 2 V (ends all)", "E < 5 mV", "|Q| > 500 uAh")),
    ]  # fmt: skip


def test_the_words_for_each_kind_of_step() -> None:
    made = program(
        "sequence",
        techniques=[
            table("ocp", duration="1 s", until=["|dE/dt| < 1 mV/h", "dE/dt > 2 V/s"]),
            table("lsv", start="0 V", stop="1 V", rate="1 mV/s", until="Q > 1 uC"),
            table("cv", start="0 V", vertices=["1 V", "-1 V"], rate="1 mV/s", cycles=3),
            table("gitt", current="1 mA", on="1 s", rest="1 s", count=2, upper="1 V"),
            table("eis", potential="0 V", frequencies=["1 kHz", "1 Hz"]),
        ],
    )
    told = [(line.label, line.what, line.until) for line in echem.listing(made)]
    assert told == [
        ("ocp", "open circuit", ("|dE/dt| < 1 mV/h", "dE/dt > 2 V/s")),
        ("lsv", "0 V to 1 V at 1 mV/s", ("Q > 1 uC",)),
        ("cv", "0 V, 1 V, -1 V, 0 V at 1 mV/s, 3 times", ()),
        ("repeat", "2 times", ()),
        ("rest", "open circuit", ()),
        ("pulse", "1 mA", ("E > 1 V (ends the repeat)",)),
        ("rest", "open circuit", ()),
        ("eis", "1 kHz to 1 Hz about 0 V, amplitude 10 mV", ()),
    ]
