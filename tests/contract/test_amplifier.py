"""`CurrentAmplifier`: volts become amperes, and a bias lands on the pipette."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sicmctl.hal.capabilities import Block
from sicmctl.hal.errors import InstrumentError, LimitExceeded, UnexpectedState
from sicmctl.hal.limited import LimitedAmplifier
from sicmctl.hal.limits import Interval

from ..rigs import Drivers, virtual
from .conftest import AXOPATCH


def biased(drivers: Drivers, volts: float, samples: int = 2000) -> Block:
    """Bias the pipette and read a while, without what came before."""
    drivers.daq.start()
    drivers.amplifier.set_bias(volts)
    drivers.daq.read(1000)
    return drivers.daq.read(samples)


def test_the_current_is_that_of_the_pipette(with_amplifier: Drivers) -> None:
    block = biased(with_amplifier, 0.7)
    current = with_amplifier.amplifier.current(block)
    assert current.shape == (2000,)
    true = with_amplifier.virtual.lab.world.current
    assert true > 1e-9
    # the amplifier's own gain error and offset
    assert current.mean() == pytest.approx(true * 1.005 + 1.5e-12, rel=2e-3)


def test_a_bias_lands_on_the_pipette_within_a_step_of_the_converter(
    with_amplifier: Drivers,
) -> None:
    scale = with_amplifier.virtual.lab.config.amplifier.command_scale
    for volts in (0.7, -0.35, 0.05, 0.0):
        with_amplifier.amplifier.set_bias(volts)
        found = with_amplifier.virtual.bias
        assert abs(found - volts) <= abs(scale) * 10 / 32768 / 2 + 1e-12


def test_the_sign_of_the_current_follows_the_bias(with_amplifier: Drivers) -> None:
    block = biased(with_amplifier, -0.5)
    assert with_amplifier.amplifier.current(block).mean() < -1e-9


def test_safe_state_takes_the_bias_off(with_amplifier: Drivers) -> None:
    biased(with_amplifier, 0.7)
    with_amplifier.amplifier.safe_state()
    assert with_amplifier.virtual.bias == 0
    with_amplifier.amplifier.safe_state()
    assert with_amplifier.virtual.bias == 0


def test_the_state_tells_gain_band_and_mode(
    with_amplifier: Drivers, request: pytest.FixtureRequest
) -> None:
    state = with_amplifier.amplifier.state(biased(with_amplifier, 0.1))
    band = 1.2e3 if "femto" in request.node.name else 5e3  # a FEMTO is slow at its highest gain
    assert (state.gain, state.bandwidth, state.mode) == (1e9, band, "V-CLAMP")


def test_a_bias_beyond_the_limits_changes_nothing(with_amplifier: Drivers) -> None:
    amplifier = LimitedAmplifier(with_amplifier.amplifier)
    amplifier.set_bias(0.3)
    before = with_amplifier.virtual.moved()
    high = amplifier.command_limits.high
    for volts in (high * 1.001, -high * 1.001, math.nan, math.inf):
        with pytest.raises(LimitExceeded) as caught:
            amplifier.set_bias(volts)
        assert caught.value.command == "set bias"
        assert caught.value.instrument == amplifier.identify().model
        assert "lies outside" in caught.value.problem
        assert caught.value.remedy
    assert with_amplifier.virtual.moved() == before


def test_the_rigs_own_limit_is_held_too(with_amplifier: Drivers) -> None:
    amplifier = LimitedAmplifier(with_amplifier.amplifier, Interval(-0.2, 5000.0, "V"))
    assert amplifier.command_limits.low == -0.2
    assert amplifier.command_limits.high == with_amplifier.amplifier.command_limits.high
    amplifier.set_bias(-0.2)
    with pytest.raises(LimitExceeded):
        amplifier.set_bias(-0.2001)
    assert with_amplifier.virtual.bias == pytest.approx(-0.2, abs=2e-4)


def test_the_limited_amplifier_passes_everything_else_on(with_amplifier: Drivers) -> None:
    bare = with_amplifier.amplifier
    amplifier = LimitedAmplifier(bare)
    block = biased(with_amplifier, 0.2, 100)
    assert amplifier.identify() == bare.identify()
    assert amplifier.state(block) == bare.state(block)
    assert np.array_equal(amplifier.current(block), bare.current(block))
    assert amplifier.output_limit == bare.output_limit
    amplifier.safe_state()
    assert with_amplifier.virtual.bias == 0


# -- an amplifier with telegraphs ---------------------------------------------------------------


@pytest.fixture
def telegraphed(tmp_path: Path) -> Iterator[Drivers]:
    with virtual(tmp_path / "lab", AXOPATCH, network=True) as rig, rig.drivers() as drivers:
        yield drivers


def test_a_gain_turned_within_a_block_scales_each_sample_by_its_own(telegraphed: Drivers) -> None:
    before = biased(telegraphed, 0.7, 500)
    telegraphed.virtual.set("amplifier.gain", 2e9)
    block = before.followed_by(telegraphed.daq.read(500))
    telegraph = block["gain_telegraph"]
    turned = int(np.argmax(telegraph > 2.75))
    assert turned == 500
    current = telegraphed.amplifier.current(block)
    volts = block["pipette_current"]
    assert np.array_equal(current[:500], volts[:500] / 1e9)
    assert np.array_equal(current[500:], volts[500:] / 2e9)
    assert current[500:].mean() == pytest.approx(current[:500].mean(), rel=1e-3)
    assert telegraphed.amplifier.state(block).gain == 2e9
    assert telegraphed.amplifier.state(before).gain == 1e9


@pytest.mark.parametrize("gain", [0.05e9, 0.1e9, 0.5e9, 1e9, 10e9, 500e9])
def test_every_step_of_the_gain_is_read(telegraphed: Drivers, gain: float) -> None:
    telegraphed.virtual.set("amplifier.gain", gain)
    telegraphed.daq.start()
    assert telegraphed.amplifier.state(telegraphed.daq.read(20)).gain == pytest.approx(gain)


@pytest.mark.parametrize("band", [1e3, 2e3, 5e3, 10e3, 100e3])
def test_every_step_of_the_filter_is_read(telegraphed: Drivers, band: float) -> None:
    telegraphed.virtual.set("amplifier.filter", band)
    telegraphed.daq.start()
    assert telegraphed.amplifier.state(telegraphed.daq.read(20)).bandwidth == band


@pytest.mark.parametrize(
    ("mode", "name"),
    [("i=0", "I=0"), ("i-clamp normal", "I-CLAMP NORMAL"), ("i-clamp fast", "I-CLAMP FAST")],
)
def test_a_mode_without_voltage_clamp_is_refused(
    telegraphed: Drivers, mode: str, name: str
) -> None:
    telegraphed.virtual.set("amplifier.mode", mode)
    telegraphed.daq.start()
    with pytest.raises(UnexpectedState) as caught:
        telegraphed.amplifier.state(telegraphed.daq.read(20))
    assert str(caught.value) == (
        f"axopatch-200b: read mode: the mode is {name}, in which the output is no current "
        "(turn the mode switch to V-CLAMP)"
    )


@pytest.mark.parametrize("what", ["gain", "filter", "mode"])
@pytest.mark.parametrize("volts", [-3.0, 0.0, 9.0, 12.0])
def test_an_unreadable_telegraph_is_told_with_the_remedy(
    telegraphed: Drivers, what: str, volts: float
) -> None:
    telegraphed.daq.start()
    block = telegraphed.daq.read(20)
    block[f"{what}_telegraph"][-1] = volts
    with pytest.raises(UnexpectedState) as caught:
        telegraphed.amplifier.state(block)
    assert str(caught.value) == (
        f"axopatch-200b: read {what}: the telegraph shows {volts:.2f} V, which means no {what} "
        "(check the telegraph cable and that the amplifier is on)"
    )


def test_where_the_gain_is_unreadable_there_is_no_current(telegraphed: Drivers) -> None:
    telegraphed.daq.start()
    block = telegraphed.daq.read(20)
    block["gain_telegraph"][5:7] = 0.0
    current = telegraphed.amplifier.current(block)
    assert np.flatnonzero(np.isnan(current)).tolist() == [5, 6]


def test_a_gain_that_does_not_exist_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    from .conftest import FEMTO

    with virtual(tmp_path / "lab", FEMTO, network=True) as rig, rig.drivers() as drivers:
        femto = drivers.amplifier
        with pytest.raises(InstrumentError, match="there is no gain 2e"):
            femto.set_gain(2e9)  # type: ignore[attr-defined]
        drivers.daq.start()
        assert femto.state(drivers.daq.read(5)).gain == 1e9
        assert rig.lab.world.amplifier.gain == 1e9
        for gain in (1e3, 1e6, 1e9):
            femto.set_gain(gain)  # type: ignore[attr-defined]
            assert rig.lab.world.amplifier.gain == gain
