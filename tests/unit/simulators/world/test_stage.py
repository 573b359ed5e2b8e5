import numpy as np
import pytest

from simulators.config import StageConfig
from simulators.world import stage
from simulators.world.pack import packed


def follow(config: StageConfig, z: np.ndarray, dt: float = 20e-6) -> tuple[np.ndarray, np.ndarray]:
    """True and sensed z (m) while the command follows z (m), starting at rest at z[0]."""
    axes = packed(stage.axes(config))
    step = packed(stage.stepping(config, dt))
    state, plays, creeps = np.zeros((3, 3)), np.zeros((3, stage.PLAYS)), np.zeros((3, 4))
    volts = z / config.z.range * 20 - 10
    plays[2] = z[0] / config.z.range
    start = stage.target(axes, 2, volts[0], plays)
    state[2] = start, 0, start
    creeps[2] = start
    out = np.empty((z.size, 2))
    for k, v in enumerate(volts):
        u = stage.target(axes, 2, v, plays)
        stage.advance(step, 2, u, state, creeps)
        out[k] = state[2, stage.POSITION], state[2, stage.SENSED]
    return out[:, 0], out[:, 1]


@pytest.mark.parametrize(
    ("resonance", "speed", "lag", "overshoot"),
    [(500, 30, 13, 1.0), (1000, 30, 6.6, 0.5), (2000, 30, 3.3, 0.2), (2000, 100, 11, 0.8),
     (2000, 500, 55, 3.9), (5000, 500, 21, 1.5)],
)  # fmt: skip
def test_lag_and_overshoot_of_a_ramp(resonance: float, speed: float, lag: float, overshoot: float):
    """A second-order axis lags by 2 zeta v / w_n; speed in nm/ms, the rest in nm."""
    config = StageConfig()
    z_axis = config.z.model_copy(update={"resonance": resonance})
    config = config.model_copy(update={"z": z_axis})
    dt, v = 4e-6, speed * 1e-6
    t = np.arange(2500) * dt
    z = 20e-6 - v * np.minimum(t, 6e-3)
    true, _ = follow(config, z, dt)
    ramping = np.searchsorted(t, 5.9e-3)
    # a held command is half a step old on average
    assert true[ramping] - z[ramping] - v * dt / 2 == pytest.approx(lag * 1e-9, rel=0.05)
    assert z[-1] - true.min() == pytest.approx(overshoot * 1e-9, rel=0.2)


def test_the_sensor_lags_the_stage_by_its_delay():
    config = StageConfig()
    z = 20e-6 - 30e-6 * np.arange(1000) * 20e-6
    true, sensed = follow(config, z)
    delay = config.z.sensor_delay
    assert sensed[-1] - true[-1] == pytest.approx(30e-6 * delay, rel=0.01)


def test_steps_may_have_any_length():
    config, z = StageConfig(), np.full(400, 20.0e-6)
    z[1:] = 20.1e-6
    fine, _ = follow(config, np.repeat(z, 5)[4:], 10e-6)
    coarse, _ = follow(config, z, 50e-6)
    assert coarse[1:] == pytest.approx(fine[5::5], abs=1e-15)


def test_hysteresis_loop():
    config = StageConfig()
    axis = config.z.model_copy(update={"hysteresis": 0.083, "resonance": 5e3})
    config = config.model_copy(update={"z": axis})
    up = np.linspace(0, 38e-6, 3000)
    true, _ = follow(config, np.concatenate([up, up[::-1], up, up[::-1]]), 1e-3)
    forth, back = true[6000:9000], true[9000:][::-1]
    assert np.max(back - forth) / np.ptp(forth) == pytest.approx(0.083, rel=0.05)


def test_creep_per_decade():
    config = StageConfig()
    config = config.model_copy(update={"z": config.z.model_copy(update={"creep": 0.015})})
    z = np.full(20_000, 11e-6)
    z[0] = 10e-6
    true, _ = follow(config, z, 1e-3)
    at = [true[int(t / 1e-3)] for t in (0.2, 2.0, 19.0)]
    assert np.diff(at) == pytest.approx([0.015e-6, 0.015e-6], rel=0.25)


def test_commands_beyond_the_range_stop_at_its_end():
    true, _ = follow(StageConfig(), np.linspace(37e-6, 40e-6, 2000))
    assert true[-1] == pytest.approx(38e-6, rel=1e-6)


def test_a_stage_wired_the_other_way():
    config = StageConfig()
    axis = config.z.model_copy(update={"low_voltage": 10.0, "high_voltage": 0.0})
    axes = stage.axes(config.model_copy(update={"z": axis}))
    assert axes.zero[2] + 10 * axes.metres_per_volt[2] == pytest.approx(0)
    assert axes.zero[2] == pytest.approx(38e-6)
