"""What the hop engine may decide by itself."""

from dataclasses import dataclass, field

from .looks import Looks


@dataclass(frozen=True, slots=True)
class HopTuning:
    """What the hop engine may decide by itself. SI units.

    block: how much the host reads at a time while it watches a fall it must stop itself.
    looks: when the host looks at a fall that a comparator stops.
    sag: share of the setpoint that the current may sag by while the tip falls fast.
    window: over which rest is judged. still: largest change between two windows at rest.
    on_target: largest distance from the target at rest.
    settle_timeout: after which the hop is given up as unsettled.
    touch: fractional drop at which tip and sample are taken to have met.
    overload: share of the amplifier's output range that counts as saturated.
    """

    block: float = 0.5e-3
    looks: Looks = field(default_factory=Looks)
    sag: float = 0.22
    window: float = 1e-3
    still: float = 1.0e-9
    on_target: float = 20e-9
    settle_timeout: float = 0.5
    touch: float = 0.2
    overload: float = 0.98
