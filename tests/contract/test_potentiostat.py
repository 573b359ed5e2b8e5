"""`Potentiostat`: a program reaches the cell, its data come back, the cell is not forgotten."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from time import monotonic

import numpy as np
import pytest
from numpy.typing import NDArray

from sicmctl.hal.capabilities import F64
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    CellRest,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Sweep,
    Until,
)
from sicmctl.hal.errors import InstrumentError, LimitExceeded, NotConnected, NotSupported
from sicmctl.hal.potentiostat import (
    CellData,
    CellSamples,
    CellSpectrum,
    Potentiostat,
    SampleFlag,
    StepEnded,
)
from sicmctl.hal.timeline import Stamp
from simulators.cellconfig import CellConfig, RandlesCell, RcCell, ResistorCell
from simulators.clocks import Clock, FreeClock, WallClock

from ..potentiostats import OPENERS, Bench

OHM = 1e4
RESISTOR = ResistorCell(resistance=OHM)
DUMMY = RcCell(resistance=1e5, capacitance=1e-6, series_resistance=1e3)
BATTERY = RandlesCell(potential=0.25)
STEPS: dict[type[AnyStep], AnyStep] = {
    Open: Open(interval=0.1, duration=1),
    HoldPotential: HoldPotential(interval=0.1, duration=1, potential=0.2),
    HoldCurrent: HoldCurrent(interval=0.1, duration=1, current=20e-6),
    Sweep: Sweep(interval=0.1, start=0.1, stop=0.3, rate=0.1),
    Cycles: Cycles(interval=0.1, start=0.0, first=0.2, second=-0.2, rate=0.2),
    Impedance: Impedance(interval=0.1, potential=0.1, amplitude=0.01, frequencies=(100.0, 10.0)),
}
LONG = HoldPotential(interval=0.1, duration=1e5, potential=0.2)
VOLT = 5e-3
"""The coarsest converter's step, V."""


@pytest.fixture(params=OPENERS)
def opener(request: pytest.FixtureRequest) -> str:
    return request.param


@contextmanager
def opened(name: str, cell: CellConfig = RESISTOR, clock: Clock | None = None) -> Iterator[Bench]:
    with OPENERS[name](cell, clock or FreeClock()) as bench:
        yield bench


@pytest.fixture
def bench(opener: str) -> Iterator[Bench]:
    with opened(opener) as found:
        yield found


def clock() -> Stamp:
    return Stamp(monotonic() - START, 1e-4)


START = monotonic()


def run(
    bench: Bench, *steps: AnyStep | Repeat, after: CellRest = CellRest.OCP, **how: float
) -> list[CellData]:
    return list(bench.potentiostat.run(CellProgram(steps, after, **how), clock))


def supports(bench: Bench, kind: type[AnyStep]) -> bool:
    return kind in bench.potentiostat.limits.steps


def samples(data: list[CellData], number: int = 0) -> CellSamples:
    """All samples of a step as one."""
    parts = [d for d in data if isinstance(d, CellSamples) and d.place.number == number]
    assert parts
    join = [np.concatenate([getattr(p, name) for p in parts])
            for name in ("time", "potential", "current", "flags")]  # fmt: skip
    time, potential, current, flags = join
    return CellSamples(parts[0].place, time, parts[0].time_sd, potential, current, flags)


def ends(data: list[CellData]) -> list[StepEnded]:
    return [item for item in data if isinstance(item, StepEnded)]


def near(found: CellSamples, potential: float, current: float) -> bool:
    fine = _fine(found)
    return bool(
        np.any(fine)
        and np.allclose(found.potential, potential, atol=VOLT)
        and np.allclose(found.current[fine], current, rtol=0.02, atol=VOLT / OHM)
    )


def _fine(found: CellSamples) -> NDArray[np.bool_]:
    """Samples whose range is not said to be far too large: the first, until it was found."""
    return (found.flags & SampleFlag.UNDERLOAD) == 0


