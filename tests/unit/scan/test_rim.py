"""What the current tells of edges: how far they are, and that the rim rests on one."""

import numpy as np
import pytest

from sicmctl.hal.capabilities import F64
from sicmctl.scan.curve import Tip
from sicmctl.scan.noise import NoiseModel
from sicmctl.scan.rim import Rim, TipCurve

TIP, NOISE, CURRENT, RATE = Tip(), NoiseModel(), 3.2e-9, 50e3
CURVE = TipCurve(TIP, NOISE, CURRENT, 5e3)


def rim_of(curve: TipCurve, seconds: float, speed: float) -> Rim:
    """Follow a fall with a reference that was averaged so long."""
    own = CURVE.blur(seconds) * CURRENT
    return Rim.of(curve, (CURRENT, own), own, RATE, speed)


def follow(drop: F64, z: F64, speed: float = 60e-6, look: int = 50) -> float | None:
    """Let the tip fall; return z at which the rim was told to rest, m, if it was."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, np.sqrt(NOISE.white * RATE / 2), len(z))
    rim = rim_of(CURVE, 2e-3, speed)
    for at in range(0, len(z), look):
        block = slice(at, at + look)
        rim.see(CURRENT * (1 - drop[block]) + noise[block], z[block])
        if rim.rests:
            return float(z[block][-1])
    return None


def ramp(top: float, bottom: float, speed: float = 60e-6) -> F64:
    return np.arange(top, bottom, -speed / RATE)


@pytest.mark.parametrize("speed", [10e-6, 60e-6, 150e-6])
@pytest.mark.parametrize("stretch", [1.0, 1.5, 2.0])
def test_a_surface_that_is_neared_does_not_end_the_fall(speed: float, stretch: float) -> None:
    """Flat, or stretched as by a slope, a permeable sample or a wider tip."""
    z = ramp(1e-6, stretch * float(TIP.gap(0.02)), speed)
    assert follow(TIP.drop(z / stretch), z, speed) is None


@pytest.mark.parametrize("stays", [0.003, 0.005, 0.008])
def test_a_current_that_stays_while_the_tip_falls_tells_of_a_rim(stays: float) -> None:
    met = float(TIP.gap(stays))
    z = ramp(1e-6, met - 0.5e-6)
    told = follow(TIP.drop(np.maximum(z, met)), z)
    assert told is not None
    assert met - 0.25e-6 < told < met


def test_a_current_that_creeps_down_as_the_tip_bends_tells_of_a_rim() -> None:
    """From 0.5 % to 1 % within 300 nm: over a surface that takes some 40 nm."""
    met = float(TIP.gap(0.005))
    z = ramp(1e-6, met - 0.3e-6)
    drop = np.where(z > met, TIP.drop(np.maximum(z, met)), 0.005 + (met - z) / 0.3e-6 * 0.005)
    told = follow(drop, z)
    assert told is not None
    assert told > met - 0.2e-6


def test_far_from_everything_nothing_rests() -> None:
    z = ramp(20e-6, 10e-6)
    assert follow(np.zeros(len(z)), z) is None


def test_a_tip_that_stands_still_does_not_press() -> None:
    z = np.concatenate((ramp(1e-6, 0.15e-6), np.full(2000, 0.15e-6)))
    assert follow(TIP.drop(z), z) is None


def test_what_noise_may_pass_for_is_not_looked_at() -> None:
    z = ramp(1e-6, 0)
    curve = TipCurve(TIP, NOISE, CURRENT, 5e3, quiet=0.01)
    rim = rim_of(curve, 2e-3, 60e-6)
    rim.see(np.full(len(z), 0.995 * CURRENT), z)
    assert not rim.rests


def test_a_current_that_is_hardly_down_leaves_room() -> None:
    """And never more than there is over a corner, where it is down by a sixth."""
    rooms = []
    for gap in (2e-6, 0.4e-6, 0.2e-6, 0.1e-6, 0.05e-6):
        z = ramp(gap + 0.2e-6, gap)
        rim = rim_of(CURVE, 2e-3, 60e-6)
        rim.see(CURRENT * (1 - TIP.drop(z) / 6), z)
        rooms.append(rim.room)
        assert rim.room < gap
    assert rooms == sorted(rooms, reverse=True)
    assert rooms[0] > 100e-9


def test_before_the_first_look_only_the_reference_is_in_doubt() -> None:
    long = rim_of(CURVE, 20e-3, 60e-6).room
    assert long > rim_of(CURVE, 2e-3, 60e-6).room > 200e-9


def test_once_a_rim_may_rest_there_is_no_room_left() -> None:
    rim = rim_of(CURVE, 2e-3, 60e-6)
    rim.see(np.full(100, 0.996 * CURRENT), ramp(0.12e-6, 0)[:100])
    assert rim.room == 0


@pytest.mark.parametrize("length", [1, 3, 7, 50, 1000])
def test_no_sample_is_left_out(length: int) -> None:
    rim = rim_of(CURVE, 2e-3, 60e-6)
    rng = np.random.default_rng(2)
    current, z = rng.normal(CURRENT, 1e-12, length), rng.normal(0, 1e-9, length)
    rim.see(current, z)
    n = len(rim.places)
    assert n == max(round(length / rim.chunk), 1)
    if length % n == 0:
        assert rim.places.mean() == pytest.approx(z.mean())


def test_what_many_hops_know_helps_once_the_tip_has_fallen() -> None:
    """At the top it does not: their tops tell nothing of an edge beside this one."""
    own, z = CURVE.blur(2e-3) * CURRENT, ramp(2e-6, 1e-6)
    rooms = []
    for sd in (own, own / 3):
        rim = Rim.of(CURVE, (CURRENT, sd), own, RATE, 60e-6)
        first = rim.room
        rim.see(CURRENT * (1 - TIP.drop(z) / 6), z)
        rooms.append((first, rim.room))
    (first, later), (first_known, later_known) = rooms
    assert first == first_known
    assert later_known > later + 20e-9
