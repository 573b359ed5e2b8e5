"""What a client asks of a running script from another thread."""

import threading
from collections.abc import Callable

from simulators.instruments.methodscript.errors import Aborted, Killed, LoopAborted

NUDGE = 0.01
"""Seconds between attempts to end a blocking read."""

PATIENCE = 1000
"""Ends of reads that nobody asked for, in a row, after which the cell counts as gone."""


class Requests:
    """Carries stops, halts and reversals to the thread that runs the script."""

    def __init__(self, interrupt: Callable[[], None], clock: Callable[[], float]) -> None:
        self._interrupt = interrupt
        self._clock = clock
        self._changed = threading.Condition()
        self._pending: type[Exception] | None = None
        self._over = False
        self._halted = False
        self._reverse = False
        self._spurious = 0
        self.measuring = False
        """Whether a measurement loop runs."""
        self.held = 0.0
        """Seconds for which the script was halted, on the cell's clock."""

    def abort(self) -> None:
        """Stop the script; it goes on at on_finished."""
        self._ask(Aborted)

    def abort_loop(self) -> None:
        """Stop the measurement loop."""
        self._ask(LoopAborted)

    def kill(self) -> None:
        """Stop everything."""
        self._ask(Killed)

    def halt(self) -> None:
        """Pause before the next sample or command."""
        with self._changed:
            self._halted = True

    def resume(self) -> None:
        """End a pause."""
        with self._changed:
            self._halted = False
            self._changed.notify_all()

    def reverse(self) -> None:
        """Turn the sweep round at its next step."""
        self._reverse = True

    def take_reversal(self) -> bool:
        """Whether a reversal was asked for since the last call."""
        asked, self._reverse = self._reverse, False
        return asked

    def checkpoint(self) -> None:
        """Called by the script's thread between steps: waits while halted, raises what is asked."""
        with self._changed:
            if self._halted and not self._pending:
                since = self._clock()
                self._changed.wait_for(lambda: self._pending or not self._halted)
                self.held += self._clock() - since
            pending, self._pending = self._pending, None
            if pending is None:
                return
            self._halted = False
            self._changed.notify_all()
        raise pending

    def interrupted(self) -> None:
        """A read was ended early: raises what is asked, if anything is."""
        self._spurious += 1
        self.checkpoint()
        if self._spurious > PATIENCE:
            raise Killed

    def undisturbed(self) -> None:
        """A read came to its end."""
        self._spurious = 0

    def over(self) -> None:
        """The script has ended; nothing more is heard."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _ask(self, what: type[Exception]) -> None:
        """Leave word, and disturb the script until it has noticed."""
        with self._changed:
            if self._over:
                return
            if self._pending is not Killed:
                self._pending = what
            self._changed.notify_all()
            while self._pending is what and not self._over:
                self._interrupt()
                self._changed.wait(NUDGE)
