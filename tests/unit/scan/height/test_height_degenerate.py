"""Bad data give nan and a status, nonsense arguments an error that says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sicmctl.scan.curve import Tip
from sicmctl.scan.height import Approach, estimate, estimate_all
from sicmctl.scan.noise import NoiseModel

Make = Callable[..., Approach]
TIP = Tip()
USUAL = NoiseModel()


def approach(current: np.ndarray, z: np.ndarray, stop: int, /, **changes: object) -> Approach:
    a = Approach(current, z, 50e3, stop, 3.2e-9, 1e-13, 30e-6, 0.02, 5e3, USUAL)
    return replace(a, **changes)  # pyright: ignore[reportArgumentType]


def ramp(n: int) -> np.ndarray:
    return 2e-6 - 30e-6 * np.arange(n) / 50e3


WIDE = st.floats(allow_nan=True, allow_infinity=True)
NEAR = st.floats(2.5e-9, 3.3e-9)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(0, 80), st.sampled_from([WIDE, NEAR]), st.booleans())
def test_nothing_raises_whatever_the_record(
    data: st.DataObject, n: int, values: st.SearchStrategy[float], given_noise: bool
):
    current = data.draw(arrays(np.float64, n, elements=values))
    z = data.draw(st.one_of(st.just(ramp(n)), arrays(np.float64, n, elements=WIDE)))
    reference = data.draw(st.one_of(st.just(3.2e-9), WIDE))
    noise = USUAL if given_noise else None
    stop = data.draw(st.integers(0, n))
    a = approach(current, z, stop, reference=reference, noise=noise)
    for height in estimate_all(a, TIP).values():
        assert np.isfinite(height.value) == np.isfinite(height.sd)
        assert np.isfinite(height.value) or height.status != "ok"


def test_far_from_the_surface_there_is_no_height():
    rng = np.random.default_rng(1)
    a = approach(3.2e-9 + rng.normal(size=3000) * 3e-12, ramp(3000), 3000)
    for height in estimate_all(a, TIP).values():
        assert height.status == "no_crossing"
        assert np.isnan(height.value)


def test_a_dead_or_railed_channel_is_saturated():
    a = approach(np.full(3000, 3.2e-9), ramp(3000), 2500)
    assert estimate(a, TIP).status == "saturated"


def test_a_gap_in_the_data_is_bad_data(record: Make):
    a = record(np.random.default_rng(2))
    a.current[100] = np.nan
    assert {h.status for h in estimate_all(a, TIP).values()} == {"bad_data"}


def test_few_samples_are_too_few():
    assert estimate(approach(np.ones(5), ramp(5), 5), TIP).status == "too_short"


@pytest.mark.parametrize("speed", [1e-9, 1e-6, 1e-3, 1.0])
@pytest.mark.parametrize("n", [12, 13, 30, 100])
def test_short_records_at_any_speed(n: int, speed: float):
    rng = np.random.default_rng(6)
    z = -speed * np.arange(n) / 50e3
    a = approach(rng.normal(3.2e-9, 4e-12, n), z, n, speed=speed)
    for height in estimate_all(a, TIP).values():
        assert np.isnan(height.value) or height.sd > 0


def test_a_false_trigger_does_not_pass_for_a_surface(record: Make):
    a = record(np.random.default_rng(3))
    early = replace(a, stop=a.stop - int(100e-9 / a.speed * a.rate))
    height = estimate(early, TIP)
    assert height.status in {"early", "no_crossing"}


def test_one_bad_hop_spoils_no_other(record: Make):
    from sicmctl.scan.height import fit_many

    rng = np.random.default_rng(4)
    good = [record(rng) for _ in range(3)]
    wild = replace(good[0], current=rng.normal(size=len(good[0].current)) * 3e-7)
    alone = [h.value for h in fit_many(good, TIP)]
    together = [h.value for h in fit_many([wild, *good], TIP)][1:]
    assert together == pytest.approx(alone, abs=2e-12)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [({"rate": 0.0}, "rate"), ({"speed": -1.0}, "speed"), ({"filter_hz": np.nan}, "filter_hz"),
     ({"setpoint": 2.0}, "fraction"), ({"stop": 99}, "index"), ({"z": np.zeros(3)}, "one length"),
     ({"reference_sd": -1.0}, "negative")],
)  # fmt: skip
def test_nonsense_arguments_are_refused(wrong: dict[str, object], text: str):
    with pytest.raises(ValueError, match=text):
        approach(np.ones(20), ramp(20), 10, **wrong)


def test_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="stop, crossing, fit"):
        estimate(approach(np.ones(20), ramp(20), 10), TIP, "guess")  # pyright: ignore
