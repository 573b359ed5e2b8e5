"""When a scan returns to one place, to which, and what it makes of it."""

import pytest

from sicmctl.hal.limits import Interval
from sicmctl.messages import DriftMeasured, Message, Note
from sicmctl.scan.drift import DriftTrack
from sicmctl.scan.planner import HeightPlanner
from sicmctl.scan.revisits import Place, Revisits

PITCH = 1e-6


class Scan:
    """A row of places half a second apart; the last two of the first four are level."""

    def __init__(self, every: float = 8.0) -> None:
        self.heard: list[Message] = []
        self.track = DriftTrack()
        self.revisits = Revisits(every, PITCH, self.track, self.heard.append)

    def see(self, index: int, height: float) -> None:
        sd = self.track.at(0.5 * index)[1]
        self.revisits.see(Place(index, 0.5 * index, index * PITCH, 0.0, height, 1e-9, sd))

    @property
    def drift(self) -> list[DriftMeasured]:
        return [m for m in self.heard if isinstance(m, DriftMeasured)]


@pytest.fixture
def scan() -> Scan:
    made = Scan()
    for index, height in enumerate((0.0, 200e-9, 300e-9, 301e-9, 302e-9, 500e-9)):
        made.see(index, height)
    return made


def test_before_anything_was_seen_there_is_no_return() -> None:
    assert Scan().revisits.due(1e6) is None


def test_the_flattest_place_is_returned_to(scan: Scan) -> None:
    assert scan.revisits.due(0.9) is None
    place = scan.revisits.due(2.6)
    assert place is not None
    assert place.index == 3


def test_gaps_grow_until_they_are_as_asked_for(scan: Scan) -> None:
    time, gaps = 2.5, []
    for _ in range(6):
        assert scan.revisits.due(time) is not None
        scan.revisits.measured(time, 301e-9 + 2e-9 * (time - 1.5), 1e-9)
        start = time
        while scan.revisits.due(time) is None:
            time += 0.5
        gaps.append(time - start)
    assert gaps == [2, 4, 8, 8, 8, 8]
    assert scan.drift[-1].rate_z == pytest.approx(2e-9, rel=0.02)
    assert scan.drift[-1].z == pytest.approx(2e-9 * (scan.drift[-1].time - 1.5), abs=1e-9)


def test_a_place_that_cannot_be_measured_is_given_up(scan: Scan) -> None:
    first = scan.revisits.due(3.0)
    scan.revisits.missed(3.0)
    assert scan.revisits.due(3.5) is None
    assert scan.revisits.due(4.0) == first
    scan.revisits.missed(4.0)
    assert scan.revisits.due(5.0) is None  # nothing was seen since
    for index in (10, 11, 12):
        scan.see(index, 300e-9)
    other = scan.revisits.due(6.0)
    assert other is not None
    assert other.index in (10, 11, 12)
    assert scan.heard == []


def test_a_jump_is_no_drift(scan: Scan) -> None:
    scan.revisits.due(3.0)
    scan.revisits.measured(3.0, 304e-9, 1e-9)
    before = scan.track.at(9.0)
    scan.revisits.measured(5.0, 404e-9, 1e-9)
    assert scan.track.at(9.0) == before
    assert len(scan.drift) == 1
    (note,) = (m for m in scan.heard if isinstance(m, Note))
    assert "is not followed" in note.text


def test_a_much_flatter_place_is_preferred_and_nothing_jumps(scan: Scan) -> None:
    scan.revisits.due(3.0)
    scan.revisits.measured(3.0, 304e-9, 1e-9)
    before = scan.track.at(6.0)[0]
    for index in (12, 13, 14):
        scan.see(index, 40e-9)
    place = scan.revisits.due(7.5)
    assert place is not None
    assert place.index == 3  # not flat enough to be worth the change: its sd hides as much
    assert scan.track.at(6.0)[0] == before


def test_the_planner_knows_heights_as_they_are_now() -> None:
    travel = Interval(0, 38e-6, "m")
    made = [
        HeightPlanner(travel, amplitude=2e-6, depth=1e-6, reach=1.6e-6, clearance=1e-6)
        for _ in range(2)
    ]
    fine, fine.coarse = made[0], made[1]
    fine.coarse.add(5e-6, 0, 12e-6)
    fine.add(0, 0, 10e-6)
    before, far = fine.plan(0, 0, (0, 0)), fine.plan(5e-6, 0, (5e-6, 0))
    fine.rise(300e-9)
    fine.add(1e-6, 0, 10.1e-6)
    after = fine.plan(0, 0, (0, 0))
    assert before.expected == pytest.approx(10e-6)
    assert after.expected == pytest.approx(10.3e-6)
    assert after.start == pytest.approx(before.start + 300e-9)
    assert fine.plan(5e-6, 0, (5e-6, 0)).start == pytest.approx(far.start + 300e-9)
