"""The modes of the setpoint under the speed rule."""

from dataclasses import replace
from math import radians
from typing import Any

import pytest

from sicmctl.config.hop import Hop
from sicmctl.engine.modes import decide, floor_margin, told
from sicmctl.engine.rules import SafeHop
from sicmctl.hal.capabilities import AmplifierState
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.hop import Absolute, Modulated, Onset, Stop, StopRule
from sicmctl.scan.speed import MARGIN, reaction_total

from .test_rules import TIP, Hops, Z, found


def decided(bias: float = 0.7, **hop: Any) -> tuple[SafeHop, Stop]:
    """For a current of 3 nA with a noise of 3 pA, and a loop that takes 1 ms."""
    hops: Any = Hops(1e-3)
    return decide(Hop.model_validate(hop), TIP, hops, found(), 50e3, Z, bias)


def test_a_drop_is_as_it_was() -> None:
    safe, stop = decided(setpoint=0.03, debounce=2)
    assert stop == StopRule(0.03, 2)
    assert safe.setpoint == 0.03
    assert told(stop) == {}


def test_a_level_is_held_against_the_drop_that_it_means() -> None:
    safe, stop = decided(mode="absolute", level="2.94 nA")
    assert safe.setpoint == pytest.approx(0.02)
    assert safe.highest_speed == pytest.approx(decided(setpoint=0.02)[0].highest_speed)
    assert isinstance(stop, Absolute)
    assert (stop.level, stop.least) == (2.94e-9, pytest.approx(6 * 3e-12 / 3e-9))
    assert told(stop) == {"stop_current": 2.94e-9}


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_largest_drop_still_leaves_the_margin(adaptive: bool) -> None:
    safe, stop = decided(mode="absolute", level="2.94 nA", fall_rate="10 nm/ms", adaptive=adaptive)
    assert isinstance(stop, Absolute)
    fastest = safe.fast if adaptive else 10e-6
    fall = fastest * reaction_total(1e-3, 5e3, 50e3)
    assert float(TIP.gap(stop.most)) - fall == pytest.approx(MARGIN, rel=1e-3)
    assert stop.most > 0.02


def test_at_the_highest_safe_rate_no_larger_drop_is_allowed() -> None:
    highest = decided(setpoint=0.02)[0].highest_speed
    _, stop = decided(mode="absolute", level="2.94 nA", fall_rate=f"{highest * 0.99999} m/s")
    assert isinstance(stop, Absolute)
    assert stop.most == pytest.approx(0.02, rel=1e-3)


