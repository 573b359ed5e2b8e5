"""What programs become: modes, ranges, loops, several scripts."""

import re
from dataclasses import replace

import pytest

from drivers.methodscript.compiler import State
from drivers.methodscript.kinds import KINDS
from drivers.methodscript.script import compile_program
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
from sicmctl.hal.errors import LimitExceeded, NotSupported

LR, PICO = KINDS["es4_lr"], KINDS["espico"]
HOLD = HoldPotential(interval=0.1, duration=1, potential=0.1)
PUSH = HoldCurrent(interval=0.1, duration=1, current=1e-3)


def script(*steps: AnyStep | Repeat, kind: str = "es4_lr", **how: object) -> list[str]:
    (found,) = compile_program(CellProgram(steps, **how), KINDS[kind])  # type: ignore[arg-type]
    return list(found.lines)


def lines(found: list[str], word: str) -> list[str]:
    return [line for line in found if line.startswith(word)]


def spectrum(*frequencies: float) -> Impedance:
    return Impedance(interval=0.1, potential=0.1, amplitude=0.01, frequencies=frequencies)


@pytest.mark.parametrize(
    ("steps", "modes"),
    [
        ((HOLD,), [2]),
        ((replace(HOLD, potential=-1.5),), [3]),
        ((replace(HOLD, potential=-1.5), HOLD), [4]),
        ((spectrum(1e5, 1e4),), [3]),
        ((spectrum(1e5, 1e4), HOLD), [3]),
        # no mode does both: it changes between them, and the cell is off for a moment
        ((Sweep(interval=0.1, start=-1.2, stop=0.9, rate=0.1), spectrum(1e5, 1e4)), [2, 3]),
    ],
)
def test_a_pico_takes_the_first_mode_that_fits(
    steps: tuple[AnyStep, ...], modes: list[int]
) -> None:
    found = script(*steps, kind="espico")
    assert lines(found, "set_pgstat_mode") == [f"set_pgstat_mode {mode}" for mode in modes]


def test_a_window_that_fits_no_mode_is_refused() -> None:
    wide = Cycles(interval=0.1, start=0, first=2, second=-0.7, rate=0.1)
    with pytest.raises(LimitExceeded, match=r"-0.7 .. 2 V in one step.*2.6 V between"):
        script(wide, kind="espico")


def test_a_single_line_is_short_enough() -> None:
    until = tuple(
        Until(q, "above", 0.123456789, magnitude=True)  # type: ignore[arg-type]
        for q in ("potential", "current", "charge", "potential rate")
    )
    wide = Cycles(interval=1 / 3, start=0.1234567, first=1 / 3, second=-1 / 7, rate=1 / 9)
    found = script(replace(wide, until=until), Repeat((Repeat((PUSH,), 10**6),), 10**6))
    assert max(map(len, found)) < 255


def test_the_range_is_fixed_or_found_by_the_instrument() -> None:
    assert "set_autoranging ba 1n 10m" in script(HOLD)
    assert "set_autoranging ba 100u 100u" in script(HOLD, current_range=30e-6)
    assert "set_autoranging db 10m 10m" in script(PUSH)  # 1 mA could leave its own range
    assert "set_autoranging db 10m 10m" in script(replace(PUSH, current=0.01))


def test_the_bandwidth_follows_the_sampling_or_the_program() -> None:
    assert "set_max_bandwidth 60" in script(HOLD)
    assert "set_max_bandwidth 5k" in script(HOLD, bandwidth=5e3)


def test_a_repeat_is_a_loop_that_does_not_let_go_of_the_cell() -> None:
    low = replace(HOLD, potential=-0.1)
    found = script(Repeat((HOLD, low), 1000))
    assert lines(found, "loop") == ["loop r0 < 1000i"]
    begin = found.index("loop r0 < 1000i")
    assert found.index("cell_on") < begin
    assert "cell_off" not in found[begin : found.index("on_finished:")]


def test_a_repeat_that_changes_the_mode_does_so_in_every_round() -> None:
    found = script(Repeat((PUSH, HOLD), 5))
    inside = found[found.index("loop r0 < 5i") : found.index("on_finished:")]
    assert lines(inside, "set_pgstat_mode") == ["set_pgstat_mode 6", "set_pgstat_mode 3"]
    assert inside.count("cell_off") == inside.count("cell_on") == 2


