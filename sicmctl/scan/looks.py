"""When the host looks at a fall that the card will stop.

A comparator does not see a tip whose rim presses on an edge beside its opening: the current falls
a little and stays. Only the host can tell that, by looking.
"""

from dataclasses import dataclass

from sicmctl.hal.hop import HopRequest

from .watch import Watch


@dataclass(frozen=True, slots=True)
class Looks:
    """How far the tip may fall unwatched, m.

    press: from a contact that only the host can tell until the host has halted the fall.
    least: between two looks, however fast the fall.
    """

    press: float = 0.2e-6
    least: float = 40e-9

    def wait(self, request: HopRequest, watch: Watch, reaction: float) -> float:
        """Return the time until the next look, s: the faster the fall, the sooner.

        Down to the nearest edge that the current leaves room for nothing can be met; below it, a
        rim must be told and the fall be halted within `press`.
        reaction: of the host, s; the tip goes on meanwhile. The first look need not come before a
        surface is to be expected.
        """
        speed = request.fast if watch.fast and request.fast is not None else request.speed
        rim = watch.rim
        told, room = (rim.curve.window, rim.room) if rim is not None else (0.0, 0.0)
        look = (room + max(self.press - told - reaction * speed, self.least)) / speed
        if watch.samples or request.look_from is None:
            return look
        return max((request.start - request.look_from) / speed, look)

    def fastest(self, reaction: float) -> float:
        """Return the fall rate at which a host that reacts so fast (s) still halts in time, m/s."""
        return self.press / reaction if reaction > 0 else float("inf")
