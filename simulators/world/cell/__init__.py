"""Virtual electrochemical cells."""

from simulators.cellconfig import CellConfig, RandlesCell, RcCell, ResistorCell
from simulators.world.cell import linear
from simulators.world.cell.cell import Cell

__all__ = ["Cell", "make_cell"]


def make_cell(config: CellConfig) -> Cell:
    """The cell that `[cell]` describes, at the start of its life."""
    match config:
        case ResistorCell():
            return linear.resistor(config)
        case RcCell():
            return linear.rc(config)
        case RandlesCell():
            return linear.randles(config)
    raise NotImplementedError(config.kind)