# -- what it is ---------------------------------------------------------------------------------


def test_it_says_what_it_is_and_can(bench: Bench) -> None:
    potentiostat = bench.potentiostat
    assert isinstance(potentiostat, Potentiostat)
    identity = potentiostat.identify()
    assert identity.maker and identity.model
    limits = potentiostat.limits
    assert list(limits.ranges) == sorted(set(limits.ranges)) and limits.ranges[0] > 0
    assert 0.0 in limits.potential and 0.0 in limits.current
    assert limits.interval.low > 0 and limits.rate.low > 0
    assert HoldPotential in limits.steps
    assert (Impedance in limits.steps) == (limits.frequency is not None)
    assert not bench.front.holding, "to open it switches nothing on"


# -- single steps -------------------------------------------------------------------------------


@pytest.mark.parametrize("potential", [0.4, -0.4])
def test_a_held_potential_drives_a_current_of_its_sign(bench: Bench, potential: float) -> None:
    step = HoldPotential(interval=0.1, duration=2, potential=potential)
    before = clock().time
    data = run(bench, step)
    found, (end,) = samples(data), ends(data)
    assert near(found, potential, potential / OHM)
    assert np.allclose(np.diff(found.time), 0.1, atol=0.02)
    assert 19 <= len(found) <= 21
    assert found.time[0] > before - found.time_sd - 0.01 and found.time_sd > 0
    assert end.place == found.place and end.reason == "time"
    assert end.time.time == pytest.approx(found.time[-1], abs=0.11)
    assert isinstance(data[-1], StepEnded)


@pytest.mark.parametrize(("start", "stop"), [(-0.2, 0.4), (0.4, -0.2)])
def test_a_sweep_goes_from_end_to_end(bench: Bench, start: float, stop: float) -> None:
    if not supports(bench, Sweep):
        pytest.skip("refused; see below")
    found = samples(run(bench, Sweep(interval=0.1, start=start, stop=stop, rate=0.1)))
    assert abs(found.potential[0] - start) < 0.01 + VOLT
    assert abs(found.potential[-1] - stop) < 0.01 + VOLT
    rate = np.polyfit(found.time, found.potential, 1)[0]
    assert rate == pytest.approx(0.1 if stop > start else -0.1, rel=0.01)
    fine = _fine(found)
    assert fine.sum() > len(found) * 0.8
    assert np.allclose(found.current[fine], found.potential[fine] / OHM, atol=VOLT / OHM)


def test_cycles_are_counted_and_reach_their_vertices(bench: Bench) -> None:
    if not supports(bench, Cycles):
        pytest.skip("refused; see below")
    step = Cycles(interval=0.1, start=0.0, first=0.3, second=-0.2, rate=0.2, count=3)
    data = run(bench, step)
    blocks = [d for d in data if isinstance(d, CellSamples) and len(d)]
    assert sorted({block.cycle for block in blocks}) == [0, 1, 2]
    assert [b.cycle for b in blocks] == sorted(b.cycle for b in blocks)
    for cycle in range(3):
        e = np.concatenate([b.potential for b in blocks if b.cycle == cycle])
        assert e.max() == pytest.approx(0.3, abs=0.02 + VOLT)
        assert e.min() == pytest.approx(-0.2, abs=0.02 + VOLT)
        assert abs(e[0]) < 0.02 + VOLT
    assert len(ends(data)) == 1
    time = samples(data).time
    assert np.all(np.diff(time) > 0)
    assert time[-1] - time[0] == pytest.approx(15, abs=0.5)


@pytest.mark.parametrize("current", [20e-6, -20e-6])
def test_a_held_current_lifts_the_potential_of_its_sign(bench: Bench, current: float) -> None:
    if not supports(bench, HoldCurrent):
        pytest.skip("refused; see below")
    found = samples(run(bench, HoldCurrent(interval=0.1, duration=1, current=current)))
    assert near(found, current * OHM, current)
    assert not np.any(found.flags & SampleFlag.OVERLOAD)


