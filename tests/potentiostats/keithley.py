"""Keithleys over TCP, with the working electrode on either terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal

from drivers.keithley_2450 import Keithley2450
from simulators.cellconfig import CellConfig, PotentiostatConfig
from simulators.clocks import Clock
from simulators.instruments.keithley import serve
from simulators.world.cell import make_cell

from . import Bench, Opener, WatchedFrontEnd

Model = Literal["keithley-2450", "keithley-2461"]
Terminal = Literal["HI", "LO"]


@contextmanager
def _open(model: Model, working_on: Terminal, cell: CellConfig, clock: Clock) -> Iterator[Bench]:
    config = PotentiostatConfig(model=model, working_on=working_on)
    front = WatchedFrontEnd(make_cell(cell), config, clock)
    with serve(front, config) as server:
        options = {
            "resource": f"TCPIP0::127.0.0.1::{server.port}::SOCKET",
            "working_electrode": working_on,
            "timeout": "5 s",
        }
        potentiostat = Keithley2450.open(Keithley2450.Options.model_validate(options))
        try:
            yield Bench(potentiostat, front, server.unplug)
        finally:
            potentiostat.close()


OPENERS: dict[str, Opener] = {
    "keithley-2450": partial(_open, "keithley-2450", "HI"),
    "keithley-2450 keithley-2461": partial(_open, "keithley-2461", "LO"),
}
