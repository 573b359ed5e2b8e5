"""A virtual NI X-series card that the unmodified `nidaqmx` package drives over NI's gRPC protocol."""

from simulators.instruments.nidaqmx.card import Card, Wiring
from simulators.instruments.nidaqmx.pacing import Host, Lockstep, Pacing, Realtime
from simulators.instruments.nidaqmx.server import Server

__all__ = ["Card", "Host", "Lockstep", "Pacing", "Realtime", "Server", "Wiring"]
