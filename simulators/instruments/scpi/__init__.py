"""A SCPI parser, an error queue and the IEEE 488.2 common commands, for any virtual instrument."""

from simulators.instruments.scpi.common import COMMON
from simulators.instruments.scpi.device import Device, Session
from simulators.instruments.scpi.errors import Event, EventLog, ScpiError
from simulators.instruments.scpi.kinds import Choice, Flag, Kind, Many, Maybe, Real, Text, Whole
from simulators.instruments.scpi.tree import Command, Tree

__all__ = [
    "COMMON",
    "Choice",
    "Command",
    "Device",
    "Event",
    "EventLog",
    "Flag",
    "Kind",
    "Many",
    "Maybe",
    "Real",
    "ScpiError",
    "Session",
    "Text",
    "Tree",
    "Whole",
]
