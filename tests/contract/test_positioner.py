"""`Positioner`: paths in metres on the clock of the stream, and the limits around them."""

import math
from pathlib import Path

import numpy as np
import pytest

from sicmctl.hal.errors import LimitExceeded, UnexpectedState
from sicmctl.hal.limited import LimitedPositioner

from ..rigs import Drivers, sim_at_edge, virtual

AXES = ("x", "y", "z")


@pytest.fixture
def ready(with_stage: Drivers) -> Drivers:
    """The clock runs and the stage knows where it is."""
    with_stage.daq.start()
    with_stage.stage.synchronise(with_stage.daq.read(200))
    return with_stage


def way(drivers: Drivers, z: float, samples: int, speed: float = 100e-6) -> np.ndarray:
    """Up or down by `z` at 100 um/s, then held."""
    here = drivers.stage.commanded
    step = math.copysign(speed / drivers.daq.rate, z)
    moved = np.clip(step * np.arange(1, samples + 1), min(z, 0), max(z, 0))
    path = np.empty((3, samples))
    path[0], path[1], path[2] = here["x"], here["y"], here["z"] + moved
    return path


def test_before_it_is_synchronised_nobody_knows_where_it_is(with_stage: Drivers) -> None:
    with pytest.raises(UnexpectedState) as caught:
        _ = with_stage.stage.commanded
    assert caught.value.remedy == "synchronise first"


def test_opening_moves_nothing(with_stage: Drivers) -> None:
    assert set(with_stage.virtual.moved().values()) == {0.0}


def test_the_middle_of_the_travel_is_found(ready: Drivers) -> None:
    here = ready.stage.commanded
    assert tuple(here) == AXES == tuple(ready.stage.axes)
    for name, axis in ready.stage.axes.items():
        middle = (axis.travel.low + axis.travel.high) / 2
        assert here[name] == pytest.approx(middle, abs=1e-9)


def test_a_path_is_followed_within_the_lag(ready: Drivers) -> None:
    path = way(ready, 2e-6, 2000)
    ready.stage.play(path)
    block = ready.daq.read(2000)
    z = ready.stage.position(block)["z"]
    axis = ready.stage.axes["z"]
    slope = slice(300, 900)
    reaction = 0.2e-3  # by which the path begins after the samples read before
    late = axis.lag + axis.sensor_delay + reaction
    behind = path[2][slope] - z[slope]
    assert np.all(behind > -3e-9)
    assert behind.mean() <= 100e-6 * late + 1e-9
    assert behind.mean() >= 100e-6 * axis.lag - 1e-9
    assert z[-200:].mean() == pytest.approx(path[2][-1], abs=1e-9)
    assert ready.stage.commanded["z"] == path[2][-1]


def test_what_is_commanded_is_where_the_path_ends(ready: Drivers) -> None:
    path = way(ready, 1e-6, 1000)
    ready.stage.play(path)
    assert dict(ready.stage.commanded) == dict(zip(AXES, path[:, -1], strict=True))
    ready.daq.read(1100)
    ready.stage.halt()
    assert dict(ready.stage.commanded) == dict(zip(AXES, path[:, -1], strict=True))


def test_halt_holds_and_knows_where(ready: Drivers) -> None:
    path = way(ready, 3e-6, 2000)
    ready.stage.play(path)
    ready.daq.read(600)
    ready.stage.halt()
    stopped = ready.stage.commanded["z"]
    ready.daq.read(500)
    z = ready.stage.position(ready.daq.read(500))["z"]
    assert path[2][500] < stopped < path[2][-1]
    reaction = 3e-4  # the host stops it some samples after it asked how far it is
    assert abs(z.mean() - stopped) <= 100e-6 * reaction
    ready.stage.halt()
    assert ready.stage.commanded["z"] == stopped


def test_synchronise_takes_the_sensors_word(ready: Drivers) -> None:
    ready.stage.play(way(ready, 3e-6, 2000))
    ready.daq.read(600)
    ready.stage.halt()
    ready.daq.read(500)
    block = ready.daq.read(100)
    ready.stage.synchronise(block)
    rests = ready.virtual.lab.world.tip_position[2]
    assert ready.stage.commanded["z"] == pytest.approx(rests, abs=3e-9)


def test_a_halt_before_anything_was_put_out_stays_where_it_was(with_stage: Drivers) -> None:
    """With the sample clock at rest no path advances."""
    stage, daq = with_stage.stage, with_stage.daq
    daq.start()
    stage.synchronise(daq.read(200))
    before = dict(stage.commanded)
    daq.stop()
    stage.play(way(with_stage, 2e-6, 1000))
    stage.halt()
    assert dict(stage.commanded) == before


