"""Programs as data: the order of steps, and what ends more than a step."""

from itertools import islice
from math import isclose

from sicmctl.hal.cell import (
    CellProgram,
    Cycles,
    HoldCurrent,
    Impedance,
    Open,
    Repeat,
    Sweep,
    Until,
    walk,
)

A = Open(interval=1.0, duration=1.0, label="a")
B = Open(interval=1.0, duration=1.0, label="b")
C = HoldCurrent(interval=1.0, duration=1.0, current=1e-3, label="c")
LEAVE = Until("potential", "below", 0.0, ends="repeat")
STOP = Until("potential", "below", 0.0, ends="program")


def test_places_tell_number_path_and_rounds() -> None:
    program = CellProgram((A, Repeat((B, Repeat((C,), 2)), 2)))
    told = [(p.number, p.path, p.loops, s.label) for p, s in walk(program)]
    assert told == [
        (0, (0,), (), "a"),
        (1, (1, 0), (0,), "b"),
        (2, (1, 1, 0), (0, 0), "c"),
        (3, (1, 1, 0), (0, 1), "c"),
        (4, (1, 0), (1,), "b"),
        (5, (1, 1, 0), (1, 0), "c"),
        (6, (1, 1, 0), (1, 1), "c"),
    ]


def test_a_million_rounds_cost_nothing_until_they_are_run() -> None:
    program = CellProgram((Repeat((Repeat((A, B), 1_000_000),), 1_000_000),))
    assert [s.label for _, s in islice(walk(program), 3)] == ["a", "b", "a"]


def test_repeats_of_nothing_are_passed_over() -> None:
    program = CellProgram((Repeat((), 1_000_000), Repeat((A,), 0), B))
    assert [s.label for _, s in walk(program)] == ["b"]


def test_a_condition_can_leave_its_repeat() -> None:
    program = CellProgram((Repeat((A, Repeat((C, B), 9)), 2), B))
    steps, labels = walk(program), []
    for _, step in steps:
        labels.append(step.label)
        if step is C:
            steps.obey(LEAVE)
    assert labels == ["a", "c", "a", "c", "b"]


def test_outside_a_repeat_it_ends_the_step_alone() -> None:
    steps = walk(CellProgram((A, B)))
    next(steps)
    steps.obey(LEAVE)
    assert next(steps)[1] is B


def test_a_condition_can_end_the_program() -> None:
    steps = walk(CellProgram((Repeat((A, B), 5), C)))
    next(steps)
    steps.obey(STOP)
    assert list(steps) == []


def test_a_condition_that_ends_a_step_changes_nothing_else() -> None:
    steps = walk(CellProgram((A, B)))
    next(steps)
    steps.obey(Until("potential", "below", 0.0))
    assert [s.label for _, s in steps] == ["b"]


def test_cycles_know_their_sweeps_and_time() -> None:
    cycles = Cycles(interval=0.1, start=0.0, first=1.0, second=-0.5, rate=0.1, count=3, label="cv")
    sweeps = cycles.sweeps()
    assert [(s.start, s.stop) for s in sweeps] == [(0.0, 1.0), (1.0, -0.5), (-0.5, 0.0)]
    assert {s.label for s in sweeps} == {"cv"}
    assert cycles.duration == 90.0
    assert isclose(cycles.tread, 0.01)
    one_way = Cycles(interval=0.1, start=0.0, first=1.0, second=0.0, rate=0.1)
    assert len(one_way.sweeps()) == 2


def test_a_spectrum_takes_a_few_periods_a_frequency() -> None:
    spectrum = Impedance(
        interval=1.0, potential=0.0, amplitude=0.01, frequencies=(1e3, 0.1), settle=5.0
    )
    assert spectrum.duration == 5.0 + 0.1 + 30.0
    assert Sweep(interval=0.5, start=1.0, stop=0.0, rate=0.25).duration == 4.0


def test_conditions_read_as_a_person_writes_them() -> None:
    assert str(Until("current", "below", 1e-5, magnitude=True)) == "|current| <= 1e-05 A"
    assert str(Until("potential", "above", 1.5)) == "potential >= 1.5 V"