def test_at_open_circuit_the_cell_has_its_own_potential(opener: str) -> None:
    with opened(opener, BATTERY) as bench:
        if not supports(bench, Open):
            pytest.skip("refused; see below")
        found = samples(run(bench, STEPS[Open]))
        assert np.allclose(found.potential, 0.25, atol=VOLT)
        assert np.allclose(found.current, 0.0, atol=1e-8)


def test_a_spectrum_is_that_of_the_cell(opener: str) -> None:
    with opened(opener, DUMMY) as bench:
        if not supports(bench, Impedance):
            pytest.skip("refused; see below")
        frequencies = (*(float(f) for f in np.geomspace(1e3, 0.1, 17)), 3.0, 7.0)
        step = Impedance(
            interval=0.1, potential=0.1, amplitude=0.01, frequencies=frequencies, settle=2.0
        )
        data = run(bench, step)
        parts = [d for d in data if isinstance(d, CellSpectrum)]
        frequency = np.concatenate([p.frequency for p in parts])
        assert np.allclose(frequency, frequencies, rtol=1e-5)
        expected = 1e3 + 1e5 / (1 + 2j * np.pi * frequency * 0.1)
        assert np.allclose(np.concatenate([p.impedance for p in parts]), expected, rtol=0.01)
        assert np.all(np.diff(np.concatenate([p.time for p in parts])) > 0)
        assert parts[0].potential == pytest.approx(0.1, abs=VOLT)


@pytest.mark.parametrize("kind", STEPS)
def test_what_it_cannot_do_is_refused_and_the_cell_stays_as_it_was(
    bench: Bench, kind: type[AnyStep]
) -> None:
    if supports(bench, kind):
        pytest.skip("it can")
    bench.potentiostat.hold(0.1)
    with pytest.raises(NotSupported, match="cannot do"):
        run(bench, STEPS[HoldPotential], STEPS[kind])
    still_held(bench, 0.1)


def still_held(bench: Bench, potential: float) -> None:
    assert bench.front.holding
    e, i = bench.potentiostat.read()
    assert e == pytest.approx(potential, abs=VOLT)
    assert i == pytest.approx(potential / OHM, rel=0.02, abs=VOLT / OHM)


# -- refusals -----------------------------------------------------------------------------------


def test_what_lies_beyond_its_limits_is_refused_and_the_cell_stays_as_it_was(
    bench: Bench,
) -> None:
    limits = bench.potentiostat.limits
    good = STEPS[HoldPotential]
    assert isinstance(good, HoldPotential)
    bad: list[AnyStep] = [
        replace(good, potential=limits.potential.high * 1.01 + 0.01),
        replace(good, potential=limits.potential.low * 1.01 - 0.01),
        replace(good, potential=float("nan")),
        replace(good, interval=limits.interval.low * 0.5),
    ]
    if supports(bench, Sweep):
        bad.append(Sweep(interval=0.1, start=0, stop=0.1, rate=limits.rate.high * 1.1))
    if supports(bench, HoldCurrent):
        top = limits.current.high
        bad.append(HoldCurrent(interval=0.1, duration=1, current=top * 1.01))
    bench.potentiostat.hold(0.1)
    for step in bad:
        with pytest.raises(LimitExceeded):
            run(bench, good, Repeat((step,), 2))
    with pytest.raises(LimitExceeded):
        run(bench, good, current_range=limits.ranges[-1] * 1.1)
    with pytest.raises(LimitExceeded):
        bench.potentiostat.hold(limits.potential.high * 1.01 + 0.01)
    still_held(bench, 0.1)


# -- programs -----------------------------------------------------------------------------------


