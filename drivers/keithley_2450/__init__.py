"""Keithley 2450, 2460 and 2461 source-measure units as potentiostats, over SCPI."""

from .driver import Keithley2450
from .options import Options

__all__ = ["Keithley2450", "Options"]
