from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import kstest, kurtosis, norm

from simulators.config import NoiseConfig, SimConfig, StageConfig
from simulators.world import World
from simulators.world.rng import normal, normals, stream, uniform
from simulators.world.slow import DRIFT, FACTOR, VIBRATION, node, slow


def fast_only() -> NoiseConfig:
    default = NoiseConfig()
    return NoiseConfig.off().model_copy(
        update={name: getattr(default, name) for name in ("thermal", "shot", "voltage")}
    )


@pytest.mark.parametrize(
    ("fc", "picoamperes"), [(1e3, 0.72), (2e3, 1.25), (5e3, 3.60), (10e3, 9.51)]
)
def test_rms_current(
    quiet: SimConfig, make: Callable[..., World], drive, fc: float, picoamperes: float
):
    """Thermal, shot and f**2 noise behind a 4-pole Bessel filter, from their spectral density."""
    amplifier = quiet.amplifier.model_copy(update={"filter": fc})
    world = make(quiet, noise=fast_only(), amplifier=amplifier)
    volts = world.run(drive(np.full(60_000, 19e-6)), 2000)[1000:, 0]
    assert volts.std() / 1e9 == pytest.approx(picoamperes * 1e-12, rel=0.1)


@pytest.mark.parametrize("switched_on", ["thermal", "shot", "voltage", "flicker", "mains", "walk"])
def test_each_term_has_its_own_switch(quiet: SimConfig, make, drive, switched_on: str):
    term = {switched_on: getattr(NoiseConfig(), switched_on)}
    world = make(quiet, noise=NoiseConfig.off().model_copy(update=term))
    assert world.run(drive(np.full(3000, 19e-6)), 2000)[1000:, 0].std() > 0


def test_nothing_switched_on_is_silent(quiet: SimConfig, make, drive):
    volts = make(quiet).run(drive(np.full(5000, 19e-6)), 2000)[3000:]
    assert np.ptp(volts, axis=0) == pytest.approx(np.zeros(9), abs=1e-12)


def test_mains_amplitude(quiet: SimConfig, make, drive):
    hum = NoiseConfig.off().model_copy(update={"mains": 2e-12})
    volts = make(quiet, noise=hum).run(drive(np.full(6000, 19e-6)), 2000)[1000:, 0]
    assert np.ptp(volts) / 2e9 == pytest.approx(2e-12, rel=0.01)


def test_sensor_noise(quiet: SimConfig, make, drive):
    noisy = quiet.stage.z.model_copy(update={"sensor_noise": 0.5e-9})
    stage = quiet.stage.model_copy(update={"z": noisy})
    volts = make(quiet, stage=stage).run(drive(np.full(50_000, 19e-6)), 2000)[5000:, 3]
    assert volts.std() * 38e-6 / 20 == pytest.approx(0.5e-9, rel=0.03)


def channels(stage: StageConfig, noise: NoiseConfig, seconds: float) -> np.ndarray:
    """All slow channels on their 1 ms grid, shape (nodes, 8)."""
    constants, state, rates = slow(stage, noise, stream(7, 3)), np.zeros(31), np.zeros(4)
    state[30] = 1.0
    out = np.empty((int(seconds * 1000), 8))
    for n in range(len(out)):
        node(constants, n, rates, state, out[n])
    return out


def test_vibration_and_drift():
    out = channels(StageConfig(), NoiseConfig.off(), 60)
    assert out[:, VIBRATION : VIBRATION + 3].std(axis=0) == pytest.approx([0.5e-9] * 3, rel=0.1)
    moved = np.abs(out[-1, DRIFT : DRIFT + 3] - out[0, DRIFT : DRIFT + 3])
    assert moved[:2] == pytest.approx([60e-9] * 2, rel=0.25)  # 1 nm/s, and the room's swing
    assert moved[2] == pytest.approx(12e-9, rel=0.5)
    assert np.all(out[:, FACTOR] == 1)


def test_flicker_has_the_density_it_should():
    noise = NoiseConfig.off().model_copy(update={"flicker": 1e-10})
    relative = channels(StageConfig(), noise, 100)[:, FACTOR] - 1
    segments = relative.reshape(-1, 10_000)
    spectrum = np.abs(np.fft.rfft(segments * np.hanning(10_000))) ** 2
    density = spectrum.mean(axis=0) * 2 / (1000 * np.sum(np.hanning(10_000) ** 2))
    f = np.fft.rfftfreq(10_000, 1e-3)
    band = (f > 1) & (f < 100)
    assert np.mean((density * f)[band]) == pytest.approx(1e-10, rel=0.1)


def test_clogs_come_at_their_rate():
    noise = NoiseConfig.off().model_copy(update={"clog_rate": 1.0})
    factor = channels(StageConfig(), noise, 30)[:, FACTOR]
    assert 15 < np.count_nonzero(np.diff(factor) < -0.005) < 50


def test_random_numbers_are_random():
    key = stream(1, 0)
    draws = np.array([normals(key, k) for k in range(20_000)])
    assert draws.mean(axis=0) == pytest.approx([0, 0], abs=0.03)
    assert draws.std(axis=0) == pytest.approx([1, 1], abs=0.02)
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.03
    assert abs(np.corrcoef(draws[1:, 0], draws[:-1, 0])[0, 1]) < 0.03
    others = [uniform(stream(seed, 0), 5) for seed in range(500)]
    assert np.std(others) == pytest.approx(1 / np.sqrt(12), rel=0.1)


def test_normal_deviates_are_normal_in_every_layer_and_in_the_tail():
    key, count = stream(2, 0), 400_000
    draws = np.array([normal(key, k) for k in range(count)])
    assert kstest(draws, norm.cdf).pvalue > 0.01
    assert kurtosis(draws) == pytest.approx(0, abs=4 * float(np.sqrt(24 / count)))
    for beyond in (1.0, 2.0, 3.0, 3.4426, 4.0):
        expected = count * 2 * norm.sf(beyond)
        found = np.count_nonzero(np.abs(draws) > beyond)
        assert found == pytest.approx(expected, abs=4 * float(np.sqrt(expected)))
    assert np.count_nonzero(draws > 3.4426) == pytest.approx(
        np.count_nonzero(draws < -3.4426), abs=60
    )


def test_a_pair_is_two_numbers_of_its_stream():
    key = stream(3, 1)
    assert normals(key, 7) == (normal(key, 14), normal(key, 15))
