"""The trigger model: what a sweep or loop command builds and `:INITiate` runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count, repeat
from threading import Condition, Thread

from simulators.cellport import Interrupted
from simulators.instruments.keithley.blocks import Blocks
from simulators.instruments.keithley.models import Function

FOREVER = 0
"""A repeat count."""


@dataclass(frozen=True)
class Plan:
    """What to do, point by point.

    levels: of one pass; empty to leave the source alone. delay: s before each measurement, -1
    leaves it to the source delay. passes: how often; 0 for ever. readings: of each pass without
    levels. duration: s after which a pass without levels ends. abort_on_limit: stop when the
    source hits its limit. ranging: of the source: AUTO, BEST or FIX.
    """

    name: str
    function: Function | None = None
    levels: tuple[float, ...] = ()
    delay: float = 0.0
    passes: int = 1
    readings: int = 1
    duration: float | None = None
    abort_on_limit: bool = False
    buffer: str = "defbuffer1"
    ranging: str = "BEST"
    clears: bool = False

    def points(self) -> Iterator[float | None]:
        """The levels one after the other; None leaves the level as it is."""
        if not self.levels:
            yield from repeat(None, self.readings) if self.duration is None else repeat(None)
        passes = count() if self.passes == FOREVER else range(self.passes)
        yield from chain.from_iterable(self.levels for _ in passes)

    @property
    def buffers(self) -> tuple[str, ...]:
        """Where readings go."""
        return (self.buffer,)


class TriggerModel:
    """Runs one plan at a time in a thread of its own; shares the instrument's lock."""

    def __init__(self, lock: Condition, run: Callable[[Plan | Blocks], None]) -> None:
        self._lock = lock
        self._run = run
        self._then: list[Callable[[], None]] = []
        self.plan: Plan | Blocks | None = None
        self.thread: Thread | None = None
        self.stopping = False
        self.state = "EMPTY"
        self.points = 0

    @property
    def running(self) -> bool:
        """Whether a plan is under way."""
        return self.thread is not None

    def load(self, plan: Plan | Blocks | None, state: str = "IDLE") -> None:
        """Replace the plan."""
        self.plan, self.state = plan, state if plan else "EMPTY"

    def start(self) -> None:
        """Run the plan; the caller holds the lock and knows that none is running."""
        assert self.plan is not None
        self.stopping, self.state, self.points = False, "RUNNING", 0
        self.thread = Thread(target=self._work, args=(self.plan,), name="trigger model")
        self.thread.daemon = True
        self.thread.start()

    def wait(self) -> None:
        """Return when no plan runs; lets go of the lock meanwhile."""
        while self.thread is not None:
            self._lock.wait()

    def wait_for_the_end(self) -> None:
        """Return when the plan is to end: for what waits for something that never comes."""
        with self._lock:
            self._lock.wait_for(lambda: self.stopping)

    def when_done(self, then: Callable[[], None]) -> None:
        """Call `then` when the plan is over: at once if none runs."""
        if self.running:
            self._then.append(then)
        else:
            then()

    def abort(self, interrupt: Callable[[], None]) -> None:
        """End the plan. interrupt: ends the reading it is waiting for."""
        self._then.clear()
        if not self.running:
            return
        self.stopping = True
        self._lock.notify_all()
        while self.thread is not None:
            interrupt()
            self._lock.wait(0.05)

    def _work(self, plan: Plan | Blocks) -> None:
        outcome = "IDLE"
        try:
            self._run(plan)
        except Interrupted:
            outcome = "ABORTED"
        except BaseException:
            outcome = "FAILED"
            raise
        finally:
            with self._lock:
                self.state, self.thread, self.stopping = outcome, None, False
                for then in self._then:
                    then()
                self._then.clear()
                self._lock.notify_all()
