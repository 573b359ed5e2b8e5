"""A Rodeostat over TCP."""

from collections.abc import Iterator
from contextlib import contextmanager

from drivers.rodeostat import Rodeostat
from simulators.cellconfig import CellConfig, PotentiostatConfig
from simulators.clocks import Clock, FreeClock, SkipClock
from simulators.instruments.rodeostat import serve
from simulators.world.cell import make_cell

from . import Bench, Opener, WatchedFrontEnd


@contextmanager
def _open(cell: CellConfig, clock: Clock) -> Iterator[Bench]:
    config = PotentiostatConfig(model="rodeostat")
    clock = SkipClock(slack=0.2) if isinstance(clock, FreeClock) else clock
    front = WatchedFrontEnd(make_cell(cell), config, clock)
    with serve(front, config) as server:
        options = {"resource": f"socket://{server.address.removeprefix('tcp ')}"}
        options |= {"current_range": "100 uA"}
        potentiostat = Rodeostat.open(Rodeostat.Options.model_validate(options))
        try:
            yield Bench(potentiostat, front, server.link.unplug)
        finally:
            potentiostat.close()


OPENERS: dict[str, Opener] = {"rodeostat": _open}