def test_steps_follow_each_other_and_repeats_are_run(bench: Bench) -> None:
    a = HoldPotential(interval=0.1, duration=0.5, potential=0.1, label="a")
    b = HoldPotential(interval=0.1, duration=0.5, potential=-0.1, label="b")
    data = run(bench, a, Repeat((Repeat((b,), 2), a), 2), b)
    places = [end.place for end in ends(data)]
    assert [p.number for p in places] == list(range(8))
    assert [p.path for p in places] == [
        (0,), (1, 0, 0), (1, 0, 0), (1, 1), (1, 0, 0), (1, 0, 0), (1, 1), (2,)]  # fmt: skip
    assert [p.loops for p in places] == [(), (0, 0), (0, 1), (0,), (1, 0), (1, 1), (1,), ()]
    signs = [np.sign(samples(data, n).potential.mean()) for n in range(8)]
    assert signs == [1, -1, -1, 1, -1, -1, 1, -1]
    time = np.concatenate([samples(data, n).time for n in range(8)])
    assert np.all(np.diff(time) > 0)
    over = 0
    for item in data:  # a step's samples come before its end, and the next step's after
        assert item.place.number == over
        over += isinstance(item, StepEnded)


def climbing(*until: Until) -> Sweep:
    return Sweep(interval=0.1, start=0.0, stop=0.4, rate=0.1, until=until)


@pytest.mark.parametrize(
    ("until", "last"),
    [
        (Until("potential", "above", 0.2), 0.2),
        (Until("current", "above", 20e-6), 0.2),
        (Until("current", "above", 20e-6, magnitude=True), 0.2),
        (Until("charge", "above", 20e-6), 0.2),  # integral of 10 uA/s t to 2 s
    ],
    ids=str,
)
def test_a_condition_ends_a_step_at_the_sample_that_meets_it(
    bench: Bench, until: Until, last: float
) -> None:
    if not supports(bench, Sweep):
        pytest.skip("it has no ramps")
    data = run(bench, climbing(until), STEPS[HoldPotential])
    assert [end.reason for end in ends(data)] == [str(until), "time"]
    found = samples(data)
    assert found.potential[-1] == pytest.approx(last, abs=0.02 + VOLT)
    assert np.all(found.potential[:-1] < found.potential[-1] + VOLT)
    assert near(samples(data, 1), 0.2, 20e-6)


def test_a_condition_from_below_counts_the_size(opener: str) -> None:
    with opened(opener, DUMMY) as bench:
        until = Until("current", "below", 6e-6, magnitude=True)
        step = HoldPotential(interval=0.02, duration=20, potential=-0.5, until=(until,))
        (end,) = ends(run(bench, step))
        assert end.reason == str(until)


def test_a_rest_ends_when_the_potential_has_come_to_rest(opener: str) -> None:
    with opened(opener, DUMMY) as bench:
        if not supports(bench, Open):
            pytest.skip("it cannot measure the open circuit")
        charge = HoldPotential(interval=0.1, duration=2, potential=0.5)
        calm = Until("potential rate", "below", 1e-3, magnitude=True)
        rest = Open(interval=0.01, duration=60, until=(calm,))
        data = run(bench, charge, rest)
        assert [end.reason for end in ends(data)] == ["time", str(calm)]
        found = samples(data, 1)
        lasted = found.time[-1] - found.time[0]
        assert 0.3 < lasted < 3  # a decay of 0.5 V with 0.1 s falls below 1 mV/s after 0.85 s


def test_the_first_of_several_conditions_is_told(bench: Bench) -> None:
    both = Until("potential", "above", 0.1), Until("current", "above", 10e-6)
    step = HoldPotential(interval=0.1, duration=1, potential=0.3, until=both)
    (end,) = ends(run(bench, step))
    assert end.reason == str(both[0])


@pytest.mark.parametrize(("what", "numbers"), [("step", 6), ("repeat", 3), ("program", 1)])
def test_a_condition_ends_what_it_says(bench: Bench, what: str, numbers: int) -> None:
    until = Until("current", "above", 10e-6, ends=what)  # type: ignore[arg-type]
    high = HoldPotential(interval=0.1, duration=1, potential=0.3, until=(until,))
    low = HoldPotential(interval=0.1, duration=0.5, potential=-0.1)
    data = run(bench, Repeat((high, low), 2), low, low, after=CellRest.HOLD)
    assert len(ends(data)) == numbers
    still_held(bench, 0.3 if what == "program" else -0.1)
    bench.potentiostat.safe_state()