def test_a_rest_in_a_repeat_opens_the_cell_and_closes_it_again() -> None:
    found = script(Repeat((HOLD, Open(interval=0.1, duration=1)), 5))
    inside = found[found.index("loop r0 < 5i") : found.index("on_finished:")]
    assert inside.index("cell_on") < inside.index("cell_off")
    assert lines(inside, "set_pgstat_mode") == []


def test_what_is_held_already_is_not_let_go_of() -> None:
    (found,) = compile_program(CellProgram((HOLD,)), LR, State(3, on=True))
    assert "cell_on" not in found.lines and "set_pgstat_mode 3" not in found.lines


def test_a_long_program_becomes_several_scripts() -> None:
    steps = tuple(replace(HOLD, potential=0.001 * k) for k in range(100))
    found = compile_program(CellProgram(steps, CellRest.HOLD), PICO)
    assert len(found) > 1
    assert all(sum(len(line) + 1 for line in s.lines) <= PICO.script for s in found)
    assert sum(len(lines(list(s.lines), "meas_loop")) for s in found) == 100
    assert [s.last for s in found] == [False] * (len(found) - 1) + [True]
    for part in found:  # the cell stays on from script to script
        assert part.lines[-5:] == (
            "store_var z 1i ja",
            "on_finished:",
            "if z == 0i",
            "cell_off",
            "endif",
        )
    assert all("cell_on" not in part.lines for part in found[1:])


def test_a_current_does_not_flow_between_scripts() -> None:
    small = replace(LR, script=2000)
    found = compile_program(CellProgram((PUSH,) * 10), small)
    assert len(found) > 1
    assert all("store_var z 1i ja" not in part.lines for part in found)
    assert all("cell_on" in part.lines for part in found)


def test_a_repeat_too_long_for_the_memory_is_refused() -> None:
    with pytest.raises(NotSupported, match="too long for its memory"):
        compile_program(CellProgram((Repeat((HOLD,) * 100, 2),)), replace(LR, script=2000))


def test_too_many_repeats_within_each_other_are_refused() -> None:
    nested: AnyStep | Repeat = HOLD
    for _ in range(5):
        nested = Repeat((nested,), 2)
    with pytest.raises(NotSupported, match="more than 4 repeats"):
        script(nested)


@pytest.mark.parametrize(
    ("frequencies", "loops"),
    [
        ((1e3, 100.0, 10.0, 1.0), ["1k 1 4i"]),
        ((5.0,), ["5 5 1i"]),
        ((1.0, 10.0, 100.0, 3.0, 2.0), ["1 100 3i", "3 2 2i"]),
        ((10.0, 10.0, 10.0), ["10 10 3i"]),
    ],
)
def test_frequencies_become_runs(frequencies: tuple[float, ...], loops: list[str]) -> None:
    found = lines(script(spectrum(*frequencies)), "meas_loop_eis")
    assert [re.findall(r"7071068n (.*) 100m$", line) for line in found] == [[run] for run in loops]


def test_a_hold_is_cut_into_equal_intervals() -> None:
    found = lines(script(replace(HOLD, interval=3.0, duration=10.0)), "meas_loop_ca")
    assert found == ["meas_loop_ca e c 100m 2500m 10 add_meas(0 ab p)"]


def test_a_sweep_ends_where_it_should() -> None:
    ramp = Sweep(interval=1.0, start=0.0, stop=1.0, rate=0.3)
    (loop,) = lines(script(ramp), "meas_loop_lsv")
    assert loop == "meas_loop_lsv e c 0 1 333333333n 300m add_meas(0 ab p)"


@pytest.mark.parametrize(
    "step",
    [
        replace(HOLD, duration=0.0),
        Sweep(interval=0.1, start=0.1, stop=0.1, rate=0.1),
        Sweep(interval=0.1, start=0.1, stop=0.10001, rate=0.1),
    ],
)
def test_steps_of_no_length_are_refused(step: AnyStep) -> None:
    with pytest.raises(LimitExceeded, match="shorter than"):
        script(step)


def test_two_conditions_on_the_rate_are_refused() -> None:
    both = Until("potential rate", "below", 1e-3), Until("potential rate", "above", -2e-3)
    with pytest.raises(NotSupported, match="two conditions on the rate"):
        script(replace(HOLD, until=both))
