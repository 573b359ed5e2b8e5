"""A droplet at the tip over a dry sample, as in scanning electrochemical cell microscopy.

No current flows but a leak until the droplet meets the sample, one height of it below the glass.
From then on it is pinned to both, and the conductance is that of the tip and of the contact.
Lifted, it stretches, and tears off at some multiple of its height: a free choice, as its height is.
"""

from typing import NamedTuple

from simulators.compiled import lean
from simulators.config import PipetteConfig
from simulators.world.pipette import Pipette


class Meniscus(NamedTuple):
    """What the compiled code needs of a meniscus (SI)."""

    height: float
    """0: there is none, the sample lies in a bath."""
    breaks_at: float
    """Gap (m) at which it tears off."""
    wet: float
    """Conductance (S) in contact."""
    dry: float


def meniscus(config: PipetteConfig, pipette: Pipette) -> Meniscus:
    """The meniscus of a pipette as it is now; as high as its inner radius if not configured."""
    if config.medium == "bath":
        return Meniscus(0.0, 0.0, 0.0, 0.0)
    height = config.meniscus_height or pipette.inner_radius
    wet = 1 / (pipette.far_resistance + config.contact_resistance)
    return Meniscus(height, config.meniscus_stretch * height, wet, 1 / config.leak_resistance)


@lean()
def wets(meniscus, wet, gap):
    """Whether the sample is wetted at `gap` (m), if it was (1.0) or was not (0.0) just before."""
    return 1.0 if gap <= (meniscus.breaks_at if wet else meniscus.height) else 0.0


@lean()
def since_contact(meniscus, before, now):
    """Share of a sub-step that is left after the contact, from the gaps (m) at its ends."""
    fallen = before - now
    return min(max((meniscus.height - now) / fallen, 0.0), 1.0) if fallen > 0.0 else 1.0
