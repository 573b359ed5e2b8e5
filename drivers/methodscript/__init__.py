"""Potentiostats that speak PalmSens' MethodSCRIPT."""

from .driver import MethodScript, Options

__all__ = ["MethodScript", "Options"]
