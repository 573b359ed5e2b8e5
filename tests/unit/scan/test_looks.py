"""When a fall is looked at: by how far the tip may press on unseen."""

from dataclasses import replace

import numpy as np
import pytest

from sicmctl.hal.capabilities import AmplifierState
from sicmctl.hal.hop import HopRequest, StopRule
from sicmctl.scan.curve import Tip
from sicmctl.scan.looks import Looks
from sicmctl.scan.noise import NoiseModel
from sicmctl.scan.rim import Rim, TipCurve
from sicmctl.scan.watch import Watch

REACTION = 1e-3
LOOKS = Looks(press=0.3e-6, least=50e-9)
REQUEST = HopRequest(
    x=0, y=0, start=10e-6, floor=5e-6, speed=50e-6, stop=StopRule(0.01), clear=10e-6
)


def watch(samples: int = 1, fast: bool = False, rim: Rim | None = None) -> Watch:
    state = AmplifierState(1e9, 5e3, "V-Clamp")
    found = Watch(1e-9, 1.0, 1, state, 0.8e-9, chunk=10, fast=fast, rim=rim)
    found.samples = samples
    return found


@pytest.mark.parametrize("speed", [10e-6, 50e-6, 100e-6, 200e-6])
def test_the_tip_presses_no_further_the_faster_it_falls(speed: float) -> None:
    wait = LOOKS.wait(replace(REQUEST, speed=speed), watch(), REACTION)
    assert speed * (wait + REACTION) == pytest.approx(0.3e-6)


def test_looks_have_a_least_distance() -> None:
    wait = LOOKS.wait(replace(REQUEST, speed=400e-6), watch(), REACTION)
    assert wait * 400e-6 == pytest.approx(50e-9)


def test_the_room_that_the_current_leaves_comes_on_top_and_telling_a_rim_takes_its_way() -> None:
    rim = Rim.of(
        TipCurve(Tip(), NoiseModel(), 3e-9, 5e3), (3e-9, 1e-4 * 3e-9), 1e-4 * 3e-9, 50e3, 50e-6
    )
    wait = LOOKS.wait(REQUEST, watch(rim=rim), REACTION)
    press = rim.curve.window + 50e-6 * REACTION
    assert 50e-6 * wait == pytest.approx(rim.room + 0.3e-6 - press)
    rim.see(np.full(100, 0.99 * 3e-9), np.linspace(1e-6, 0.9e-6, 100))
    assert LOOKS.wait(REQUEST, watch(rim=rim), REACTION) * 50e-6 == pytest.approx(0.3e-6 - press)


def test_the_fastest_fall_is_halted_within_what_the_tip_may_press() -> None:
    assert LOOKS.fastest(REACTION) * REACTION == pytest.approx(0.3e-6)
    assert LOOKS.fastest(0.0) == float("inf")


def test_in_the_fast_part_it_is_the_fast_rate_that_counts() -> None:
    both = replace(REQUEST, fast=150e-6, slow_from=7e-6)
    assert 150e-6 * (LOOKS.wait(both, watch(fast=True), REACTION) + REACTION) == pytest.approx(
        0.3e-6
    )
    assert 50e-6 * (LOOKS.wait(both, watch(), REACTION) + REACTION) == pytest.approx(0.3e-6)


def test_the_first_look_waits_for_where_a_surface_may_be() -> None:
    known = replace(REQUEST, look_from=8e-6)
    assert LOOKS.wait(known, watch(samples=0), REACTION) * 50e-6 == pytest.approx(2e-6)
    near = replace(REQUEST, look_from=9.99e-6)
    assert LOOKS.wait(near, watch(samples=0), REACTION) * 50e-6 == pytest.approx(0.25e-6)
