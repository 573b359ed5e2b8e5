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
    sensing: between two looks once the current has begun to fall.
    """

    press: float = 0.2e-6
    sensing: float = 70e-9

    def wait(self, request: HopRequest, watch: Watch, reaction: float) -> float:
        """Return the time until the next look, s: the faster the fall, the sooner.

        reaction: of the host, s; the tip goes on meanwhile. The first look need not come before a
        surface is to be expected.
        """
        speed = request.fast if watch.fast and request.fast is not None else request.speed
        if watch.sensing:
            return self.sensing / speed
        look = max(self.press - reaction * speed, self.sensing) / speed
        if watch.samples or request.look_from is None:
            return look
        return max((request.start - request.look_from) / speed, look)
