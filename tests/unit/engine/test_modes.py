"""The modes of the setpoint under the speed rule."""

from typing import Any

import pytest

from sicmctl.config.hop import Hop
from sicmctl.engine.modes import decide, told
from sicmctl.engine.rules import SafeHop
from sicmctl.hal.errors import LimitExceeded
from sicmctl.hal.hop import Absolute, Stop, StopRule
from sicmctl.scan.speed import MARGIN, reaction_total

from .test_rules import TIP, Hops, Z, found


def decided(**hop: Any) -> tuple[SafeHop, Stop]:
    """For a current of 3 nA with a noise of 3 pA, and a loop that takes 1 ms."""
    hops: Any = Hops(1e-3)
    return decide(Hop.model_validate(hop), TIP, hops, found(), 50e3, Z)


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
