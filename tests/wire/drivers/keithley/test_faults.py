"""Faults of the virtual instrument in the middle of a cyclic voltammogram; and VISA."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import numpy as np
import pytest

from drivers.keithley_2450 import Keithley2450
from drivers.keithley_2450.wire import VisaWire
from sicmctl.hal.cell import CellProgram, Cycles
from sicmctl.hal.errors import NotConnected
from sicmctl.hal.potentiostat import CellSamples, SampleFlag
from sicmctl.hal.timeline import Stamp
from simulators.cellconfig import FaultConfig, PotentiostatConfig, ResistorCell
from simulators.cellport import Control
from simulators.clocks import WallClock
from simulators.frontend import FrontEnd
from simulators.instruments.keithley import Smu, serve
from simulators.instruments.scpi.server import Server
from simulators.world.cell import make_cell

CV = Cycles(interval=0.02, start=0.0, first=0.1, second=-0.1, rate=0.2, count=2)


class Front(FrontEnd):
    mode = Control.OPEN

    def control(
        self, mode: Control, value: float = 0.0, slope: float = 0.0, at: float | None = None
    ) -> None:
        super().control(mode, value, slope, at)
        self.mode = mode


@contextmanager
def served(*faults: FaultConfig) -> Iterator[tuple[Front, Server]]:
    config = PotentiostatConfig(model="keithley-2450", faults=faults)
    front = Front(make_cell(ResistorCell(resistance=1e4)), config, WallClock())
    with serve(front, config) as server:
        yield front, server


def now() -> Stamp:
    return Stamp(monotonic(), 0.0)


def run(server: Server, found: list[CellSamples]) -> None:
    driver = Keithley2450.open(
        Keithley2450.Options.model_validate(
            {"resource": f"socket://{server.address}", "timeout": "2 s"}
        )
    )
    try:
        data = driver.run(CellProgram((CV,), current_range=1e-4), now)
        found.extend(item for item in data if isinstance(item, CellSamples))
    finally:
        driver.close()


@pytest.mark.parametrize("kind", ["garbage", "truncate", "silence", "unplug", "reboot"])
def test_a_fault_ends_the_program_with_the_cell_open(kind: str) -> None:
    fault = FaultConfig.model_validate({"kind": kind, "after": 40, "duration": "0.3 s"})
    found: list[CellSamples] = []
    with served(fault) as (front, server):
        with pytest.raises(NotConnected, match="the cell is open now"):
            run(server, found)
        assert front.mode is Control.OPEN
    assert 0 < sum(map(len, found)) < 200, "what came before is not lost"


def test_an_overload_is_flagged_and_the_program_goes_on() -> None:
    fault = FaultConfig.model_validate({"kind": "overload", "after": 40, "duration": "0.1 s"})
    found: list[CellSamples] = []
    with served(fault) as (front, server):
        run(server, found)
        assert front.mode is Control.OPEN
    flags = np.concatenate([block.flags for block in found])
    assert len(flags) == 200
    assert 0 < np.sum((flags & SampleFlag.OVERLOAD) != 0) < 50


def test_a_host_that_dies_leaves_the_cell_open() -> None:
    with served() as (front, server):
        driver = Keithley2450.open(
            Keithley2450.Options.model_validate({"resource": f"socket://{server.address}"})
        )
        data = driver.run(CellProgram((CV,)), now)
        next(data)
        driver.close()  # no more is said
        smu = server.instrument
        assert isinstance(smu, Smu)
        with smu.lock:
            smu.wait()
        assert front.mode is Control.OPEN
        with pytest.raises(NotConnected, match="the link is closed"):
            data.close()


def test_visa_reaches_it_too() -> None:
    with served() as (_, server):
        wire = VisaWire(f"TCPIP0::127.0.0.1::{server.port}::SOCKET", "@py")
        with pytest.raises(ConnectionError, match="closed"):
            wire.write(b"*IDN?\n")
        wire.open()
        wire.write(b"*IDN?\n")
        assert wire.line(1.0) == b"KEITHLEY INSTRUMENTS,MODEL 2450,VIRTUAL001,1.7.12b"
        assert wire.line(0.05) is None
        server.unplug(0.2)
        with pytest.raises(ConnectionError):
            for _ in range(5):
                wire.write(b"*IDN?\n")
                wire.line(1.0)
        wire.open()
        wire.write(b"*LANG?\n")
        assert wire.line(1.0) == b"SCPI"
        wire.close()
        wire.close()


def test_visa_tells_what_it_cannot_open() -> None:
    with pytest.raises(ConnectionError, match="VISA cannot open"):
        VisaWire("NONSENSE::1", "@py").open()
