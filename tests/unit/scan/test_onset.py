"""Height from the onset of a current."""

import numpy as np
import pytest

from sicmctl.scan.bessel import delay, ramp_response
from sicmctl.scan.onset import HALF, Onset, heights_of_onset

RATE, FC, SPEED, CONTACT, FINAL = 50e3, 5e3, 100e-6, 8.05e-6, 3e-9


def fall(final: float = FINAL, noise: float = 3e-12, seed: int = 0, after: int = 100) -> Onset:
    """From 300 nm above the contact; stopped 0.2 ms after it."""
    rng = np.random.default_rng(seed)
    meets = 300e-9 / SPEED
    t = np.arange(round(meets * RATE) + after) / RATE
    dt = 1e-8
    since = t - meets
    rise = final * (ramp_response(since, FC) - ramp_response(since - dt, FC)) / dt
    z = np.maximum(CONTACT + 300e-9 - SPEED * t, CONTACT - SPEED * 0.2e-3)
    stop = round((meets + 0.2e-3) * RATE)
    return Onset(
        rise=rise + rng.normal(0, noise, len(t)),
        z=z + rng.normal(0, 0.5e-9, len(t)),
        rate=RATE,
        stop=stop,
        z_stop=float(z[-1]),
        noise=noise,
        filter_hz=FC,
        threshold=20e-12,
    )


def test_half_of_the_step_is_where_it_is_said_to_be() -> None:
    t, dt = HALF * delay(FC), 1e-9
    step = (ramp_response([t + dt], FC) - ramp_response([t - dt], FC)) / (2 * dt)
    assert step[0] == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("final", [0.3e-9, FINAL, 9e-9])
def test_the_height_is_that_of_the_contact_whatever_the_current(final: float) -> None:
    found = [heights_of_onset(fall(final, seed=k))["crossing"] for k in range(40)]
    errors = np.array([height.value for height in found]) - CONTACT
    assert abs(errors.mean()) < 0.15e-9
    assert 0.6 < errors.std() / np.mean([height.sd for height in found]) < 1.6
    assert {height.status for height in found} == {"ok"}


def test_z_at_the_stop_says_how_far_it_went_on() -> None:
    stop = heights_of_onset(fall())["stop"]
    assert stop.value == pytest.approx(CONTACT - SPEED * 0.2e-3)
    assert stop.expected_bias == pytest.approx(-SPEED * 0.2e-3, abs=1e-9)


def test_noise_that_passed_the_threshold_once_is_no_contact() -> None:
    quiet = fall(final=0.0)
    quiet.rise[100] = 30e-12
    assert {h.status for h in heights_of_onset(quiet).values()} == {"no_crossing"}


def test_no_current_is_no_contact() -> None:
    assert {h.status for h in heights_of_onset(fall(final=0.0)).values()} == {"no_crossing"}


def test_a_record_that_ends_at_the_contact_tells_nothing() -> None:
    assert heights_of_onset(fall(after=5))["crossing"].status == "no_crossing"


def test_contact_at_once_leaves_no_fall_to_judge_by() -> None:
    whole = fall()
    late = slice(145, None)
    short = Onset(whole.rise[late], whole.z[late], RATE, 5, whole.z_stop, 3e-12, FC, 20e-12)
    assert heights_of_onset(short)["crossing"].status == "too_short"
