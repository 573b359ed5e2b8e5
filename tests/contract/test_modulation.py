"""`Carrier` and `CommandedByCard`: a bias that swings beside a moving stage."""

import numpy as np
import pytest

from sicmctl.hal.capabilities import Positioner
from sicmctl.hal.errors import LimitExceeded, NotSupported
from sicmctl.hal.limited import LimitedAmplifier, LimitedPositioner
from sicmctl.hal.modulation import Carrier, CommandedByCard
from sicmctl.scan.modulated import BiasWave

from ..rigs import Drivers

BIAS, SWING, PERIOD, PAUSE = 0.4, 0.05, 50, 100


def wave(drivers: Drivers) -> BiasWave:
    return BiasWave(LimitedAmplifier(drivers.amplifier), BIAS, SWING, PERIOD, PAUSE)


def held(stage: Positioner, samples: int) -> np.ndarray:
    return np.repeat([[stage.commanded[axis]] for axis in stage.axes], samples, axis=1)


@pytest.fixture
def carrying(with_amplifier: Drivers) -> Drivers:
    """The clock runs, and the bias rides on the stage."""
    with_amplifier.daq.start()
    with_amplifier.stage.synchronise(with_amplifier.daq.read(200))
    assert isinstance(with_amplifier.stage, Carrier)
    with_amplifier.stage.carry(wave(with_amplifier))
    return with_amplifier


def test_the_bias_swings_beside_a_path_and_ends_at_rest(carrying: Drivers) -> None:
    amplifier = carrying.amplifier
    assert isinstance(amplifier, CommandedByCard)
    carrying.stage.play(held(carrying.stage, 1000))
    seen = amplifier.bias(carrying.daq.read(1200))
    assert np.ptp(seen[400:900]) == pytest.approx(2 * SWING, rel=0.01)
    assert seen[400:900].mean() == pytest.approx(BIAS, abs=1e-3)
    assert carrying.virtual.bias == pytest.approx(BIAS, abs=1e-4)


@pytest.mark.parametrize("samples", [431, 443, 457])
def test_a_halt_in_any_phase_leaves_the_bias_at_rest(carrying: Drivers, samples: int) -> None:
    here = dict(carrying.stage.commanded)
    carrying.stage.play(held(carrying.stage, 5000))
    carrying.daq.read(samples)
    carrying.stage.halt()
    assert carrying.virtual.bias == pytest.approx(BIAS, abs=1e-4)
    assert dict(carrying.stage.commanded) == pytest.approx(here)


def test_let_go_of_the_command_can_be_written_again(carrying: Drivers) -> None:
    assert isinstance(carrying.stage, Carrier)
    carrying.stage.play(held(carrying.stage, 5000))
    carrying.daq.read(500)
    carrying.stage.carry(None)
    assert carrying.virtual.bias == pytest.approx(BIAS, abs=1e-4)
    carrying.amplifier.safe_state()
    assert carrying.virtual.bias == 0
    carrying.stage.play(held(carrying.stage, 500))  # the stage alone
    carrying.daq.read(600)
    assert carrying.virtual.bias == 0


def test_a_swing_beyond_the_limits_is_refused(with_amplifier: Drivers) -> None:
    amplifier = LimitedAmplifier(with_amplifier.amplifier)
    high = amplifier.command_limits.high
    with pytest.raises(LimitExceeded, match="lies outside") as caught:
        amplifier.command_volts(np.array([high - 0.01, high + 0.01]))
    assert caught.value.command == "modulate the bias"


class Bare:
    """An instrument that cannot do it."""

    def __init__(self, of: object) -> None:
        self.command_limits = getattr(of, "command_limits", None)
        self.output_limit, self.axes = 10.0, getattr(of, "axes", {})
        self.identify = of.identify  # type: ignore[attr-defined]
        self.halts = 0

    def halt(self) -> None:
        self.halts += 1


def test_instruments_that_cannot_are_told_apart(with_amplifier: Drivers) -> None:
    amplifier = LimitedAmplifier(Bare(with_amplifier.amplifier))  # type: ignore[arg-type]
    for ask in (lambda: amplifier.command_channel, lambda: amplifier.command_volts(np.zeros(2))):
        with pytest.raises(NotSupported, match="not an analog output of the card"):
            ask()
    bare = Bare(with_amplifier.stage)
    stage = LimitedPositioner(bare, 50e3)  # type: ignore[arg-type]
    with pytest.raises(NotSupported, match="nothing can ride"):
        stage.carry(wave(with_amplifier))
    stage.carry(None)
    assert bare.halts == 1
