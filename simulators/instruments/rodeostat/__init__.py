"""A virtual Rodeostat: JSON lines over a pseudo-terminal or TCP."""

from simulators.instruments.rodeostat.device import Device
from simulators.instruments.rodeostat.server import Server, serve

__all__ = ["Device", "Server", "serve"]
