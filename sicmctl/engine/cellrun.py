"""One technique on the potentiostat, from the first sample to a cell at rest."""

import logging
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field

from sicmctl.hal.cell import CellProgram, CellRest
from sicmctl.hal.potentiostat import CellData, CellSamples, CellSpectrum, Potentiostat, StepEnded
from sicmctl.messages import EchemEnded, EchemStarted, Message

from . import cellplan
from .cellblocks import Collector
from .cellclock import CellClock

_LOG = logging.getLogger(__name__)


@dataclass
class CellRun:
    """Runs a program and publishes what comes of it.

    number: of the technique within the run. present: potential of the cell just before, V.
    rest: where the cell is brought if the program does not run to its end.
    """

    number: int
    technique: str
    title: str
    program: CellProgram
    potentiostat: Potentiostat
    instrument: str
    present: float
    rest: CellRest
    clock: CellClock
    publish: Callable[[Message], None]
    stopping: Callable[[], bool]
    settings: dict[str, float] = field(default_factory=dict)
    at_rest: bool = False
    """Whether the cell is known to be where it was to be left."""

    def __post_init__(self) -> None:
        self._last = 0.0

    def run(self) -> str:
        """Return `done` or `stopped`. Raises what the potentiostat raises, the cell then at rest.

        Whether that could be seen to, `at_rest` tells.
        """
        self._last = self.clock.now().time
        self.publish(self._started())
        collector = Collector(self.number, self.program, self.publish)
        outcome, reason = "failed", ""
        try:
            with closing(self.potentiostat.run(self.program, self.clock.now)) as data:
                outcome = self._follow(data, collector)
            reason = "asked to stop" if outcome == "stopped" else ""
        except BaseException as error:
            outcome, reason = "failed", str(error) or type(error).__name__
            raise
        finally:
            rest = self._leave(outcome)  # before anything else that might fail
            try:
                collector.finish(outcome)
            finally:
                self.publish(self._ended(outcome, reason, rest))
        return outcome

    def _follow(self, data: Generator[CellData, None, None], collector: Collector) -> str:
        for item in data:
            if (time := _newest(item)) is not None:
                self._last = max(self._last, time)
                self.clock.saw(time)
            collector.take(item)
            if self.stopping():
                return "stopped"
        return "done"

    def _leave(self, outcome: str) -> str:
        """Bring the cell to rest unless its program has; return the state, "" if it is unknown."""
        if outcome == "done":
            self.at_rest = True
            return str(self.program.after)
        try:
            self.potentiostat.rest(self.rest)
        except Exception as error:  # what made the program fail is told; this is tried again later
            _LOG.warning("the cell could not be brought to rest: %s", error)
            return ""
        self.at_rest = True
        return str(self.rest)

    def _started(self) -> EchemStarted:
        steps = self.program.steps
        return EchemStarted(
            time=self._last,
            echem=self.number,
            technique=self.technique,
            title=self.title,
            instrument=self.instrument,
            present=self.present,
            after=str(self.program.after),
            steps=cellplan.count(steps),
            duration=cellplan.longest(steps),
            settings=self.settings,
        )

    def _ended(self, outcome: str, reason: str, rest: str) -> EchemEnded:
        return EchemEnded(
            time=self._last, echem=self.number, outcome=outcome, reason=reason, rest=rest
        )


def _newest(item: CellData) -> float | None:
    """Return the newest time in what came, s; None if there is none."""
    match item:
        case StepEnded(time=stamp):
            return stamp.time
        case CellSamples() | CellSpectrum() if len(item):
            return float(item.time[-1])
        case _:
            return None
