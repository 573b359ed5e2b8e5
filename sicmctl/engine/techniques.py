"""The electrochemical steps of a run, one after another, and what a fault in one means for it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sicmctl import echem
from sicmctl.config.experiment import Step
from sicmctl.hal.cell import CellRest
from sicmctl.hal.errors import InstrumentError, LimitExceeded
from sicmctl.hal.limitedcell import LimitedPotentiostat
from sicmctl.messages import Alarm, Message
from sicmctl.scan.hopper import DaqHopEngine

from .cellclock import CellClock, HostClock, StreamClock
from .cellrun import CellRun
from .rig import Rig, str_identity


@contextmanager
def listening(rig: Rig) -> Iterator[None]:
    """Read a card that stands beside the potentiostat while that is asked something.

    A virtual potentiostat lives by the card's time.
    """
    card = rig.card
    if card is None or needs_card(rig):
        yield
        return
    card.start()
    try:
        with StreamClock(lambda seconds: card.read(round(seconds * card.rate)), card.rate):
            yield
    finally:
        card.stop()


def needs_card(rig: Rig) -> bool:
    """Tell whether the potentiostat works through the card, and so reads its samples itself."""
    return getattr(rig.loaded.drivers.get("potentiostat"), "needs_daq", False)


def refuse_impossible(rig: Rig, steps: Iterable[Step]) -> None:
    """Refuse programs that this potentiostat, or this rig, cannot or may not run.

    Reads the cell's potential; switches nothing. Raises LimitExceeded, NotSupported or
    ImpossibleTechnique, or whatever else keeps the potentiostat from being asked.
    """
    wanted = [step.echem for step in steps if step.echem is not None]
    potentiostat = rig.potentiostat
    if not wanted or potentiostat is None:
        return
    with listening(rig):
        present, _ = potentiostat.read()
    for technique in wanted:
        potentiostat.check(echem.build(technique, present))


@dataclass
class Techniques:
    """Runs the steps with `echem` on a rig that has a potentiostat.

    failures: of techniques after which the run went on.
    """

    rig: Rig
    publish: Callable[[Message], None]
    stopping: Callable[[], bool]
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._host = HostClock()
        self._number = 0

    def run(self, step: Step, hops: DaqHopEngine | None) -> str:
        """Run one step; return `done` or `stopped`.

        Raises what ends the run: any fault, unless rig.toml says that the run goes on and the cell
        could be brought to rest. A cell that left its limits always ends it.
        """
        assert step.echem is not None
        safety = self.rig.loaded.model.safety
        with self._clock(hops) as clock:
            present, _ = self._potentiostat.read()
            number, self._number = self._number, self._number + 1
            running = CellRun(
                number=number,
                technique=step.echem.technique,
                title=step.title or "",
                program=echem.build(step.echem, present),
                potentiostat=self._potentiostat,
                instrument=str_identity(self._potentiostat.identify()),
                present=present,
                rest=CellRest(safety.cell_rest),
                clock=clock,
                publish=self.publish,
                stopping=self.stopping,
            )
            try:
                return running.run()
            except InstrumentError as error:
                limits = isinstance(error, LimitExceeded)
                if limits or safety.on_cell_fault == "stop" or not running.at_rest:
                    raise
                self._go_on(f"echem {number} ({step.echem.technique}) failed: {error}", clock)
        return "done"

    def _go_on(self, failure: str, clock: CellClock) -> None:
        self.failures.append(failure)
        self.publish(
            Alarm(
                time=clock.now().time,
                level="error",
                source="potentiostat",
                text=f"{failure}; the cell is at rest and the run goes on",
                remedy="see why; safety.on_cell_fault decides what becomes of the run",
            )
        )

    @contextmanager
    def _clock(self, hops: DaqHopEngine | None) -> Iterator[CellClock]:
        """Beside a microscope its card makes the time; else the computer does."""
        if hops is None or needs_card(self.rig):
            yield self._host
            return
        with StreamClock(hops.read, self.rig.daq.rate) as clock:
            yield clock

    @property
    def _potentiostat(self) -> LimitedPotentiostat:
        assert self.rig.potentiostat is not None
        return self.rig.potentiostat
