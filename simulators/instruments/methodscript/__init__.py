"""A virtual potentiostat of the EmStat4, EmStat Pico or Nexus kind, driven by MethodSCRIPT."""

from simulators.instruments.methodscript import arithmetic, instrument, loops, pulses, spectra
from simulators.instruments.methodscript.device import Device
from simulators.instruments.methodscript.kinds import KINDS, Kind
from simulators.instruments.methodscript.server import Server, serve

SCRIPT_COMMANDS = (arithmetic, instrument, loops, pulses, spectra)
"""Modules whose functions are script commands: importing them enters them."""

__all__ = ["KINDS", "SCRIPT_COMMANDS", "Device", "Kind", "Server", "serve"]
