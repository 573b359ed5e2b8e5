"""The tip watched over a run."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sicmctl.messages import Alarm, Message, TipMeasured
from sicmctl.scan.curve import Tip
from sicmctl.scan.height import Approach
from sicmctl.scan.tipwatch import TipWatch

KNOWN = Tip()
Make = Callable[..., Approach]


class Listener:
    def __init__(self, record: Make) -> None:
        self._record = record
        self.heard: list[Message] = []
        self.watch = TipWatch(KNOWN, self.heard.append, every=20)
        self._rng = np.random.default_rng(5)
        self._time = 0.0

    def hop(self, count: int, tip: Tip = KNOWN, current: float = 1.0) -> None:
        """So many hops with this tip at this share of the current that it should have."""
        for _ in range(count):
            self._time += 0.1
            made: Approach = self._record(self._rng, tip=tip, setpoint=0.02, speed=100e-6)
            made = replace(made, current=current * made.current, reference=current * made.reference)
            self.watch.see(self._time, made)

    @property
    def found(self) -> list[TipMeasured]:
        return [m for m in self.heard if isinstance(m, TipMeasured)]

    @property
    def alarms(self) -> list[Alarm]:
        return [m for m in self.heard if isinstance(m, Alarm)]


@pytest.fixture
def listener(record: Make) -> Listener:
    return Listener(record)


def test_before_during_and_after(listener: Listener):
    listener.hop(60)
    listener.watch.finish()
    assert [m.phase for m in listener.found] == ["before", "during", "during", "after"]
    assert [m.verdict for m in listener.found] == ["first", "same", "same", "same"]
    assert not listener.alarms
    for m in listener.found:
        assert m.inner_radius == pytest.approx(KNOWN.inner_radius, abs=4 * m.radius_sd)
        assert m.gap == pytest.approx(float(KNOWN.gap(0.02)), rel=0.25)


def test_a_broken_tip_raises_the_alarm_once(listener: Listener):
    listener.hop(20)
    listener.hop(60, Tip(62e-9), current=1.24)
    assert [m.verdict for m in listener.found][1:] == ["broken"] * (len(listener.found) - 1)
    assert len(listener.alarms) == 1
    assert "broken" in listener.alarms[0].text
    assert "replace" in listener.alarms[0].remedy


def test_a_clog_is_told_from_drift(listener: Listener):
    listener.hop(20)
    listener.hop(20, current=0.97)  # drift
    assert listener.found[-1].verdict == "same"
    listener.hop(20, current=0.6)
    assert listener.found[-1].verdict == "clogged"
    assert "clogged" in listener.alarms[0].text


def test_dirt_at_the_rim_shows_in_the_curve_alone(listener: Listener):
    listener.hop(20)
    listener.hop(20, Tip(85e-9), current=1.0)
    assert listener.found[-1].verdict == "contaminated"
    assert len(listener.alarms) == 1


def test_suspicion_measures_at_once(listener: Listener):
    listener.hop(12)
    assert len(listener.found) == 1
    listener.watch.suspect()
    listener.hop(12)
    assert len(listener.found) == 2


def test_nothing_is_said_of_a_tip_that_was_hardly_seen(listener: Listener):
    listener.hop(5)
    listener.watch.finish()
    assert not listener.heard