def test_a_current_beyond_its_range_is_flagged(bench: Bench) -> None:
    step = HoldPotential(interval=0.1, duration=1, potential=0.5)
    small = bench.potentiostat.limits.ranges[0]
    if small > 10e-6:
        pytest.skip("its smallest range is too large for this cell")
    found = samples(run(bench, step, current_range=small))
    assert np.all(found.flags & (SampleFlag.OVERLOAD | SampleFlag.COMPLIANCE))
    whole = samples(run(bench, step, current_range=100e-6))
    assert not np.any(whole.flags & (SampleFlag.OVERLOAD | SampleFlag.COMPLIANCE))


# -- the state of the cell ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", [HoldPotential, HoldCurrent, Open, Sweep])
@pytest.mark.parametrize("after", CellRest)
def test_the_program_says_how_the_cell_is_left(
    opener: str, after: CellRest, kind: type[AnyStep]
) -> None:
    with opened(opener, BATTERY if kind is Open else RESISTOR) as bench:
        if not supports(bench, kind):
            pytest.skip("refused; see above")
        last = samples(run(bench, STEPS[kind], after=after)).potential[-1]
        assert bench.front.holding == (after is CellRest.HOLD)
        if after is CellRest.HOLD:
            assert bench.potentiostat.read()[0] == pytest.approx(last, abs=2 * VOLT)


@pytest.mark.parametrize("after", [CellRest.HOLD, CellRest.OCP])
def test_a_program_that_is_closed_leaves_the_cell_open(bench: Bench, after: CellRest) -> None:
    data = bench.potentiostat.run(CellProgram((LONG,), after), clock)
    first = next(item for item in data if isinstance(item, CellSamples) and len(item))
    assert near(first, 0.2, 20e-6) and bench.front.holding
    data.close()
    assert not bench.front.holding
    assert near(samples(run(bench, STEPS[HoldPotential])), 0.2, 20e-6)  # and it can be used


def test_an_error_of_who_listens_leaves_the_cell_open(bench: Bench) -> None:
    data = bench.potentiostat.run(CellProgram((LONG,)), clock)
    next(item for item in data if isinstance(item, CellSamples) and len(item))
    with pytest.raises(ZeroDivisionError):
        data.throw(ZeroDivisionError())
    assert not bench.front.holding


def test_a_program_that_was_not_begun_touches_nothing(bench: Bench) -> None:
    data = bench.potentiostat.run(CellProgram((LONG,)), clock)
    assert not bench.front.holding
    data.close()
    assert not bench.front.holding


def test_the_safe_state_ends_a_program_and_may_be_asked_for_again(bench: Bench) -> None:
    potentiostat = bench.potentiostat
    potentiostat.safe_state()
    assert not bench.front.holding
    data = potentiostat.run(CellProgram((LONG,), CellRest.HOLD), clock)
    next(item for item in data if isinstance(item, CellSamples) and len(item))
    potentiostat.safe_state()
    assert not bench.front.holding
    potentiostat.safe_state()
    with pytest.raises(InstrumentError):
        list(data)
    assert not bench.front.holding
    potentiostat.hold(0.1)
    potentiostat.safe_state()
    assert not bench.front.holding


def test_hold_read_and_rest(bench: Bench) -> None:
    potentiostat = bench.potentiostat
    for potential in (0.3, -0.2, 0.1):
        potentiostat.hold(potential)
        still_held(bench, potential)
    potentiostat.rest(CellRest.HOLD)
    still_held(bench, 0.1)
    for how in (CellRest.OCP, CellRest.OFF, CellRest.OCP):
        potentiostat.rest(how)
        potentiostat.rest(how)
        assert not bench.front.holding
        assert potentiostat.read()[1] == pytest.approx(0, abs=1e-7)


