"""MethodSCRIPT instruments over TCP."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal

from drivers.methodscript import MethodScript
from simulators.cellconfig import CellConfig, PotentiostatConfig
from simulators.clocks import Clock
from simulators.instruments.methodscript import serve
from simulators.world.cell import make_cell

from . import Bench, Opener, WatchedFrontEnd

Model = Literal["emstat4-lr", "emstat-pico"]


@contextmanager
def _open(model: Model, cell: CellConfig, clock: Clock) -> Iterator[Bench]:
    config = PotentiostatConfig(model=model)
    front = WatchedFrontEnd(make_cell(cell), config, clock)
    with serve(front, config) as server:
        resource = f"socket://{server.address.removeprefix('tcp ')}"
        options = {"resource": resource, "timeout": "2 s", "reconnect": "5 s"}
        potentiostat = MethodScript.open(MethodScript.Options.model_validate(options))
        try:
            yield Bench(potentiostat, front, server.link.unplug)
        finally:
            potentiostat.close()


MODELS: tuple[Model, ...] = ("emstat4-lr", "emstat-pico")
OPENERS: dict[str, Opener] = {f"methodscript {model}": partial(_open, model) for model in MODELS}
