"""Each technique becomes the program that an electrochemist means by it."""

from itertools import pairwise
from math import isclose
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sicmctl.echem import ImpossibleTechnique
from sicmctl.hal.cell import (
    CellRest,
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

from .techniques import Options, program, steps, table


def near(value: float) -> Any:
    """Equal to the value but for the last digits."""
    return pytest.approx(value)


REACHED_LOWER = Until("potential", "below", 0.005)
REACHED_UPPER = Until("potential", "above", 1.5)


def test_rest_and_ocp_differ_in_their_label_alone() -> None:
    for name in ("ocp", "rest"):
        (step,) = steps(name, duration="10 min", until="|dE/dt| < 1 mV/h")
        assert isinstance(step, Open)
        assert (step.label, step.duration, step.interval) == (name, 600.0, 0.6)
        assert step.until == (Until("potential rate", "below", near(1e-3 / 3600), magnitude=True),)


def test_the_settings_are_the_programs() -> None:
    plain = program("ocp", duration="1 s")
    assert (plain.after, plain.current_range, plain.bandwidth) == (CellRest.OCP, None, None)
    told = program("ocp", duration="1 s", after="hold", current_range="10 uA", bandwidth="1 kHz")
    assert (told.after, told.current_range, told.bandwidth) == (CellRest.HOLD, 1e-5, 1e3)


def test_a_cyclic_voltammogram() -> None:
    (cycles,) = steps("cv", start="1.7 V", vertex="0 V", rate="0.3 mV/s", cycles=2)
    assert isinstance(cycles, Cycles)
    assert (cycles.start, cycles.first, cycles.second, cycles.count) == (1.7, 0.0, 1.7, 2)
    assert isclose(cycles.tread, 1e-3)
    assert isclose(cycles.duration, 4 * 1.7 / 0.3e-3)


def test_a_voltammogram_with_two_vertices_from_open_circuit() -> None:
    settle, cycles = steps(
        "cv",
        present=1.2,
        start="OCP",
        vertices=["-0.1 V vs OCP", "1.7 V"],
        rate="1 mV/s",
        settle="10 s",
        until="|I| > 1 mA",
        stop_if="Q > 1 C",
    )
    assert isinstance(settle, HoldPotential)
    cut_off = Until("charge", "above", 1.0, ends="program")
    assert (settle.potential, settle.duration, settle.until) == (1.2, 10.0, (cut_off,))
    assert isinstance(cycles, Cycles)
    assert (cycles.start, cycles.second) == (1.2, 1.7)
    assert isclose(cycles.first, 1.1)
    assert cycles.until == (cut_off, Until("current", "above", 1e-3, magnitude=True))


@pytest.mark.parametrize(
    ("rate", "span", "options", "tread"),
    [
        ("0.02 mV/s", "1 V", {}, 1e-3),
        ("50 mV/s", "1 V", {}, 1e-3),
        ("200 mV/s", "1 V", {}, 4e-3),  # 50 samples a second
        ("5 V/s", "1 V", {}, 10e-3),  # no coarser
        ("1 mV/s", "0.2 mV", {}, 0.2e-3),  # no higher than the sweep
        ("1 mV/s", "1 V", {"step": "5 mV"}, 5e-3),
        ("1 mV/s", "1 V", {"interval": "0.5 s"}, 0.5e-3),
    ],
)
def test_stairs_are_fine_but_not_too_many(
    rate: str, span: str, options: Options, tread: float
) -> None:
    (sweep,) = steps("lsv", start="0 V", stop=span, rate=rate, **options)
    assert isinstance(sweep, Sweep)
    assert isclose(sweep.tread, tread)


def test_what_stands_against_open_circuit_needs_it() -> None:
    with pytest.raises(ImpossibleTechnique, match="50 mV vs OCP needs the open-circuit potential"):
        steps("hold", potential="50 mV vs OCP", duration="1 s")
    with pytest.raises(ImpossibleTechnique, match="needs the open-circuit potential"):
        steps("ocp", duration="1 s", until="E > 50 mV vs OCP")
    (hold,) = steps("hold", present=0.3, duration="1 s")
    assert isinstance(hold, HoldPotential)
    assert hold.potential == 0.3


@pytest.mark.parametrize("name", ["lsv", "cv"])
def test_a_sweep_that_turns_out_to_go_nowhere_is_refused(name: str) -> None:
    to = {"lsv": "stop", "cv": "vertex"}[name]
    with pytest.raises(ImpossibleTechnique, match=rf"{name}: the sweep from 0.5 V to 0.5 V has no"):
        steps(name, present=0.5, start="OCP", rate="1 mV/s", **{to: "0.5 V"})


def test_steps_of_potential() -> None:
    a, b, *again = steps(
        "ca", potential=["0 V", "0.5 V"], duration=["1 s", "10 s"], repeat=3, interval="0.1 s"
    )
    assert isinstance(a, HoldPotential) and isinstance(b, HoldPotential)
    assert [(s.potential, s.duration, s.interval) for s in (a, b)] == [(0, 1, 0.1), (0.5, 10, 0.1)]
    assert again == [a, b] * 2


def test_steps_of_current_per_area_and_per_capacity() -> None:
    up, down = steps(
        "cp",
        current=["0.4 mA/cm^2", "-C/2"],
        area="0.5 cm^2",
        capacity="1 mAh",
        duration="1 h",
        until=["E > 1.5 V"],
    )
    assert isinstance(up, HoldCurrent) and isinstance(down, HoldCurrent)
    assert isclose(up.current, 0.2e-3)
    assert isclose(down.current, -0.5e-3)
    assert up.until == down.until == (REACHED_UPPER,)
    assert {up.label, down.label} == {"cp"}


def test_a_current_that_a_potential_ends_is_sampled_more_often() -> None:
    for until, interval in (((), 1.0), ("Q > 1 C", 1.0), ("E > 1.5 V", 0.18)):
        (step,) = steps("cp", current="1 mA", duration="1 h", until=until)
        assert step.interval == interval
    charge, _ = steps("gcpl", **{**GCPL, "current": "5C"})
    assert isclose(charge.interval, 1440 / 20_000)
    (step,) = steps("cp", current="1 mA", duration="1 s", until="E > 1.5 V")
    assert step.interval == 0.02


def test_a_spectrum_has_its_ends_and_so_many_a_decade() -> None:
    (spectrum,) = steps("eis", present=0.1, high="100 kHz", low="0.1 Hz", settle="5 s")
    assert isinstance(spectrum, Impedance)
    assert len(spectrum.frequencies) == 61
    assert (spectrum.frequencies[0], spectrum.frequencies[-1]) == (1e5, 0.1)
    ratios = [a / b for a, b in pairwise(spectrum.frequencies)]
    assert all(isclose(ratio, 10**0.1, rel_tol=1e-9) for ratio in ratios)
    assert (spectrum.potential, spectrum.amplitude, spectrum.settle) == (0.1, 0.01, 5.0)
    (one,) = steps("eis", potential="0 V", high="1 kHz", low="1 kHz")
    assert isinstance(one, Impedance)
    assert one.frequencies == (1e3,)
    (given_,) = steps("eis", potential="0 V", frequencies=["1 Hz", "1 kHz"])
    assert isinstance(given_, Impedance)
    assert given_.frequencies == (1.0, 1e3)


GCPL: Options = {"current": "C/10", "capacity": "1 mAh", "lower": "5 mV", "upper": "1.5 V"}


def test_cycling_counts_cycles_and_ends_at_the_limits() -> None:
    made = program("gcpl", **GCPL, first="discharge", cycles=3, rest="10 min")
    (repeat,) = made.steps
    assert isinstance(repeat, Repeat)
    assert repeat.count == 3
    discharge, rest, charge, _ = repeat.body
    assert isinstance(discharge, HoldCurrent) and isinstance(charge, HoldCurrent)
    assert isinstance(rest, Open)
    assert (discharge.label, charge.label, rest.label) == ("discharge", "charge", "rest")
    assert isclose(discharge.current, -1e-4) and isclose(charge.current, 1e-4)
    assert discharge.until == (REACHED_LOWER,) and charge.until == (REACHED_UPPER,)
    assert isclose(charge.duration, 20 * 3600)  # twice what 1 mAh takes at C/10
    assert rest.duration == 600.0
    assert [place.loops[0] for place, _ in walk(made)] == [0] * 4 + [1] * 4 + [2] * 4


def test_discharge_may_have_its_own_current() -> None:
    charge, discharge = steps("gcpl", **GCPL, discharge_current="2C", time_limit="1 h")
    assert isinstance(charge, HoldCurrent) and isinstance(discharge, HoldCurrent)
    assert isclose(discharge.current, -2e-3)
    assert charge.duration == discharge.duration == 3600.0


def labels(name: str, met: dict[str, Until], **options: Any) -> list[str]:
    """Walk a program as a driver would; met: what ends the steps of a label early."""
    walked, told = walk(program(name, **options)), []
    for _, step in walked:
        told.append(step.label)
        if step.label in met:
            assert met[step.label] in step.until
            walked.obey(met[step.label])
    return told


HELD: Options = {
    **GCPL,
    "lower_hold": "2 h",
    "hold_current": "C/50",
    "first": "discharge",
    "rest": "1 s",
}


def test_a_hold_follows_only_where_the_limit_was_reached() -> None:
    spent = Until("charge", "above", near(7.2), magnitude=True, ends="repeat")
    enough = Until("charge", "above", 1.8, magnitude=True, ends="repeat")
    whole = ["discharge", "hold", "rest", "charge", "rest"]
    short = ["discharge", "rest", "charge", "rest"]
    assert labels("gcpl", {"discharge": REACHED_LOWER}, **HELD) == whole
    assert labels("gcpl", {"discharge": spent}, **HELD) == short
    assert labels("gcpl", {"discharge": enough}, **HELD, until="|Q| > 0.5 mAh") == short


def test_the_time_limit_before_a_hold_acts_as_charge_first() -> None:
    passing, hold, *_ = steps("gcpl", **HELD, time_limit="10 h")
    assert isinstance(passing, HoldCurrent) and isinstance(hold, HoldPotential)
    charge = next(until.value for until in passing.until if until.quantity == "charge")
    assert isclose(charge, 1e-4 * 36000)
    assert passing.duration > 36000
    assert (hold.potential, hold.duration) == (0.005, 7200.0)
    assert hold.until == (Until("current", "below", near(2e-5), magnitude=True),)


GITT: Options = {"current": "-0.4 mA", "on": "2 min", "rest": "5 min", "count": 3, "lower": "5 mV",
        "upper": "1.5 V"}  # fmt: skip


def test_a_titration_rests_on_both_sides_of_each_pulse() -> None:
    made = program("gitt", **GITT, back=True)
    told = [(s.label, getattr(s, "current", 0.0), p.loops) for p, s in walk(made)]
    down = [("rest", 0.0, (k,)) if half else ("pulse", -0.4e-3, (k,))
            for k in range(3) for half in (True, False)]  # fmt: skip
    up = [(label, -current if current else 0.0, loops) for label, current, loops in down]
    assert told == [*down, *up, ("rest", 0.0, ())]


def test_a_pulse_that_reaches_its_limit_is_the_last_one() -> None:
    reached = Until("potential", "below", 0.005, ends="repeat")
    walked, told = walk(program("gitt", **GITT, back=True)), []
    for _, step in walked:
        told.append(getattr(step, "current", 0.0))
        if reached in step.until:
            walked.obey(reached)
    assert told == [0, -0.4e-3, 0, 0.4e-3, 0, 0.4e-3, 0, 0.4e-3, 0]


def test_rests_of_a_titration_may_end_when_calm() -> None:
    rest, pulse, *_ = steps("gitt", **GITT, rest_until="|dE/dt| < 1 mV/h", stop_if="E > 2 V")
    cut_off = Until("potential", "above", 2.0, ends="program")
    assert rest.until[0] == pulse.until[0] == cut_off
    assert rest.until[1].quantity == "potential rate"
    assert pulse.until[1:] == (Until("potential", "below", 0.005, ends="repeat"),)


def held(name: str, **options: Any) -> list[float]:
    return [s.potential for s in steps(name, **options) if isinstance(s, HoldPotential)]


def test_the_published_potential_steps() -> None:
    down = [1.7, 1.5, 1.3, 1.1, 0.9, 0.7, 0.5, 0.3, 0.1]
    up = [0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.6]
    potentials = ["1.7 V", "0.1 V", "1.6 V"]
    assert held("steps", potentials=potentials, step="0.2 V", duration="5 min") == down + up
    assert held("steps", potentials=potentials, duration="5 min") == [1.7, 0.1, 1.6]


def test_a_potentiostatic_titration_there_and_back() -> None:
    options: Options = {
        "start": "1 V",
        "stop": "0.95 V",
        "step": "20 mV",
        "duration": "1 h",
        "rest": "1 s",
    }
    made = steps("pitt", **options, back=True, until="|I| < C/50", capacity="1 mAh")
    held_ = [s for s in made if isinstance(s, HoldPotential)]
    assert [s.potential for s in held_] == [1.0, 0.98, 0.96, 0.95, 0.97, 0.99, 1.0]
    faded = Until("current", "below", near(2e-5), magnitude=True)
    assert all(s.until == (faded,) for s in held_)
    assert [s.label for s in made] == ["step", "rest"] * 7


CORNERS = st.lists(st.integers(-3000, 3000), min_size=2, max_size=5).filter(
    lambda found: all(a != b for a, b in pairwise(found))
)


@settings(deadline=None)
@given(CORNERS, st.integers(3, 700))
def test_no_stair_is_higher_than_asked_and_no_corner_cut(corners: list[int], step: int) -> None:
    potentials = held(
        "steps",
        potentials=[f"{c} mV" for c in corners],
        step=f"{step} mV",
        duration="1 s",
    )
    stairs = [abs(b - a) for a, b in pairwise(potentials)]
    assert all(0 < stair <= step * 1e-3 + 1e-9 for stair in stairs)
    passed = iter(potentials)
    assert all(any(isclose(p, c * 1e-3, abs_tol=1e-9) for p in passed) for c in corners)


def test_sequences_repeat_nest_and_hand_their_cut_offs_down() -> None:
    inner = table(
        "sequence",
        repeat=2,
        stop_if="E > 1.9 V",
        techniques=[table("cc", current="1 mA", duration="1 s", stop_if="Q > 1 C")],
    )
    made = program(
        "sequence",
        repeat=1_000_000,
        after="off",
        stop_if="E > 2 V",
        techniques=[table("rest", duration="1 s"), inner],
    )
    assert made.after is CellRest.OFF
    (outer,) = made.steps
    assert isinstance(outer, Repeat)
    assert outer.count == 1_000_000
    rest, repeated = outer.body
    assert isinstance(rest, Open) and isinstance(repeated, Repeat)
    first = Until("potential", "above", 2.0, ends="program")
    second = Until("potential", "above", 1.9, ends="program")
    third = Until("charge", "above", 1.0, ends="program")
    assert rest.until == (first,)
    (current,) = repeated.body
    assert isinstance(current, HoldCurrent)
    assert current.until == (first, second, third)
