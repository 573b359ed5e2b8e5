"""The physics of the virtual laboratory: pipette, sample, scanner, amplifier, on one clock."""

from simulators.world.truth import Truth
from simulators.world.world import World

__all__ = ["Truth", "World"]