@pytest.mark.parametrize("level", ["2.99 nA", "3 nA", "5 nA"])
def test_a_level_within_the_noise_or_above_the_current_is_refused(level: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        decided(mode="absolute", level=level)
    assert caught.value.command == f"level {level}"
    assert caught.value.problem == (
        "it must lie at least 6 times the noise below the current: that is 3 nA, its noise 3 pA "
        "rms at 5 kHz, so that the highest safe level is 2.982 nA"
    )
    assert caught.value.remedy == "lower the level or the filter"


def test_too_fast_a_fall_to_a_level_is_refused_as_any_other() -> None:
    with pytest.raises(LimitExceeded, match=r"the gap at a setpoint of 2\.00% is"):
        decided(mode="absolute", level="2.94 nA", fall_rate="100 nm/ms")


@pytest.mark.parametrize(("bias", "polarity"), [(0.7, 1.0), (-0.2, -1.0)])
def test_an_onset_stands_out_of_the_noise(bias: float, polarity: float) -> None:
    safe, stop = decided(bias, mode="onset")
    assert isinstance(stop, Onset)
    assert stop.threshold == pytest.approx(18e-12)
    assert (stop.polarity, stop.quiet) == (polarity, 3e-9)
    assert told(stop) == {"threshold_current": pytest.approx(18e-12)}
    # the tip must stop within its meniscus, 50 nm high, and leave the margin
    assert safe.highest_speed == pytest.approx(45e-9 / reaction_total(1e-3, 5e3, 50e3))
    assert (safe.gap, safe.speed) == (50e-9, pytest.approx(0.8 * safe.highest_speed))


def test_a_higher_meniscus_allows_a_faster_fall_and_a_deeper_floor() -> None:
    low, high = decided(mode="onset")[0], decided(mode="onset", meniscus="100 nm")[0]
    assert high.highest_speed == pytest.approx(low.highest_speed * 95 / 45)
    asked = {"mode": "onset", "meniscus": "100 nm"}
    assert floor_margin(Hop.model_validate(asked), TIP) == pytest.approx(400e-9)
    asked["floor_margin"] = "1 um"
    assert floor_margin(Hop.model_validate(asked), TIP) == 1e-6
    assert floor_margin(Hop(), TIP) == 2e-6


@pytest.mark.parametrize(
    ("bias", "hop", "command", "problem"),
    [
        (
            0.7,
            {"fall_rate": "60 nm/ms"},
            "fall rate 60 nm/ms",
            "the meniscus is 50 nm high, the margin 5 nm and the reaction time of the streamed "
            "engine 1 ms, so that the highest safe fall rate is 41.8 nm/ms",
        ),
        (
            0.7,
            {"threshold": "10 pA"},
            "threshold 10 pA",
            "it must be at least 6 times the noise: that is 3 pA rms at 5 kHz, so that the "
            "smallest safe threshold is 18 pA",
        ),
        (0.0, {}, "approach without bias", "no current could tell of the contact"),
        (
            0.7,
            {"amplitude": "200 nm"},
            "amplitude 200 nm",
            "the tip moves sideways half of it above the surface, where a meniscus of 50 nm may "
            "still hang on: it breaks at up to three times its height",
        ),
        (
            0.7,
            {"meniscus": "4 nm"},
            "fall rate 0 nm/ms",
            "the meniscus is 4 nm high, the margin 5 nm and the reaction time of the streamed "
            "engine 1 ms, so that the highest safe fall rate is 0 nm/ms",
        ),
    ],
)
def test_what_an_onset_is_refused_for(
    bias: float, hop: dict[str, str], command: str, problem: str
) -> None:
    with pytest.raises(LimitExceeded) as caught:
        decided(bias, mode="onset", **hop)
    assert (caught.value.command, caught.value.problem) == (command, problem)
    assert caught.value.remedy


def swung(**hop: Any) -> tuple[SafeHop, Stop]:
    """Under a bias that drives 300 pA through the tip and 400 pA past it, at 218 Hz."""
    hops: Any = Hops(1e-3)
    state = AmplifierState(1e9, 218.0, "V-CLAMP")
    seen = replace(found(0.3e-12, 300e-12), state=state, capacitive=400e-12, period=50)
    asked = Hop.model_validate({"mode": "modulated", **hop})
    return decide(asked, TIP, hops, seen, 50e3, Z, 0.7)


def test_a_drop_of_the_amplitude_means_more_of_the_current_through_the_tip() -> None:
    safe, stop = swung(setpoint="1 %")
    # 1 % of 500 pA is 5 pA, of which three fifths are of the 300 pA
    assert safe.setpoint == pytest.approx(0.01 * 25 / 9, rel=0.02)
    assert isinstance(stop, Modulated)
    assert (stop.by, stop.setpoint) == ("amplitude", pytest.approx(0.01))
    assert told(stop) == {
        "setpoint_amplitude": pytest.approx(0.01),
        "capacitive_current": 400e-12,
    }
    assert stop.crossing(300e-12).level == pytest.approx(300e-12 * (1 - safe.setpoint))


def test_a_turn_of_the_phase_means_a_drop_as_well() -> None:
    safe, stop = swung(modulated_by="phase", phase_shift="0.5 deg")
    assert safe.setpoint == pytest.approx(radians(0.5) * 25 / 12, rel=0.02)
    assert told(stop) == {
        "setpoint_phase": pytest.approx(radians(0.5)),
        "capacitive_current": 400e-12,
    }


@pytest.mark.parametrize("by", ["amplitude", "phase"])
def test_auto_means_two_per_cent_of_the_current_through_the_tip(by: str) -> None:
    auto = {"amplitude": {"setpoint": "auto"}, "phase": {"phase_shift": "auto"}}[by]
    safe, stop = swung(modulated_by=by, **auto)
    assert safe.setpoint == 0.02
    assert stop.drop(300e-12) == pytest.approx(0.02)


def test_the_delay_of_the_lock_in_slows_the_fall_down() -> None:
    safe, _ = swung(setpoint="auto")
    assert safe.highest_speed == pytest.approx(
        (safe.gap - MARGIN) / reaction_total(1e-3, 218.0, 50e3)
    )


def test_a_tip_that_conducts_otherwise_is_not_approached_with() -> None:
    _, stop = swung(setpoint="auto")
    assert stop.refusal(300e-12) is None
    assert stop.refusal(303e-12) is None
    refusal = stop.refusal(200e-12)
    assert refusal is not None
    assert refusal[0] == "low reference"
    assert "past it, so that the setpoint means a drop by more than" in refusal[1]
    _, least = swung(setpoint="0.25 %")
    refusal = least.refusal(500e-12)
    assert refusal is not None
    assert refusal[0] == "high reference"


@pytest.mark.parametrize(
    ("hop", "said"),
    [
        ({"setpoint": "0.1 %"}, r"0\.10% of the amplitude: .* the smallest safe one is 0\.22%"),
        ({"setpoint": "30 %"}, r"30\.00% of the amplitude: it would come only in contact"),
        ({"modulated_by": "phase", "phase_shift": "0.01 deg"}, r"smallest safe one is 0\.16"),
        ({"setpoint": "1 %", "fall_rate": "80 nm/ms"}, "the gap at a setpoint of 2.8"),
    ],
)
def test_what_a_modulated_bias_is_refused_for(hop: dict[str, str], said: str) -> None:
    with pytest.raises(LimitExceeded, match=said):
        swung(**hop)
