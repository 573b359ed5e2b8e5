"""IO Rodeo's open potentiostat, over its lines of JSON."""

from .driver import Options, Rodeostat

__all__ = ["Options", "Rodeostat"]
