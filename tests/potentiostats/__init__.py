"""Every potentiostat driver on its virtual instrument, for the contract suite.

A driver joins by a module of this package with a dictionary `OPENERS`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from sicmctl.hal.potentiostat import Potentiostat
from simulators.cellconfig import CellConfig, PotentiostatConfig, ResistorCell
from simulators.cellport import Control
from simulators.clocks import Clock, FreeClock
from simulators.frontend import FrontEnd
from simulators.world.cell import Cell, make_cell


class WatchedFrontEnd(FrontEnd):
    """A front end that tells whether it has hold of the cell."""

    holding = False

    def __init__(self, cell: Cell, config: PotentiostatConfig, clock: Clock) -> None:
        _compile()
        super().__init__(cell, config, clock)

    def control(
        self, mode: Control, value: float = 0.0, slope: float = 0.0, at: float | None = None
    ) -> None:
        super().control(mode, value, slope, at)
        self.holding = mode is not Control.OPEN


@cache
def _compile() -> None:
    """Let the noise be compiled now: a firmware that waits for it seems dead to its driver."""
    front = FrontEnd(make_cell(ResistorCell()), PotentiostatConfig(), FreeClock())
    front.control(Control.POTENTIAL, 0.1)
    front.read(0.1)


@dataclass
class Bench:
    """An open driver, and what there is behind it.

    front: the virtual instrument's front end. unplug: cut the link for so many seconds; None if the
    driver has no link of its own.
    """

    potentiostat: Potentiostat
    front: WatchedFrontEnd
    unplug: Callable[[float], None] | None


Opener = Callable[[CellConfig, Clock], AbstractContextManager[Bench]]
"""Serves the virtual instrument with a cell on a clock, and opens the driver."""


def _found() -> dict[str, Opener]:
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return {name: opener for module in modules for name, opener in module.OPENERS.items()}


OPENERS: dict[str, Opener] = _found()
"""By the names that rig.toml gives the drivers, and the model where that makes a difference."""
