"""An analog potentiostat on a card of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from drivers.analog_potentiostat import AnalogPotentiostat
from drivers.nidaqmx import NidaqmxDaq
from simulators.cellconfig import AnalogConfig, CellConfig, PotentiostatConfig
from simulators.cellplant import CellPlant
from simulators.clocks import Clock, FreeClock, WallClock
from simulators.daqconfig import DaqConfig
from simulators.instruments.nidaqmx import Card, Lockstep, Realtime, Server
from simulators.world.cell import make_cell

from . import Bench, Opener, WatchedFrontEnd

Control = Literal["potential", "current"]
PANEL = AnalogConfig(
    command_scale=-0.2, potential_scale=-5.0, current_scale=10.0, current_range=100e-6
)
"""+-2 V at the command's full scale; both monitors use all of the card's."""


@dataclass
class AnalogBench(Bench):
    """server: of the card that it hangs on."""

    server: Server


@contextmanager
def opened(
    cell: CellConfig, clock: Clock, panel: AnalogConfig = PANEL, rate: str = "10 kHz", **more: Any
) -> Iterator[AnalogBench]:
    """An open driver. more: further options of it, in place of the usual ones."""
    config = PotentiostatConfig(model="analog", analog=panel)
    front = WatchedFrontEnd(make_cell(cell), config, FreeClock())
    wiring = DaqConfig().wired(scanner=False, analog_potentiostat=True)
    pacing = Realtime() if isinstance(clock, WallClock) else Lockstep()
    card = Card(CellPlant(front, switched=True, seed=1), wiring, pacing)
    inputs = {"cell_potential": "ai16", "cell_current": "ai17", "cell_command": "_ao0_vs_aognd"}
    with Server(card) as server:
        daq = NidaqmxDaq.open(
            NidaqmxDaq.Options.model_validate(
                {"server": server.address, "sample_rate": rate, "inputs": inputs}
            )
        )
        options = {
            "maker": "Virtual",
            "control": panel.control,
            "command_scale": f"{panel.command_scale} V/V",
            "potential_scale": f"{panel.potential_scale} V/V",
            "current_scale": f"{panel.current_scale / panel.current_range} V/A",
            "current_range": f"{panel.current_range} A",
            "cell_switch": "port0/line7",
        }
        try:
            potentiostat = AnalogPotentiostat.open(
                AnalogPotentiostat.Options.model_validate(options | more), daq
            )
            yield AnalogBench(potentiostat, front, None, server)
            potentiostat.close()
        finally:
            daq.close()


OPENERS: dict[str, Opener] = {"analog-potentiostat": opened}