def test_at_the_edge_of_the_travel_it_is_not_beyond_it(tmp_path: Path) -> None:
    """Sensor noise must not put the stage where no path may begin."""
    with virtual(tmp_path / "lab", sim_at_edge(), network=True) as rig, rig.drivers() as drivers:
        limited = LimitedPositioner(drivers.stage, drivers.daq.rate)
        drivers.daq.start()
        for _ in range(8):
            limited.synchronise(drivers.daq.read(20))
            here = limited.commanded
            assert all(here[name] in axis.travel for name, axis in limited.axes.items())
            assert here["x"] == pytest.approx(0, abs=2e-9)
            assert here["z"] == pytest.approx(10e-6, abs=2e-9)
            limited.play(np.array([[here[a]] for a in AXES]))
            drivers.daq.read(20)
            limited.halt()


def test_safe_state_stops_a_path(ready: Drivers) -> None:
    ready.stage.play(way(ready, 3e-6, 2000))
    ready.daq.read(300)
    ready.stage.safe_state()
    ready.daq.read(200)
    held = ready.virtual.moved()
    ready.daq.read(500)
    assert ready.virtual.moved() == held
    ready.stage.safe_state()
    assert ready.virtual.moved() == held


# -- the limits -----------------------------------------------------------------------------------


def refused(drivers: Drivers, path: np.ndarray, kind: type[Exception]) -> Exception:
    """What the limits say to a path, of which nothing may be put out."""
    stage = LimitedPositioner(drivers.stage, drivers.daq.rate)
    before = drivers.virtual.moved()
    commanded = dict(stage.commanded)
    with pytest.raises(kind) as caught:
        stage.play(path)
    drivers.daq.read(200)
    assert drivers.virtual.moved() == before
    assert dict(stage.commanded) == commanded
    return caught.value


def test_a_path_beyond_the_travel_is_refused(ready: Drivers) -> None:
    path = way(ready, 1e-6, 500)
    path[2, 0], path[2, -1] = 5e-6, 10.5e-6
    error = refused(ready, path, LimitExceeded)
    assert isinstance(error, LimitExceeded)
    assert error.command == "path along z"
    assert error.problem == "it reaches from 5 um to 10.5 um; the travel is 0 m .. 10 um"
    assert error.remedy == "move the scan or the sample into the range of the scanner"


def test_a_path_that_is_too_fast_is_refused(ready: Drivers) -> None:
    path = way(ready, 1e-6, 500)
    path[2, 250:] += 100e-9
    error = refused(ready, path, LimitExceeded)
    assert isinstance(error, LimitExceeded)
    assert error.command == "path along z"
    assert "its fastest step is 5" in error.problem
    assert "the limit is 3 mm/s" in error.problem
    assert error.remedy == "lower the speed, or raise max_speed in rig.toml if the stage allows it"


def test_a_jump_at_the_beginning_counts_as_speed(ready: Drivers) -> None:
    path = way(ready, 1e-6, 500) + np.array([[0.0], [0.0], [0.2e-6]])
    refused(ready, path, LimitExceeded)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("row", range(3))
def test_what_is_no_number_is_refused(ready: Drivers, bad: float, row: int) -> None:
    path = way(ready, 1e-6, 500)
    path[row, 100] = bad
    refused(ready, path, LimitExceeded)


@pytest.mark.parametrize("shape", [(2, 10), (4, 10), (3, 0), (3,)])
def test_a_path_of_another_shape_is_refused(ready: Drivers, shape: tuple[int, ...]) -> None:
    error = refused(ready, np.zeros(shape), ValueError)
    assert str(error) == f"a path has shape (3, n >= 1), found {shape}"


def test_a_path_at_the_very_limit_is_followed(ready: Drivers) -> None:
    stage = LimitedPositioner(ready.stage, ready.daq.rate)
    axis = stage.axes["z"]
    stage.play(way(ready, 2e-6, 500, speed=axis.max_speed))
    ready.daq.read(1000)
    assert stage.commanded["z"] == pytest.approx(7e-6, abs=2e-9)
    assert stage.axes == ready.stage.axes
    assert stage.identify() == ready.stage.identify()


def test_nan_is_refused_even_by_the_card(ready: Drivers) -> None:
    path = way(ready, 1e-6, 500)
    path[2, 100] = math.nan
    before = ready.virtual.moved()
    with pytest.raises(Exception, match="NI-DAQmx error"):
        ready.stage.play(path)
    assert ready.virtual.moved() == before
