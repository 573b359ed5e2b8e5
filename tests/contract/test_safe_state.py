"""`SafeState`: every driver can be made safe, at any time, any number of times."""

from pathlib import Path

import pytest

from sicmctl.hal.capabilities import CurrentAmplifier, Daq, Positioner, SafeState, SignalStream

from ..rigs import virtual
from .conftest import EVERY


@pytest.mark.parametrize("name", EVERY)
def test_safe_again_and_again_moves_nothing_and_hinders_nothing(name: str, tmp_path: Path) -> None:
    part, sim = EVERY[name]
    with virtual(tmp_path / "lab", sim, network=True) as rig, rig.drivers() as drivers:
        instrument = getattr(drivers, part)
        assert isinstance(instrument, SafeState)
        before = rig.moved()
        instrument.safe_state()
        instrument.safe_state()
        drivers.daq.start()
        drivers.daq.read(50)
        instrument.safe_state()
        assert rig.moved() == before
        assert len(drivers.daq.read(50)) == 50


@pytest.mark.parametrize("name", EVERY)
def test_each_driver_is_what_it_says(name: str, tmp_path: Path) -> None:
    part, sim = EVERY[name]
    protocols = {
        "daq": (Daq, SignalStream),
        "amplifier": (CurrentAmplifier,),
        "stage": (Positioner,),
    }
    with virtual(tmp_path / "lab", sim, network=True) as rig, rig.drivers() as drivers:
        instrument = getattr(drivers, part)
        drivers.daq.start()
        if part == "stage":
            instrument.synchronise(drivers.daq.read(50))
        assert all(isinstance(instrument, protocol) for protocol in protocols[part])
        assert instrument.identify().model
