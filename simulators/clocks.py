"""How time passes for an instrument that stands beside the card.

Its firmware takes no time: what it does, it does at the moment it last saw (the time of its last
reading), unless that is long ago by the standard of the clock.
"""

import threading
from time import monotonic
from typing import Protocol

from simulators.cellport import Interrupted


class Clock(Protocol):
    """Time (s) that can be waited for."""

    @property
    def time(self) -> float:
        """Now, s."""
        ...

    def wait(self, until: float) -> None:
        """Return when it is `until`; raises Interrupted if `interrupt` was or is called."""
        ...

    def look(self, seen: float) -> float:
        """What a firmware that last saw the time `seen` reads off the clock."""
        ...

    def present(self, seen: float) -> float:
        """When something happens that is done now by a firmware that last saw the time `seen`."""
        ...

    def interrupt(self) -> None:
        """End the wait under way, or else the next one."""
        ...

    def resume(self) -> None:
        """Forget an interrupt that ended no wait yet."""
        ...


class FreeClock:
    """Time is what is waited for: nothing else drives it, and waiting takes none."""

    def __init__(self, start: float = 0.0) -> None:
        self._time = start
        self._stop = threading.Event()

    @property
    def time(self) -> float:
        return self._time

    def wait(self, until: float) -> None:
        if self._stop.is_set():
            self._stop.clear()
            raise Interrupted
        self._time = max(self._time, until)

    def look(self, seen: float) -> float:
        return self._time

    def present(self, seen: float) -> float:
        return max(seen, self._time)

    def interrupt(self) -> None:
        self._stop.set()

    def resume(self) -> None:
        self._stop.clear()


class WallClock:
    """Seconds of real time since the start; what comes within `slack` (s) of a reading counts as
    simultaneous with it, so that a firmware's period does not jitter with the computer's load."""

    def __init__(self, slack: float = 0.02) -> None:
        self._slack = slack
        self._origin = monotonic()
        self._stop = threading.Event()

    @property
    def time(self) -> float:
        return monotonic() - self._origin

    def wait(self, until: float) -> None:
        if self._stop.wait(max(0.0, until - self.time)):
            self._stop.clear()
            raise Interrupted

    def look(self, seen: float) -> float:
        return self.time

    def present(self, seen: float) -> float:
        now = self.time
        return seen if now - seen < self._slack else now

    def interrupt(self) -> None:
        self._stop.set()

    def resume(self) -> None:
        self._stop.clear()


class SkipClock(WallClock):
    """Real time, by which a host may pace its commands; but long waits are over at once.

    For a firmware of which some parts run on their own and others as the host commands. A short
    wait, as for a command's own reading, takes its time: else a host that asks often would make
    time fly.
    """

    def __init__(self, slack: float = 0.02, short: float = 2e-3) -> None:
        super().__init__(slack)
        self._short, self._skipped = short, 0.0

    @property
    def time(self) -> float:
        return super().time + self._skipped

    def wait(self, until: float) -> None:
        if until - self.time < self._short:
            super().wait(until)
        elif self._stop.is_set():
            self._stop.clear()
            raise Interrupted
        else:
            self._skipped += until - self.time


class LeashClock(FreeClock):
    """A free clock that does not run away from a client who must react to what it hears.

    Past `leash` s (of its own time) after the client's last word, each further wait is held up
    until the next word, or for `patience` s of real time: who only waits gets there too.
    """

    def __init__(self, leash: float = 0.5, patience: float = 0.02) -> None:
        super().__init__()
        self._leash, self._patience = leash, patience
        self._heard_at = 0.0
        self._word = threading.Event()

    def heard(self) -> None:
        """The client has said something."""
        self._heard_at = self._time
        self._word.set()

    def wait(self, until: float) -> None:
        if until > self._time > self._heard_at + self._leash:
            self._word.clear()
            self._word.wait(self._patience)
        super().wait(until)

    def interrupt(self) -> None:
        super().interrupt()
        self._word.set()


class FollowClock:
    """Time that another clock hands out through `advance`, for instance a card in lockstep.

    `advance` returns only when the firmware has done all that falls up to that time: it waits for
    something later, or shows no sign of life for `patience` (s, real time) and is then taken to be
    idle. So the same seed gives the same bits whatever the threads do.
    """

    def __init__(self, start: float = 0.0, patience: float = 0.05) -> None:
        self._time = start
        self._patience = patience
        self._news = threading.Condition()
        self._awaited: float | None = None
        self._busy = False
        self._stop = False

    @property
    def time(self) -> float:
        return self._time

    def advance(self, to: float) -> None:
        """It is `to` now; blocks until the firmware is through with what lies before."""
        with self._news:
            self._time = max(self._time, to)
            self._news.notify_all()
            while self._busy and (self._awaited is None or self._awaited <= self._time):
                if not self._news.wait(self._patience):
                    self._busy = False

    def wait(self, until: float) -> None:
        with self._news:
            self._busy, self._awaited = True, until
            self._news.notify_all()
            self._news.wait_for(lambda: self._stop or self._time >= until)
            self._awaited = None
            if self._stop:
                self._stop = False
                raise Interrupted

    def look(self, seen: float) -> float:
        return seen if self._busy else self._time

    def present(self, seen: float) -> float:
        with self._news:
            now = seen if self._busy else self._time
            self._busy = True
            self._news.notify_all()
            return now

    def interrupt(self) -> None:
        with self._news:
            self._stop = True
            self._news.notify_all()

    def resume(self) -> None:
        with self._news:
            self._stop = False
