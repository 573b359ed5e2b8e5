"""What a change of the alternating current means for the conductance of the tip."""

from math import inf, pi, radians

import pytest

from sicmctl.hal.admittance import Admittance, By

PIPETTE = Admittance(4.6e-9, 2 * pi * 1e3 * 0.5e-12)


@pytest.mark.parametrize("by", ["amplitude", "phase"])
@pytest.mark.parametrize("drop", [0.002, 0.02, 0.3])
def test_setpoint_and_drop_are_inverse(by: By, drop: float) -> None:
    assert PIPETTE.drop(PIPETTE.setpoint(drop, by), by) == pytest.approx(drop)


def test_without_capacitance_the_amplitude_is_the_conductance() -> None:
    assert Admittance(4.6e-9, 0.0).drop(0.02, "amplitude") == pytest.approx(0.02)


def test_capacitance_hides_a_drop_from_the_amplitude() -> None:
    """By the share of the conductance in the square of the amplitude, for small drops."""
    share = (PIPETTE.conductance / PIPETTE.amplitude) ** 2
    assert PIPETTE.setpoint(1e-5, "amplitude") == pytest.approx(1e-5 * share, rel=1e-3)


def test_the_phase_turns_by_sine_times_cosine() -> None:
    turn = PIPETTE.conductance * PIPETTE.susceptance / PIPETTE.amplitude**2
    assert PIPETTE.setpoint(1e-5, "phase") == pytest.approx(1e-5 * turn, rel=1e-3)


@pytest.mark.parametrize(("setpoint", "by"), [(0.9, "amplitude"), (radians(80), "phase")])
def test_what_no_conductance_explains_is_out_of_reach(setpoint: float, by: By) -> None:
    assert PIPETTE.drop(setpoint, by) == inf


def test_two_amplitudes_tell_conductance_and_capacitance() -> None:
    low = Admittance(PIPETTE.conductance, PIPETTE.susceptance / 8).amplitude
    found = Admittance.of_two(PIPETTE.amplitude, low, 8)
    assert found.conductance == pytest.approx(PIPETTE.conductance)
    assert found.susceptance == pytest.approx(PIPETTE.susceptance)


def test_noise_makes_no_negative_capacitance() -> None:
    assert Admittance.of_two(4.60e-9, 4.61e-9, 8) == Admittance(4.60e-9, 0.0)
