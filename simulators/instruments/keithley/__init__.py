"""A virtual Keithley 2450, 2460 or 2461 that SCPI clients drive over TCP."""

from simulators.instruments.keithley.models import MODELS
from simulators.instruments.keithley.output import Wiring
from simulators.instruments.keithley.server import serve
from simulators.instruments.keithley.smu import Smu

__all__ = ["MODELS", "Smu", "Wiring", "serve"]
