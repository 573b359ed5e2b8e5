"""Samples, seconds and the uncertainty of events."""

from datetime import UTC

import pytest

from sicmctl.hal.timeline import Stamp, Timeline

LINE = Timeline(50e3)


def test_samples_and_seconds_go_both_ways() -> None:
    assert LINE.time(25_000) == 0.5
    assert LINE.sample(0.5) == 25_000
    assert LINE.sample(LINE.time(123_456_789)) == 123_456_789
    assert LINE.sample(0.5 + 0.4 / 50e3) == 25_000


def test_the_epoch_is_in_utc() -> None:
    assert LINE.epoch.tzinfo is UTC


def test_an_event_within_a_block_is_stamped_at_its_middle() -> None:
    stamp = LINE.stamp_block(1000, 500)
    assert stamp.time == pytest.approx(0.025)
    assert stamp.uncertainty == pytest.approx(0.01 / 12**0.5)


def test_a_stamp_is_exact_unless_told_otherwise() -> None:
    assert Stamp(1.0).uncertainty == 0.0
