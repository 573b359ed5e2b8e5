"""When a fall is looked at: by how far the tip may press on unseen."""

from dataclasses import replace

import numpy as np
import pytest

from sicmctl.hal.capabilities import AmplifierState
from sicmctl.hal.hop import HopRequest, StopRule
from sicmctl.scan.looks import Looks
from sicmctl.scan.watch import Watch

REACTION = 1e-3
LOOKS = Looks(press=0.3e-6, sensing=50e-9)
REQUEST = HopRequest(
    x=0, y=0, start=10e-6, floor=5e-6, speed=50e-6, stop=StopRule(0.01), clear=10e-6
)


def watch(samples: int = 1, fast: bool = False, sensing: bool = False) -> Watch:
    none = np.empty(0)
    state = AmplifierState(1e9, 5e3, "V-Clamp")
    found = Watch(1e-9, 1.0, 1, state, 0.8e-9, none, none, none, chunk=10, fast=fast)
    found.samples, found.sensing = samples, sensing
    return found


@pytest.mark.parametrize("speed", [10e-6, 50e-6, 100e-6, 200e-6])
def test_the_tip_presses_no_further_the_faster_it_falls(speed: float) -> None:
    wait = LOOKS.wait(replace(REQUEST, speed=speed), watch(), REACTION)
    assert speed * (wait + REACTION) == pytest.approx(0.3e-6)


def test_looks_are_never_closer_than_where_the_current_falls() -> None:
    wait = LOOKS.wait(replace(REQUEST, speed=400e-6), watch(), REACTION)
    assert wait * 400e-6 == pytest.approx(50e-9)
    falling = LOOKS.wait(REQUEST, watch(sensing=True), REACTION)
    assert falling * 50e-6 == pytest.approx(50e-9)


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
