"""Frames laid upon frames: what is foretold, and when nothing is."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from sicmctl.messages import DriftMeasured, HopDone, Message
from sicmctl.scan.frames import Frame, Frames
from sicmctl.scan.pattern import Targets, raster

SIDE, PIXELS, LASTS = 2e-6, 20, 100.0
PITCH = SIDE / (PIXELS - 1)


def area(corner: float = 0.0) -> Targets:
    return raster((SIDE, SIDE), (PIXELS, PIXELS), (corner, corner))


def surface() -> np.ndarray:
    rough = gaussian_filter(np.random.default_rng(1).normal(size=(40, 40)), 2.0)
    return rough * 100e-9 / rough.std()


def frame(begin: float, rate: float, moved: float = 0.0, part: float = 1.0) -> Frame:
    """The sample creeps along x at a rate, m/s, and stands still during each frame."""
    made = Frame(area())
    crept = rate * (begin + LASTS / 2)
    at = np.indices((PIXELS, PIXELS), dtype=float) + 10
    at[1] += (moved - crept) / PITCH
    heights = map_coordinates(surface(), at, order=3)
    targets = made.targets
    for k in range(round(part * len(targets))):
        row, column = int(targets.row[k]), int(targets.column[k])
        made.see(
            HopDone(
                time=begin + LASTS * k / len(targets), scan=0, index=k, attempt=0, accepted=True,
                row=row, column=column, status="ok", first=0, stop=0, x=0.0, y=0.0, start=0.0,
                reference=1e-9, reference_sd=1e-12, z_stop=math.nan,
                height=float(heights[row, column]), height_sd=1e-9, method="fit", heights={},
                curves={}, bandwidth=5e3, drift_x=moved,
            )
        )  # fmt: skip
    return made


@pytest.fixture
def heard() -> list[Message]:
    return []


@pytest.fixture
def frames(heard: list[Message]) -> Frames:
    return Frames(heard.append)


def test_a_drift_is_foretold_and_stays_known_once_it_is_followed(
    frames: Frames, heard: list[Message]
) -> None:
    rate, moved = 1e-9, 0.0
    for number in range(5):
        begin = 100.0 * number
        moved = frames.foretell(area(), begin)[0]
        frames.add(frame(begin, rate, moved))
    assert moved == pytest.approx(rate * 400, abs=0.05 * PITCH)
    ways = [m.x for m in heard if isinstance(m, DriftMeasured)]
    assert ways == pytest.approx([rate * t for t in (100, 200, 300, 400)], abs=0.05 * PITCH)


def test_nothing_is_foretold_of_an_area_that_was_not_seen_twice(frames: Frames) -> None:
    assert frames.foretell(area(), 0.0) == (0.0, 0.0)
    frames.add(frame(0.0, 1e-9))
    assert frames.foretell(area(), 100.0) == (0.0, 0.0)
    frames.add(frame(100.0, 1e-9))
    assert frames.foretell(area(), 200.0) != (0.0, 0.0)
    assert frames.foretell(area(corner=1e-6), 200.0) == (0.0, 0.0)


def test_what_lies_beyond_a_quarter_of_the_frame_is_not_followed(frames: Frames) -> None:
    frames.add(frame(0.0, 2e-9))
    frames.add(frame(100.0, 2e-9))
    assert frames.foretell(area(), 150.0)[0] == pytest.approx(2e-9 * 150, rel=0.05)
    assert frames.foretell(area(), 400.0) == (0.0, 0.0)


def test_a_frame_that_was_broken_off_tells_nothing(frames: Frames, heard: list[Message]) -> None:
    frames.add(frame(0.0, 1e-9))
    frames.add(frame(100.0, 1e-9, part=0.4))
    frames.add(frame(200.0, 1e-9))
    (found,) = (m for m in heard if isinstance(m, DriftMeasured))
    assert found.x == pytest.approx(200e-9, abs=0.05 * PITCH)


def test_a_frame_unlike_the_one_before_begins_a_new_chain(
    frames: Frames, heard: list[Message]
) -> None:
    frames.add(frame(0.0, 0.0))
    frames.add(frame(100.0, 0.0, moved=15 * PITCH))  # another part of the sample
    assert heard == []
    assert frames.foretell(area(), 200.0) == (0.0, 0.0)
