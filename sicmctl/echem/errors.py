"""What can be wrong with a technique although its file is right."""

from sicmctl.hal.errors import SicmError


class ImpossibleTechnique(SicmError):
    """A technique cannot become a program, for a reason that only the cell's potential shows."""
