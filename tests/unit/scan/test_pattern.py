"""Where the targets are and in which order."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from sicmctl.config.scan import Scan
from sicmctl.hal.capabilities import Axis
from sicmctl.hal.limits import Interval
from sicmctl.scan.pattern import PatternError, Targets, raster, targets, three_apart

AXES = {name: Axis(Interval(0, 100e-6, "m"), 1e-2, 100, 0.7) for name in "xyz"}
UM = 1e-6


def made(**scan: Any) -> Targets:
    return targets(TypeAdapter(Scan).validate_python(scan), AXES)


def test_a_raster_runs_to_and_fro_from_its_corner() -> None:
    t = made(pattern="raster", size=["2 um", "1 um"], pixels=[3, 2], origin=["10 um", "20 um"])
    np.testing.assert_allclose(t.x / UM, [10, 11, 12, 12, 11, 10])
    np.testing.assert_allclose(t.y / UM, [20, 20, 20, 21, 21, 21])
    assert t.row.tolist() == [0, 0, 0, 1, 1, 1]
    assert t.column.tolist() == [0, 1, 2, 2, 1, 0]
    assert t.shape == (2, 3)
    np.testing.assert_allclose(np.array(t.extent) / UM, [10, 12, 20, 21])
    assert t.pitch == pytest.approx(1e-6)


def test_a_raster_can_always_run_the_same_way() -> None:
    t = made(pattern="raster", size="1 um", pixels=2, mode="unidirectional")
    assert t.column.tolist() == [0, 1, 0, 1]


def test_a_raster_lies_in_the_middle_of_the_travel() -> None:
    t = made(pattern="raster", size="10 um", pixels=3)
    assert (t.x.mean() / UM, t.y.mean() / UM) == pytest.approx((50, 50))


def test_a_turned_raster_keeps_its_centre_and_its_corner_keeps_its_place() -> None:
    t = made(pattern="raster", size="10 um", pixels=3, angle="90 deg")
    np.testing.assert_allclose((t.x[0] / UM, t.y[0] / UM), (55, 45))
    np.testing.assert_allclose((t.x[2] / UM, t.y[2] / UM), (55, 55))
    assert (t.x.mean() / UM, t.y.mean() / UM) == pytest.approx((50, 50))
    t = made(
        pattern="raster", size="10 um", pixels=2, angle="30 deg", origin=["20 um", "20 um"],
    )  # fmt: skip
    np.testing.assert_allclose((t.x[0] / UM, t.y[0] / UM), (20, 20))
    np.testing.assert_allclose(
        (t.x[1] / UM, t.y[1] / UM), (20 + 10 * np.cos(np.pi / 6), 20 + 10 * np.sin(np.pi / 6))
    )


def test_a_line_by_its_end_and_by_its_length_is_the_same() -> None:
    one = made(pattern="line", start=["10 um", "10 um"], end=["10 um", "20 um"], points=5)
    two = made(
        pattern="line", start=["10 um", "10 um"], length="10 um", angle="90 deg", points=5,
    )  # fmt: skip
    np.testing.assert_allclose(one.x, two.x)
    np.testing.assert_allclose(one.y, two.y)
    np.testing.assert_allclose(one.y / UM, [10, 12.5, 15, 17.5, 20])
    assert (one.shape, one.pitch) == ((1, 5), pytest.approx(2.5e-6))


def test_a_repeated_line_is_a_frame_with_a_row_for_each_pass() -> None:
    t = made(pattern="line", start=["10 um", "10 um"], length="2 um", points=3, repeats=2)
    assert t.shape == (2, 3)
    assert t.row.tolist() == [0, 0, 0, 1, 1, 1]
    assert t.column.tolist() == [0, 1, 2, 0, 1, 2]


def test_a_point_again_and_again() -> None:
    t = made(pattern="point", x="7 um", repeats=4)
    np.testing.assert_allclose(t.x / UM, [7] * 4)
    np.testing.assert_allclose(t.y / UM, [50] * 4)
    assert t.row.tolist() == [0, 1, 2, 3]
    assert (t.shape, len(t)) == ((4, 1), 4)


def test_a_list_in_its_own_order() -> None:
    t = made(pattern="list", points=[["3 um", "4 um"], ["1 um", "2 um"], ["9 um", "2 um"]])
    np.testing.assert_allclose(t.x / UM, [3, 1, 9])
    np.testing.assert_allclose(t.y / UM, [4, 2, 2])
    assert t.column.tolist() == [0, 1, 2]
    assert t.pitch == pytest.approx(8e-6)


@pytest.mark.parametrize(
    ("scan", "text"),
    [
        (
            {"pattern": "raster", "size": "120 um", "pixels": 3},
            "the scan reaches from -10 um to 110 um along x; the travel is 0 m .. 100 um",
        ),
        (
            {"pattern": "point", "y": "101 um", "repeats": 1},
            "the scan reaches from 101 um to 101 um along y; the travel is 0 m .. 100 um",
        ),
        (
            {"pattern": "line", "start": ["1 um", "1 um"], "length": "5 um", "angle": "180 deg",
             "points": 2},
            "the scan reaches from -4 um to 1 um along x; the travel is 0 m .. 100 um",
        ),
    ],
)  # fmt: skip
def test_targets_out_of_the_travel_are_refused(scan: dict[str, Any], text: str) -> None:
    with pytest.raises(PatternError) as caught:
        made(**scan)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("made", "places"),
    [
        (raster((2e-6, 3e-6), (3, 4), (0.0, 0.0)), [(0, 3e-6), (2e-6, 0), (0, 0)]),
        (raster((2e-6, 0), (3, 1), (0.0, 0.0)), [(2e-6, 0), (1e-6, 0), (0, 0)]),
    ],
)
def test_three_places_that_tell_the_tilt(made: Targets, places: list[tuple[float, float]]) -> None:
    three = three_apart(made)
    found = [(float(x), float(y)) for x, y in zip(three.x, three.y, strict=True)]
    assert found == [pytest.approx(place) for place in places]
