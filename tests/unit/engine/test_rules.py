"""The speed rule: what is chosen, and what is refused with all its numbers."""

import re
from typing import Any

import numpy as np
import pytest

from sicmctl.engine.rules import SafeHop, decide
from sicmctl.engine.tuneup import Tuneup
from sicmctl.hal.capabilities import AmplifierState, Axis
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.hop import Reaction
from sicmctl.hal.limits import Interval
from sicmctl.scan.curve import Tip
from sicmctl.scan.mains import MainsTracker
from sicmctl.scan.noise import NoiseModel

TIP = Tip(50e-9, 1.7, np.radians(3.5))
Z = Axis(Interval(0, 38e-6, "m"), 3e-3, 2e3, 0.7)


class Hops:
    """A hop engine of which only the reaction time matters."""

    name = "streamed"

    def __init__(self, worst: float) -> None:
        self._worst = worst

    def reaction(self) -> Reaction:
        return Reaction(self._worst / 2, self._worst)


def found(sigma: float = 3e-12, current: float = 3e-9) -> Tuneup:
    state = AmplifierState(1e9, 5e3, "V-CLAMP")
    reaction = Reaction(1e-3, 1e-3)
    return Tuneup(current, sigma, NoiseModel(), state, MainsTracker(50, 50e3), reaction)


def decided(setpoint: Any, speed: Any, worst: float = 1e-3, **more: Any) -> SafeHop:
    tuneup = more.pop("found", found())
    hops: Any = Hops(worst)
    return decide(
        setpoint, speed, TIP, hops, tuneup, rate=50e3, z=Z, **({"amplitude": 5e-6} | more)
    )


def test_auto_takes_two_per_cent_where_the_noise_allows() -> None:
    assert decided("auto", "auto").setpoint == 0.02


def test_auto_takes_six_sigma_where_it_does_not() -> None:
    safe = decided("auto", "auto", found=found(sigma=15e-12))
    assert safe.setpoint == pytest.approx(6 * 15e-12 / 3e-9)
    assert safe.smallest_setpoint == safe.setpoint


def test_auto_falls_at_four_fifths_of_what_is_safe() -> None:
    safe = decided(0.02, "auto")
    assert safe.speed == pytest.approx(0.8 * safe.highest_speed)
    room = float(TIP.gap(0.02)) - 5e-9
    assert safe.gap == pytest.approx(float(TIP.gap(0.02)))
    # reaction, half a sample, and the delay of the filter, which is below 0.1 ms at 5 kHz
    assert room / 1.11e-3 < safe.highest_speed < room / 1.01e-3


def test_a_faster_reaction_allows_a_faster_fall() -> None:
    assert decided(0.02, "auto", 1e-4).speed > 4 * decided(0.02, "auto", 1e-3).speed


def test_what_is_asked_for_and_safe_is_taken() -> None:
    safe = decided(0.03, 10e-6)
    assert (safe.setpoint, safe.speed) == (0.03, 10e-6)


def test_the_stage_and_the_rig_file_bound_the_fall_too() -> None:
    assert decided(0.02, "auto", ceiling=1e-6).speed == pytest.approx(0.8e-6)
    with pytest.raises(LimitExceeded):
        decided(0.02, 1.1e-6, ceiling=1e-6)
    slow = Axis(Z.travel, 2e-6, 2e3, 0.7)
    hops: Any = Hops(1e-3)
    assert (
        decide(0.02, "auto", TIP, hops, found(), rate=50e3, z=slow, amplitude=5e-6).highest_speed
        == 2e-6
    )


def test_too_fast_a_fall_is_refused_naming_gap_margin_and_reaction() -> None:
    with pytest.raises(LimitExceeded) as caught:
        decided(0.02, 100e-6)
    assert caught.value.command == "fall rate 100 nm/ms"
    gap = f"{float(TIP.gap(0.02)) * 1e9:.4g} nm"
    assert re.fullmatch(
        rf"the gap at a setpoint of 2\.00% is {re.escape(gap)}, the margin 5 nm and the reaction "
        r"time of the streamed engine 1 ms, so that the highest safe fall rate is [\d.]+ nm/ms",
        caught.value.problem,
    )
    assert caught.value.remedy == (
        'lower the fall rate, raise the filter, wire a comparator, or write fall_rate = "auto"'
    )


def test_too_small_a_setpoint_is_refused_naming_current_noise_and_bound() -> None:
    with pytest.raises(LimitExceeded) as caught:
        decided(0.005, "auto")
    assert caught.value.command == "setpoint 0.50%"
    assert caught.value.problem == (
        "it must be at least 6 times the noise: the current is 3 nA, its noise 3 pA rms at 5 kHz, "
        "so that the smallest safe setpoint is 0.60%"
    )
    assert caught.value.remedy == 'raise the setpoint, lower the filter, or write setpoint = "auto"'


@pytest.mark.parametrize("speed", [0.0, -1e-6, float("nan")])
def test_a_fall_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(LimitExceeded):
        decided(0.02, speed)


def test_no_reaction_is_fast_enough_where_there_is_no_gap() -> None:
    """With a drop of half the current the tip is inside its margin: nothing is safe."""
    with pytest.raises(LimitExceeded) as caught:
        decided(0.4, "auto")
    assert "highest safe fall rate is 0 nm/ms" in caught.value.problem


def test_auto_leaves_a_short_hop_time_for_its_curve() -> None:
    slow = decided(0.02, "auto", amplitude=80e-9)
    assert slow.speed == pytest.approx(80e-9 / 8e-3)
