"""Kinds of parameters that several subsystems share."""

from simulators.instruments.keithley.models import Function, Quantity
from simulators.instruments.scpi import Maybe, Real, Text

FUNCTIONS: tuple[tuple[Function, str], ...] = (("VOLT", "VOLTage[:DC]"), ("CURR", "CURRent[:DC]"))
"""Source functions: name and pattern."""

MEASURES = {"VOLT": "VOLTage[:DC]", "CURR": "CURRent[:DC]", "RES": "RESistance"}
"""Measure functions: pattern by name."""

UNITS = {"VOLT": "V", "CURR": "A"}

BUFFER = Maybe(Text(), "defbuffer1")
"""The name of a buffer, which may be left out."""


def level_of(function: str, quantity: Quantity) -> Real:
    """A source level."""
    return Real(-quantity.top, quantity.top, 0.0, UNITS[function])


def range_of(function: str, quantity: Quantity, default: float) -> Real:
    """A value by which a range is chosen: any that fits the greatest range."""
    top = max(quantity.ranges[-1], quantity.top)
    return Real(-top, top, default, UNITS[function])
