"""What ends a fall."""

from dataclasses import replace

import numpy as np
import pytest

from sicmctl.hal.capabilities import AmplifierState
from sicmctl.hal.hop import HopStatus
from sicmctl.scan.curve import Tip
from sicmctl.scan.noise import NoiseModel
from sicmctl.scan.rim import Rim, TipCurve
from sicmctl.scan.watch import Watch

STATE = AmplifierState(1e9, 5e3, "V-CLAMP")
LEVEL = 0.98e-9


def watch(debounce: int = 1, sign: float = 1.0) -> Watch:
    return Watch(
        level=LEVEL,
        sign=sign,
        debounce=debounce,
        state=STATE,
        touch_level=0.7e-9,
        chunk=12,
    )


def current(*values: float) -> np.ndarray:
    """In nA."""
    return np.array(values) * 1e-9


def test_nothing_ends_a_fall_above_the_level() -> None:
    w = watch()
    for _ in range(3):
        assert not w.see(np.full(25, 1e-9), False, STATE)
    assert (w.crossing, w.status, w.samples) == (None, None, 75)


def test_the_first_sample_below_the_level_is_the_crossing() -> None:
    w = watch()
    assert not w.see(current(1, 1, 0.99), False, STATE)
    assert w.see(current(1, 0.97, 1, 0.9), False, STATE)
    assert (w.crossing, w.status, w.samples) == (4, None, 7)


def test_the_level_itself_is_not_below_it() -> None:
    w = watch()
    assert not w.see(np.full(3, LEVEL), False, STATE)


@pytest.mark.parametrize(
    ("blocks", "crossing"),
    [
        (((0.9, 0.9, 1.0), (0.9, 0.9, 0.9)), 5),
        (((1.0, 0.9), (0.9, 0.9, 1.0)), 3),  # a run over the edge of two blocks
        (((0.9, 0.9, 0.9, 0.9),), 2),
        (((0.9, 1.0, 0.9), (0.9, 1.0, 0.9)), None),
        (((0.9, 0.9), (1.0, 0.9, 0.9)), None),
    ],
)
def test_debounce_counts_consecutive_samples(
    blocks: tuple[tuple[float, ...], ...], crossing: int | None
) -> None:
    w = watch(debounce=3)
    for block in blocks:
        w.see(current(*block), False, STATE)
    assert w.crossing == crossing


def test_a_negative_current_is_watched_the_other_way_round() -> None:
    w = watch(sign=-1.0)
    assert not w.see(current(-1, -1.1), False, STATE)
    assert w.see(current(-1, -0.9), False, STATE)
    assert w.crossing == 3


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_unreadable_current_ends_the_fall(bad: float) -> None:
    w = watch()
    assert w.see(current(1, bad, 1), False, STATE)
    assert w.status is HopStatus.SETTINGS


def test_a_saturated_amplifier_ends_the_fall() -> None:
    w = watch()
    assert w.see(current(1, 1), True, STATE)
    assert w.status is HopStatus.OVERLOAD


@pytest.mark.parametrize(
    "state",
    [
        None,
        AmplifierState(2e9, 5e3, "V-CLAMP"),
        AmplifierState(1e9, 10e3, "V-CLAMP"),
        AmplifierState(1e9, 5e3, "TRACK"),
    ],
)
def test_a_turned_knob_ends_the_fall_and_is_told(state: AmplifierState | None) -> None:
    w = watch()
    assert w.see(current(1, 1), False, state)
    assert w.status is HopStatus.SETTINGS
    assert w.note == f"amplifier changed from {STATE} to {state}"


def test_a_crossing_is_found_once() -> None:
    w = watch()
    assert w.see(current(0.9), False, STATE)
    assert w.see(current(1, 0.9), False, STATE)
    assert w.crossing == 0


def fast_watch() -> Watch:
    w = watch()
    w.fast, w.sag, w.chunk = True, 0.993e-9, 2
    return w


def test_a_current_that_sags_while_the_tip_falls_fast_ends_the_fall() -> None:
    w = fast_watch()
    assert not w.see(current(1, 1, 1, 1, 1, 1), False, STATE)
    assert w.see(current(0.99, 0.99, 0.99, 0.99, 0.99, 0.99), False, STATE)
    assert w.status is HopStatus.EARLY
    assert "falling fast" in w.note


def test_a_sag_may_begin_in_one_look_and_go_on_in_the_next() -> None:
    w = fast_watch()
    assert not w.see(current(1, 1), False, STATE)
    for _ in range(2):
        assert not w.see(current(0.99, 0.99), False, STATE)
    assert w.see(current(0.99, 0.99), False, STATE)
    assert w.status is HopStatus.EARLY


def test_a_short_dip_does_not_end_a_fast_fall() -> None:
    w = fast_watch()
    assert not w.see(current(1, 1, 1, 1, 0.985, 0.985), False, STATE)
    assert not w.see(current(1, 1, 1, 1), False, STATE)


def test_a_sag_is_what_a_slow_fall_waits_for() -> None:
    w = fast_watch()
    w.fast = False
    assert not w.see(current(1, 1, 0.99, 0.99, 0.99, 0.99), False, STATE)
    assert w.status is None


def test_a_rim_that_rests_on_an_edge_ends_the_fall() -> None:
    rim = Rim.of(
        TipCurve(Tip(), NoiseModel(), 1e-9, 5e3), (1e-9, 1e-4 * 1e-9), 1e-4 * 1e-9, 50e3, 50e-6
    )
    w = replace(watch(), rim=rim)
    z = np.linspace(1e-6, 0, 1000)
    for block in np.split(z, 10):
        ended = w.see(np.full(100, 0.995e-9), False, STATE, None, block)
        if ended:
            break
    assert w.status is HopStatus.TOUCHED
    assert "rests on an edge" in w.note


def test_where_no_current_falls_nothing_rests() -> None:
    w = watch()
    assert not w.see(np.full(500, 0.995e-9), False, STATE, None, np.linspace(1e-6, 0, 500))
