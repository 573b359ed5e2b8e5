import numpy as np
import pytest

from simulators.config import SampleConfig
from simulators.world.graphite import graphite
from simulators.world.sample import Sample
from simulators.world.surfaces import rq

CENTRE = (50e-6, 50e-6)


def built(world_seed: int = 3, /, **fields) -> Sample:
    return Sample.build(SampleConfig(**fields), world_seed, CENTRE)


def grid(sample: Sample, points: int = 256) -> np.ndarray:
    step = (np.arange(points) / points - 0.5) * sample.size
    return sample.height(CENTRE[0] + step[None, :], CENTRE[1] + step[:, None])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_graphite_roughness_and_range(seed: int):
    sample = built(seed, kind="graphite")
    assert rq(sample.map) == pytest.approx(1.30e-6, rel=1e-9)
    assert 6e-6 < np.ptp(sample.map) < 11e-6
    heights = grid(sample)
    assert heights.min() > 0
    assert heights.max() < 19e-6  # a stage at rest, at half range, is above it all


def test_graphite_is_covered_with_flakes_of_some_micrometres():
    rng = np.random.default_rng(1)
    composite = graphite(np.zeros((256, 256)), 20e-6, rng)
    shown, pixels = np.unique(composite.flake, return_counts=True)
    assert 90 < shown.size < 150
    diameters = np.sqrt(4 / np.pi * pixels) * 20e-6 / 256
    assert 1.5e-6 < np.median(diameters[shown >= 0]) < 4e-6
    assert np.all(composite.under <= composite.heights + 1e-15)


def test_surfaces_follow_the_seed():
    assert np.array_equal(built(5).map, built(5).map)
    assert not np.array_equal(built(5).map, built(6).map)
    assert np.array_equal(built(5, seed=9).map, built(6, seed=9).map)


def test_maps_repeat_seamlessly():
    sample = built(kind="graphite", points=128)
    x = np.linspace(40e-6, 60e-6, 7)
    assert sample.height(x, 51e-6) == pytest.approx(sample.height(x + sample.size, 51e-6))


def test_tilt_rises_in_its_direction():
    sample = built(kind="tilted", rq=0.0, tilt_direction=np.pi / 2)
    rise = sample.height(50e-6, 60e-6) - sample.height(50e-6, 50e-6)
    assert rise == pytest.approx(10e-6 * np.tan(np.radians(2)))
    assert sample.height(*CENTRE) == pytest.approx(8e-6)
    assert sample.height(70e-6, 50e-6) == pytest.approx(8e-6)


def test_hopg_has_steps_of_10_nm():
    sample = built(kind="hopg", points=1024)
    row = sample.map[0]
    jumps = np.abs(np.diff(row))
    assert 4 <= np.count_nonzero(jumps > 5e-9) <= 8
    # wide off the rims there are two kinds of terrace, 10 nm apart
    assert np.percentile(row, 90) - np.percentile(row, 10) == pytest.approx(10e-9, abs=2.5e-9)


def test_grating():
    sample = built(kind="grating", rq=0.0)
    assert sample.size == pytest.approx(21e-6)
    assert np.ptp(sample.map) == pytest.approx(100e-9)
    up = np.count_nonzero(np.diff((sample.map[0] > 0).astype(int)) == 1)
    assert up == 7


def test_flat_roughness_and_permeability():
    assert rq(built(kind="flat").map) == pytest.approx(0.3e-9, rel=0.02)
    assert built(kind="flat", points=16).permeability == 0
    assert built(kind="graphite", points=16).permeability == 0.08
    assert built(kind="graphite", points=16, permeability=0.2).permeability == 0.2


def test_moving_the_sample():
    sample = built(kind="flat")
    moved = sample.moved(-1e-6)
    assert moved.height(*CENTRE) == pytest.approx(sample.height(*CENTRE) - 1e-6)