def test_rest_may_hold_the_potential_that_the_open_cell_has(opener: str) -> None:
    with opened(opener, BATTERY) as bench:
        if not supports(bench, Open):
            pytest.skip("it cannot measure the open circuit")
        bench.potentiostat.rest(CellRest.OCP)
        assert bench.potentiostat.read()[0] == pytest.approx(0.25, abs=VOLT)
        bench.potentiostat.rest(CellRest.HOLD)
        assert bench.front.holding
        assert bench.potentiostat.read()[0] == pytest.approx(0.25, abs=VOLT)


def test_to_let_go_of_it_leaves_the_cell_as_it_is(bench: Bench) -> None:
    bench.potentiostat.hold(0.2)
    bench.potentiostat.close()
    assert bench.front.holding
    bench.potentiostat.close()


# -- time and the link --------------------------------------------------------------------------


def test_it_gives_signs_of_life_between_far_samples(opener: str) -> None:
    with opened(opener, clock=WallClock()) as bench:
        step = HoldPotential(interval=2.5, duration=2.5, potential=0.2)
        kinds = [
            len(item) if isinstance(item, CellSamples) else -1
            for item in bench.potentiostat.run(CellProgram((step,)), clock)
        ]
        assert kinds.index(1) >= 2, "at least one item a second"
        assert set(kinds[: kinds.index(1)]) == {0}


def test_a_lost_link_ends_the_program_and_opens_the_cell(opener: str) -> None:
    with opened(opener, clock=WallClock()) as bench:
        if bench.unplug is None:
            pytest.skip("it has no link of its own")
        data = bench.potentiostat.run(CellProgram((LONG,), CellRest.HOLD), clock)
        first = next(item for item in data if isinstance(item, CellSamples) and len(item))
        assert near(first, 0.2, 20e-6)
        bench.unplug(0.2)
        with pytest.raises(NotConnected, match="the cell is") as caught:
            list(data)
        assert caught.value.remedy
        assert not bench.front.holding
        with suppress(StopIteration):
            next(data)
        assert near(samples(run(bench, STEPS[HoldPotential])), 0.2, 20e-6)


def test_a_lost_link_is_told_when_nothing_runs(bench: Bench) -> None:
    if bench.unplug is None:
        pytest.skip("it has no link of its own")
    bench.potentiostat.hold(0.2)
    bench.unplug(0.2)
    with pytest.raises(NotConnected):
        for _ in range(100):
            bench.potentiostat.read()
    assert not bench.front.holding


# -- a cell with known answers ------------------------------------------------------------------


def test_a_dummy_cell_is_found_within_a_hundredth(opener: str) -> None:
    """R = 100 kohm with C = 1 uF behind 1 kohm: R from a step, R C from what follows it."""
    with opened(opener, DUMMY) as bench:
        held = HoldPotential(interval=0.1, duration=2, potential=0.5)
        found = samples(run(bench, held))
        assert found.potential[-10:].mean() / found.current[-10:].mean() == within(101e3)
        if supports(bench, HoldCurrent):
            charge = HoldCurrent(interval=0.01, duration=1, current=5e-6)
            found = samples(run(bench, replace(held, potential=0.0), charge), 1)
            assert found.potential[-10:].mean() / found.current[-10:].mean() == within(101e3)
            missing = found.potential[-10:].mean() - found.potential[:15]
            assert _time_constant(found.time[:15], missing) == within(0.1)
        if supports(bench, Open):
            rest = Open(interval=0.01, duration=0.3)
            found = samples(run(bench, held, rest), 1)
            assert _time_constant(found.time[:15], found.potential[:15]) == within(0.1)


def within(expected: float) -> object:
    return pytest.approx(expected, rel=0.01)


def _time_constant(time: F64, decay: F64) -> float:
    """Of an exponential decay to zero, s."""
    return -1 / float(np.polyfit(time, np.log(decay), 1, w=decay)[0])
