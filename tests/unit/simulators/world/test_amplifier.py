import numpy as np
import pytest

from simulators.config import AXOPATCH_GAINS, AmplifierConfig
from simulators.world.amplifier import Amplifier, bessel, filtered
from simulators.world.pack import packed


def response(band: float, dt: float, signal: np.ndarray) -> np.ndarray:
    low_pass, modes = packed(bessel(band, dt)), np.zeros(2, dtype=complex)
    return np.array([filtered(low_pass, s, modes) for s in signal])


@pytest.mark.parametrize("band", [1e3, 5e3, 10e3])
def test_delay_of_a_ramp(band: float):
    """A 4-pole Bessel filter delays by 2.114/(2 pi fc)."""
    dt = 1e-6
    t = np.arange(4000) * dt
    # t[k] is held from t[k] to t[k] + dt, where the output is read: half a step late
    delay = (t - response(band, dt, t))[-1] + dt / 2
    assert delay == pytest.approx(2.114 / (2 * np.pi * band), rel=1e-3)


def test_gain_is_one_at_rest_and_3_db_down_at_the_corner():
    dt, fc = 2e-6, 5e3
    assert response(fc, dt, np.ones(1000))[-1] == pytest.approx(1, rel=1e-9)
    t = np.arange(5000) * dt
    tone = response(fc, dt, np.sin(2 * np.pi * fc * t))[-500:]
    assert np.ptp(tone) / 2 == pytest.approx(np.sqrt(0.5), rel=0.01)


def test_the_state_carries_over_to_another_step():
    fine = response(5e3, 2e-6, np.ones(100))
    low_pass, modes = packed(bessel(5e3, 2e-6)), np.zeros(2, dtype=complex)
    for _ in range(50):
        filtered(low_pass, 1.0, modes)
    coarse = packed(bessel(5e3, 20e-6))
    assert [filtered(coarse, 1.0, modes) for _ in range(5)] == pytest.approx(fine[59::10])


def test_axopatch_telegraphs():
    amplifier = Amplifier(AmplifierConfig(whole_cell_capacitance=33e-12))
    assert amplifier.telegraphs() == pytest.approx([2.5, 6.0, 6.0, 3.3])
    seen = []
    for gain in AXOPATCH_GAINS:
        amplifier.gain = gain
        seen.append(amplifier.telegraphs()[0])
    assert seen == pytest.approx(np.arange(0.5, 7.0, 0.5))
    amplifier.filter, amplifier.mode = 100e3, "track"
    assert amplifier.telegraphs()[1:3] == pytest.approx([10.0, 4.0])


def test_femto_gain_follows_its_lines():
    amplifier = Amplifier(AmplifierConfig(model="femto-dlpca-200", gain=1e9, filter=5e3))
    assert amplifier.gain == 1e9
    assert amplifier.band == pytest.approx(1.2e3)  # its band shrinks with the gain
    for bit, high in enumerate((False, False, True)):
        amplifier.set_line(f"amplifier.gain.{bit}", high)
    assert amplifier.gain == 1e7
    assert amplifier.band == 5e3
    amplifier.set_line("amplifier.low_noise", False)
    assert amplifier.gain == 1e9
    assert not amplifier.telegraphs().any()


def test_an_axopatch_ignores_lines():
    amplifier = Amplifier(AmplifierConfig())
    amplifier.set_line("amplifier.gain.0", True)
    assert amplifier.gain == 1e9
