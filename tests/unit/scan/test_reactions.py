"""The reaction as each hop shows it, and what follows from one that is too slow."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sicmctl.hal.hop import HopRecord, HopRequest, HopStatus, Onset, Reaction, StopRule
from sicmctl.messages import Alarm, Message, Note, ReactionMeasured
from sicmctl.scan.reactions import ReactionWatch, held_back, went_on
from sicmctl.scan.speed import MARGIN, reaction_total

RATE = 50e3
SPEED = 40e-6
NOISE = 0.5e-9
HOP = HopRequest(
    x=0.0,
    y=0.0,
    start=6e-6,
    floor=3e-6,
    speed=SPEED,
    stop=StopRule(0.02),
    clear=6e-6,
    reference_time=2e-3,
)
CROSSING = 1000
"""Sample at which the current crosses: after 20 ms of fall, at 5.2 um."""


def record(reaction: float, request: HopRequest = HOP, seed: int = 1, **more: Any) -> HopRecord:
    """A fall that goes on for a while after the current has crossed the level, then rests."""
    rng = np.random.default_rng(seed)
    n, end = CROSSING + 600, CROSSING + reaction * RATE
    z = request.start - request.speed * np.minimum(np.arange(n), end) / RATE
    current = np.where(np.arange(n) < CROSSING, 1.0, 0.97) * 1e-9
    fields: dict[str, Any] = {
        "request": request,
        "status": HopStatus.OK,
        "first": 70_000,
        "rate": RATE,
        "curves": {"z": z + rng.normal(0, NOISE, n), "current": current},
        "stop": CROSSING + round(reaction * RATE),
        "reference": 1e-9,
        "reference_sd": 1e-13,
        "reference_samples": 100,
        "noise": 1e-12,
        "z_stop": float(z[-1]),
        "bandwidth": 5e3,
    }
    return HopRecord(**(fields | more))


@pytest.mark.parametrize("comparator", [True, False])
@pytest.mark.parametrize("reaction", [0.1e-3, 1.3e-3, 6e-3])
def test_the_way_after_the_crossing_tells_the_reaction(reaction: float, comparator: bool) -> None:
    found = [went_on(record(reaction, seed=k), comparator) for k in range(20)]
    assert np.mean(np.array(found, float)) == pytest.approx(reaction, abs=3e-6)
    assert np.std(np.array(found, float)) < 10e-6


def test_it_is_told_at_low_fall_rates_too() -> None:
    slow = replace(HOP, speed=2e-6, start=5.3e-6)
    assert went_on(record(2e-3, slow), False) == pytest.approx(2e-3, abs=0.15e-3)


def test_a_negative_current_is_no_different() -> None:
    hop = record(1e-3)
    hop.curves["current"] *= -1
    hop.reference *= -1
    assert went_on(hop, False) == pytest.approx(1e-3, abs=2e-5)


def test_a_host_waits_for_as_many_samples_as_it_was_asked_to() -> None:
    hop = record(1e-3, replace(HOP, stop=StopRule(0.02, debounce=10)))
    hop.curves["current"][900] = 0.9e-9  # a spike that did not last
    assert went_on(hop, False) == pytest.approx(1e-3 - 9 / RATE, abs=2e-5)


def test_a_comparator_counts_from_where_it_held_the_ramp_for_good() -> None:
    hop = record(0.1e-3)
    hop.curves["current"][700] = 0.9e-9  # froze, and let go at the next sample
    assert went_on(hop, True) == pytest.approx(0.1e-3, abs=2e-5)


def test_a_sample_that_only_just_reaches_the_level_need_not_have_held_the_ramp() -> None:
    hop = record(0.1e-3)
    hop.curves["current"][CROSSING - 30 : CROSSING] = 0.985e-9
    hop.curves["current"][CROSSING - 30] = (0.98 - 1e-5) * 1e-9
    assert went_on(hop, True) == pytest.approx(0.7e-3, abs=15e-6)
    assert went_on(hop, True, clearly=0.1) == pytest.approx(0.1e-3, abs=15e-6)


def test_the_onset_of_a_current_is_a_crossing_too() -> None:
    hop = record(0.5e-3, replace(HOP, stop=Onset(20e-12, 1.0)), reference=0.0)
    hop.curves["current"] = np.where(np.arange(1600) < CROSSING, 0.0, 50e-12)
    assert went_on(hop, True) == pytest.approx(0.5e-3, abs=2e-5)


@pytest.mark.parametrize("status", [HopStatus.NO_SURFACE, HopStatus.EARLY, HopStatus.OVERLOAD])
def test_falls_that_met_nothing_tell_nothing(status: HopStatus) -> None:
    assert went_on(record(1e-3, status=status), False) is None


@pytest.mark.parametrize("comparator", [True, False])
def test_a_current_that_never_crossed_tells_nothing(comparator: bool) -> None:
    hop = record(1e-3)
    hop.curves["current"][:] = 1e-9
    assert went_on(hop, comparator) is None
    hop.curves["current"] = hop.curves["z"] = np.empty(0)
    assert went_on(hop, comparator) is None


def test_a_fall_that_was_not_yet_steady_tells_nothing() -> None:
    hop = record(1e-3)
    hop.curves["z"][: CROSSING - 10] = hop.curves["z"][CROSSING - 10]  # it had only just begun
    assert went_on(hop, False) is None
    assert went_on(record(1e-3, slow=CROSSING - 5), False) is None  # it was fast until now


# -- what follows ---------------------------------------------------------------------------------

GAP = 60e-9
ASSUMED = Reaction(0.6e-3, 0.9e-3)


class Watched:
    """A watch, and what it published."""

    def __init__(self, comparator: bool = False, speed: float = SPEED, **more: Any) -> None:
        self.messages: list[Message] = []
        self.watch = ReactionWatch(
            scan=2,
            comparator=comparator,
            assumed=ASSUMED,
            gap=GAP,
            filter_hz=5e3,
            rate=RATE,
            speed=speed,
            publish=self.messages.append,
            **more,
        )

    def hop(self, reaction: float, **more: Any) -> str | None:
        hop = record(reaction, replace(HOP, speed=self.watch.speed), **more)
        hop.timing |= self.watch.see(hop)
        return self.watch.judge(hop)

    def only(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]


def test_a_reaction_as_assumed_changes_nothing() -> None:
    found = Watched()
    for k in range(50):
        assert found.hop(0.4e-3 + 0.01e-3 * k, seed=k) is None
    assert found.watch.speed == SPEED
    assert found.messages == []


def test_a_slower_one_within_the_margin_is_borne() -> None:
    found = Watched()
    allowed = (GAP - MARGIN) / SPEED - reaction_total(0, 5e3, RATE)
    assert allowed > 1.2e-3
    found.hop(1.2e-3)
    assert found.watch.speed == SPEED
    assert found.only(Alarm) == []


def test_noise_alone_does_not_slow_a_scan_at_its_limit() -> None:
    limit = (GAP - MARGIN) / reaction_total(ASSUMED.worst, 5e3, RATE)
    found = Watched(speed=limit)
    for k in range(60):
        found.hop(ASSUMED.worst, seed=k)
    assert found.watch.speed == limit
    assert found.only(Alarm) == []


def test_a_reaction_that_leaves_too_little_of_the_gap_slows_the_falls_to_come() -> None:
    found = Watched()
    found.hop(0.5e-3)
    assert found.hop(2e-3) is None
    safe = (GAP - MARGIN) / reaction_total(2e-3, 5e3, RATE)
    assert found.watch.speed == pytest.approx(0.8 * safe, rel=0.04)
    assert found.watch.speed * reaction_total(2e-3, 5e3, RATE) < GAP - MARGIN
    (alarm,) = found.only(Alarm)
    assert (alarm.level, alarm.source) == ("warning", "reaction")
    assert alarm.text.startswith("the tip went on for 2")
    assert "it may have touched" in alarm.text
    assert "a fall rate of 40 nm/ms allows 1.3 ms, 900 us was expected" in alarm.text
    assert "falling at 21." in alarm.text
    assert "wire a comparator" in alarm.remedy
    (told,) = found.only(ReactionMeasured)
    assert (told.scan, told.hops, told.assumed) == (2, 2, ASSUMED.worst)
    assert told.worst == pytest.approx(2e-3, abs=2e-5)
    assert told.typical == pytest.approx(1.25e-3, abs=2e-5)
    assert told.speed == found.watch.speed


def test_the_alarm_says_how_near_the_tip_came() -> None:
    found = Watched()
    found.hop(1.38e-3)
    (alarm,) = found.only(Alarm)
    assert "and it stopped 1." in alarm.text


def test_one_slow_hop_makes_one_alarm_and_is_forgotten_in_time() -> None:
    found = Watched(window=20)
    found.hop(2e-3)
    for k in range(19):
        found.hop(0.5e-3, seed=k)
        assert found.watch.speed < SPEED
    found.hop(0.5e-3)
    assert found.watch.speed == SPEED
    assert len(found.only(Alarm)) == 1
    (note,) = found.only(Note)
    assert note.text.endswith("again: falling at 40 nm/ms as asked")


def test_the_fast_part_of_a_fall_is_slowed_as_much() -> None:
    found = Watched()
    assert found.watch.fast(100e-6) == 100e-6
    found.hop(2e-3)
    assert found.watch.fast(100e-6) == pytest.approx(100e-6 * found.watch.speed / SPEED)
    assert found.watch.fast(SPEED) >= found.watch.speed


def test_a_scan_that_would_take_for_ever_is_given_up() -> None:
    found = Watched()
    why = found.hop(60e-3, z_stop=HOP.start - SPEED * 80e-3)
    assert why is not None
    assert why.startswith("the tip went on for 60")
    assert "it may have touched" in why
    assert why.endswith("(close other programs, or wire a comparator)")
    assert found.only(Alarm) == []  # the end of the scan is alarm enough


def test_a_comparator_that_does_nothing_ends_the_scan() -> None:
    found = Watched(comparator=True)
    found.watch.assumed = Reaction(0.07e-3, 0.07e-3)
    assert found.hop(0.1e-3) is None
    why = found.hop(0.6e-3)
    assert why is not None
    assert why.startswith("the comparator did not stop the ramp: the tip went on for 24")
    assert "wired to the terminal in daq.comparator" in why


def frozen(above: float) -> HopRecord:
    """A ramp that was held above its end all the time."""
    hop = record(0.0, status=HopStatus.NO_SURFACE)
    z = HOP.floor + above
    hop.curves = {"z": np.full(1600, z), "current": np.full(1600, 1e-9)}
    hop.z_stop = z
    return hop


def test_a_comparator_that_holds_the_ramp_for_nothing_ends_the_scan() -> None:
    found = Watched(comparator=True)
    why = found.watch.judge(frozen(3e-6))
    assert why is not None
    assert why.startswith("the comparator held the ramp 3 um above its end")
    assert "never crossed the level of 980 pA" in why
    assert found.watch.judge(frozen(10e-9)) is None


def test_a_ramp_that_still_moved_when_time_was_up_was_not_held() -> None:
    hop = record(0.0, status=HopStatus.NO_SURFACE)
    hop.curves["z"] = np.linspace(HOP.start, HOP.floor + 0.3e-6, 1600)
    hop.z_stop = HOP.floor + 0.3e-6
    assert not held_back(hop)


def test_the_reaction_is_told_now_and_then_and_at_the_end() -> None:
    found = Watched(every=10)
    for k in range(25):
        found.hop(0.5e-3, seed=k)
    assert [m.hops for m in found.only(ReactionMeasured)] == [10, 20]
    found.watch.finish()
    assert [m.hops for m in found.only(ReactionMeasured)] == [10, 20, 25]
    Watched().watch.finish()  # nothing was measured: nothing to tell
