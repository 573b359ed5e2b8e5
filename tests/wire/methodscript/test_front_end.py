"""The instrument on the front end and the cells of the virtual rig."""

import threading

import pytest

from simulators.cellconfig import PotentiostatConfig, ResistorCell
from simulators.clocks import Clock, FollowClock, FreeClock, WallClock
from simulators.frontend import FrontEnd
from simulators.instruments.methodscript import Device
from simulators.world.cell import make_cell

from .test_running import ON, PACK, columns


def instrument(clock: Clock) -> tuple[Device, list[str], threading.Event]:
    """A device on 1 kohm, what it says, and the end of its script."""
    port = FrontEnd(make_cell(ResistorCell(resistance=1e3)), PotentiostatConfig(), clock)
    device = Device(port, "emstat4-lr")
    said: list[str] = []
    first = threading.Event()

    def hear(data: bytes) -> None:
        said.append(data.decode())
        if data.startswith(b"M"):
            first.set()

    device.attach(hear)
    return device, said, first


def test_a_sweep_on_a_resistor() -> None:
    device, said, _ = instrument(FreeClock())
    device.receive(f"e\n{ON}meas_loop_lsv p c -1 1 100m 1\n{PACK}\n\n".encode())
    assert device.runtime.join(30)
    rows = columns([line.strip("\n") for line in said])
    assert len(rows) == 21
    assert [i for _, i in rows] == pytest.approx([e / 1e3 for e, _ in rows], abs=5e-6)
    device.close()


@pytest.mark.parametrize("clock", [WallClock(), FollowClock()])
def test_an_abort_ends_a_long_interval(clock: Clock) -> None:
    device, said, first = instrument(clock)
    script = f"e\n{ON}meas_loop_ca p c 100m 1k 10k\n{PACK}\non_finished:\ncell_off\n\n"
    device.receive(script.encode())
    assert first.wait(30)
    device.receive(b"Z\n")
    assert device.runtime.join(30)
    assert said == ["e\n", "M0007\n", "Z\n", "*\n", "\n"]
    assert not device.cell.on
    device.close()
