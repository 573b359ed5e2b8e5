"""Virtual electrochemical cells."""

from simulators.cellconfig import (
    CellConfig,
    GraphiteCell,
    NcmCell,
    RandlesCell,
    RcCell,
    ResistorCell,
)
from simulators.world.cell import linear
from simulators.world.cell.cell import Cell
from simulators.world.cell.graphite import Books, Graphite
from simulators.world.cell.ncm import Ncm

__all__ = ["Books", "Cell", "Graphite", "Ncm", "make_cell"]


def make_cell(config: CellConfig) -> Cell:
    """The cell that `[cell]` describes, at the start of its life."""
    match config:
        case ResistorCell():
            return linear.resistor(config)
        case RcCell():
            return linear.rc(config)
        case RandlesCell():
            return linear.randles(config)
        case GraphiteCell():
            return Graphite(config)
        case NcmCell():
            return Ncm(config)
