"""A virtual NI X-series card that the unmodified `nidaqmx` package drives over gRPC."""

from simulators.instruments.nidaqmx.board import Board, Wiring
from simulators.instruments.nidaqmx.card import Card
from simulators.instruments.nidaqmx.direct import DirectChannel
from simulators.instruments.nidaqmx.pacing import Host, Lockstep, Pacing, Realtime
from simulators.instruments.nidaqmx.server import Server

__all__ = [
    "Board",
    "Card",
    "DirectChannel",
    "Host",
    "Lockstep",
    "Pacing",
    "Realtime",
    "Server",
    "Wiring",
]
