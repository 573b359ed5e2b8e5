"""What ends an approach, and from where none is begun."""

import pytest

from sicmctl.hal.hop import Absolute, HopStatus, Onset, StopRule

LEVEL = Absolute(3.1e-9, least=0.006, most=0.04)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_drop_follows_the_reference(sign: int) -> None:
    end = StopRule(0.02).crossing(sign * 3e-9)
    assert (end.sign, end.level) == (sign, pytest.approx(2.94e-9))
    assert end.hysteresis == pytest.approx(0.03e-9)
    assert StopRule(0.02).refusal(sign * 1e-15) is None


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("reference", [3.13e-9, 3.2e-9])
def test_a_level_does_not(reference: float, sign: int) -> None:
    end = LEVEL.crossing(sign * reference)
    assert (end.sign, end.level) == (sign, pytest.approx(3.1e-9))
    assert end.hysteresis == pytest.approx(0.5 * (reference - 3.1e-9))
    assert LEVEL.drop(sign * reference) == pytest.approx(1 - 3.1e-9 / reference)
    assert LEVEL.refusal(sign * reference) is None


@pytest.mark.parametrize(
    ("reference", "status", "text"),
    [
        (3.11e-9, HopStatus.LOW_REFERENCE, "3.11 nA, no more than 0.60% above the level of 3.1 nA"),
        (-3.0e-9, HopStatus.LOW_REFERENCE, "3 nA, not above the level of 3.1 nA"),
        (0.0, HopStatus.LOW_REFERENCE, "0 A, not above the level of 3.1 nA"),
        (3.3e-9, HopStatus.HIGH_REFERENCE, "3.3 nA, more than 4.00% above the level of 3.1 nA"),
    ],
)
def test_no_approach_from_too_near_to_a_level_or_too_far(
    reference: float, status: HopStatus, text: str
) -> None:
    assert LEVEL.refusal(reference) == (status, f"the reference current is {text}")


@pytest.mark.parametrize("setpoint", [0.0, 1.0, float("nan")])
def test_a_drop_is_a_share(setpoint: float) -> None:
    with pytest.raises(ValueError, match=r"the setpoint must lie in 0\.\.1"):
        StopRule(setpoint)


@pytest.mark.parametrize(
    ("level", "least", "most"), [(0.0, 0.01, 0.02), (1e-9, 0.0, 0.02), (1e-9, 0.03, 0.02)]
)
def test_a_level_with_impossible_bounds_is_refused(level: float, least: float, most: float) -> None:
    with pytest.raises(ValueError, match="the level must be positive"):
        Absolute(level, least, most)


@pytest.mark.parametrize("polarity", [1, -1])
def test_an_onset_is_met_from_below(polarity: int) -> None:
    end = Onset(20e-12, polarity).crossing(polarity * 2e-12)
    before, contact = polarity * 21e-12, polarity * 23e-12
    assert end.sign * before > end.level > end.sign * contact
    assert end.sign * end.level == pytest.approx(polarity * 22e-12)
    assert end.hysteresis == pytest.approx(10e-12)


def test_no_approach_while_a_current_flows_already() -> None:
    rule = Onset(20e-12, 1, quiet=2e-12)
    assert rule.refusal(21e-12) is None
    assert rule.refusal(-17e-12) is None
    for current, shown in ((23e-12, "23 pA"), (-19e-12, "-19 pA")):
        assert rule.refusal(current) == (
            HopStatus.HIGH_REFERENCE,
            f"a current of {shown} flows at the top, where none should: the meniscus still "
            "touches, or the pipette leaks",
        )


@pytest.mark.parametrize(("threshold", "polarity"), [(0.0, 1), (1e-12, 0.0)])
def test_an_onset_of_nothing_is_refused(threshold: float, polarity: float) -> None:
    with pytest.raises(ValueError, match="the threshold must be positive and the polarity 1 or -1"):
        Onset(threshold, polarity)
