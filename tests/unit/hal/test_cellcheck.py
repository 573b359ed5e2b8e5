"""Programs that an instrument or a rig cannot run are refused, with the reason."""

from dataclasses import replace
from math import inf, nan

import pytest

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
)
from sicmctl.hal.cellcheck import check
from sicmctl.hal.errors import LimitExceeded, NotSupported
from sicmctl.hal.limits import Interval
from sicmctl.hal.potentiostat import CellLimits

LIMITS = CellLimits(
    potential=Interval(-3.0, 3.0, "V"),
    current=Interval(-0.03, 0.03, "A"),
    ranges=(1e-6, 1e-3, 1e-2),
    rate=Interval(1e-5, 10.0, "V/s"),
    interval=Interval(1e-3, 1e4, "s"),
    steps=frozenset({Open, HoldPotential, HoldCurrent, Sweep, Cycles, Impedance}),
    frequency=Interval(0.01, 1e5, "Hz"),
    tread=0.1e-3,
)
OPEN = Open(interval=1.0, duration=10.0)
HOLD = HoldPotential(interval=1.0, duration=10.0, potential=1.0)
CURRENT = HoldCurrent(interval=1.0, duration=10.0, current=1e-3)
SWEEP = Sweep(interval=0.1, start=0.0, stop=1.0, rate=0.01)
CYCLES = Cycles(interval=0.1, start=0.0, first=1.0, second=-1.0, rate=0.01, count=2)
SPECTRUM = Impedance(interval=1.0, potential=0.5, amplitude=0.01, frequencies=(1e4, 1.0))


def test_a_program_within_all_limits_passes() -> None:
    steps = (OPEN, HOLD, CURRENT, SWEEP, CYCLES, SPECTRUM)
    check(CellProgram((*steps, Repeat(steps, 1_000_000_000)), current_range=1e-2), LIMITS, "X")


def until(quantity: str, side: str, value: float, magnitude: bool = False) -> AnyStep:
    return replace(OPEN, until=(Until(quantity, side, value, magnitude),))  # type: ignore[arg-type]


BEYOND = {
    "potential": (replace(HOLD, potential=3.1), "potential 3.1 V lies outside -3 V .. 3 V"),
    "no potential": (replace(HOLD, potential=nan), "potential nan V lies outside"),
    "start": (replace(SWEEP, start=-4.0), "potential -4 V lies outside"),
    "stop": (replace(SWEEP, stop=4.0), "potential 4 V lies outside"),
    "vertex": (replace(CYCLES, second=-3.5), "potential -3.5 V lies outside"),
    "peak of the sine": (replace(SPECTRUM, potential=2.995), "potential 3.005 V lies outside"),
    "current": (replace(CURRENT, current=-0.05), "current -50 mA lies outside -30 mA .. 30 mA"),
    "fast": (replace(SWEEP, rate=20.0), "sweep rate 20 V/s lies outside 10 uV/s .. 10 V/s"),
    "slow": (replace(CYCLES, rate=1e-6), "sweep rate 1 uV/s lies outside"),
    "standing": (replace(SWEEP, rate=0.0), "sweep rate 0 V/s lies outside"),
    "stairs": (replace(SWEEP, interval=1e-3), "a stair of 10 uV is finer than its converter's"),
    "often": (replace(HOLD, interval=1e-4), "sample interval 100 us lies outside 1 ms .. 10 ks"),
    "high frequency": (replace(SPECTRUM, frequencies=(1e6,)), "frequency 1 MHz lies outside"),
    "low frequency": (replace(SPECTRUM, frequencies=(1e3, 1e-3)), "frequency 1 mHz lies outside"),
    "cut-off above": (until("potential", "above", 3.5), "potential >= 3.5 V can never be met"),
    "cut-off below": (until("potential", "below", -3.5), "potential <= -3.5 V can never be met"),
    "magnitude": (until("current", "above", 0.05, True), "|current| >= 0.05 A can never be met"),
}


@pytest.mark.parametrize("case", BEYOND)
def test_what_lies_beyond_the_limits_is_refused(case: str) -> None:
    step, reason = BEYOND[case]
    with pytest.raises(LimitExceeded) as caught:
        check(CellProgram((OPEN, Repeat((step,), 3))), LIMITS, "EmStat4")
    assert str(caught.value).startswith("EmStat4: step 2 (")
    assert reason in str(caught.value)


def test_values_at_the_limits_pass_whatever_their_last_digit() -> None:
    check(CellProgram((replace(HOLD, potential=3 * (1 + 1e-12)),)), LIMITS, "X")
    check(CellProgram((replace(HOLD, interval=1e-3 * (1 - 1e-12)),)), LIMITS, "X")
    check(CellProgram((replace(SWEEP, interval=0.01 * (1 - 1e-12)),)), LIMITS, "X")
    check(CellProgram((until("potential", "below", -3.0),)), LIMITS, "X")
    check(CellProgram((until("potential", "above", 3.0),)), LIMITS, "X")
    check(CellProgram((until("charge", "above", 1e9), until("potential rate", "below", -9.0))),
          LIMITS, "X")  # fmt: skip


def test_what_an_instrument_cannot_do_is_named_with_what_it_can() -> None:
    lesser = replace(LIMITS, steps=frozenset({Open, HoldPotential}), frequency=None)
    with pytest.raises(NotSupported) as caught:
        check(CellProgram((SPECTRUM,)), lesser, "Rodeostat")
    assert str(caught.value) == (
        "Rodeostat: step 1 (an impedance spectrum): it cannot do an impedance spectrum "
        "(it can do: a held potential, open circuit)"
    )


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (replace(HOLD, duration=0.0), "it would last no time at all"),
        (replace(HOLD, duration=-1.0), "it would last no time at all"),
        (replace(SWEEP, stop=0.0), "it would last no time at all"),
        (replace(SPECTRUM, frequencies=()), "it would last no time at all"),
        (replace(OPEN, duration=inf), "it would last for ever"),
        (replace(CYCLES, count=0), "it would last no time at all"),
    ],
)
def test_every_step_lasts_a_while(step: AnyStep, reason: str) -> None:
    with pytest.raises(NotSupported, match=reason):
        check(CellProgram((step,)), LIMITS, "X")


def test_a_program_of_nothing_is_refused() -> None:
    with pytest.raises(NotSupported, match="it has no step"):
        check(CellProgram((Repeat((), 3),)), LIMITS, "X")


def test_the_current_range_exists_and_holds_the_currents() -> None:
    with pytest.raises(LimitExceeded, match="20 mA lies above its highest range, 10 mA"):
        check(CellProgram((OPEN,), current_range=0.02), LIMITS, "X")
    with pytest.raises(LimitExceeded, match="1 mA lies beyond the current range of 100 uA"):
        check(CellProgram((CURRENT,), current_range=1e-4), LIMITS, "X")
