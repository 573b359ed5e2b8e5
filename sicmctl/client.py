"""The Python API that scripts, the command line and windows use to reach the rig."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sicmctl.aside import aside_if_it_helps
from sicmctl.config.load import LoadedExperiment, LoadedRig, load_experiment, load_rig
from sicmctl.data.journal import JournalWriter
from sicmctl.data.live import RunFileWriter
from sicmctl.data.writer import refuse_existing
from sicmctl.echem import ImpossibleTechnique
from sicmctl.engine.cellplan import KINDS
from sicmctl.engine.rig import Rig
from sicmctl.engine.run import Outcome, Run, UnsupportedStep
from sicmctl.engine.techniques import listening
from sicmctl.hal.capabilities import AmplifierState, Axis
from sicmctl.hal.errors import InstrumentError
from sicmctl.hal.limits import Interval
from sicmctl.messages import AnyMessage
from sicmctl.scan.pattern import PatternError
from sicmctl.scan.reporter import ONE_BY_ONE, Gathering

_GATHER = 0.2
"""Time over which hops are gathered, s."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: how it ended and where its data are."""

    outcome: Outcome
    file: Path
    journal: Path


@dataclass(frozen=True, slots=True)
class MicroscopeReport:
    """Stage and amplifier, as they tell it. SI units."""

    axes: dict[str, Axis]
    position: dict[str, float]
    amplifier: AmplifierState
    current: float
    bias_limits: Interval
    comparators: dict[str, str]


@dataclass(frozen=True, slots=True)
class CellReport:
    """What the potentiostat can do within the rig's limits, and what it sees now. SI units.

    potential, current: now. ranges: full scales of the current, A. techniques: kinds of steps that
    it can run. rest: where a run leaves the cell.
    """

    potential: float
    current: float
    potential_limits: Interval
    current_limits: Interval
    rate_limits: Interval
    interval_limits: Interval
    frequency_limits: Interval | None
    ranges: tuple[float, ...]
    techniques: tuple[str, ...]
    rest: str


@dataclass(frozen=True, slots=True)
class RigReport:
    """What a rig is made of, as its instruments tell it.

    sample_rate: of the card, samples/s. What the rig does not have is None.
    """

    instruments: dict[str, str]
    sample_rate: float | None
    microscope: MicroscopeReport | None
    cell: CellReport | None


def run(
    rig: Path | str,
    experiment: Path | str,
    out: Path | str,
    on_message: Callable[[AnyMessage], None] | None = None,
    stop: threading.Event | None = None,
    *,
    prompt: bool = True,
    aside: Executor | None = None,
) -> RunResult:
    """Run an experiment and write RUN.sicmlog (the journal) and RUN.h5.

    on_message: sees every message as it is published; it must be quick.
    stop: set it from another thread to end the run after the present hop, or the cell's next sign
    of life, which comes within about a second.
    prompt: `on_message` hears of each hop before the next one begins, and may act on it. Otherwise
    hops come some at a time, half a second late, seldom a whole one: their heights are estimated
    together, in a process of their own where there is a second core, and fast hops are faster.
    aside: what estimates them then, if there is such a process already.

    Raises ConfigError for bad files, JournalError or RunFileError if `out` exists or cannot be
    written; InstrumentError if the rig cannot be reached or may not do what is asked,
    UnsupportedStep, PatternError or ImpossibleTechnique if it cannot: then no file is left. A run
    that fails later returns, with the reason, after the rig was made safe.
    """
    loaded_rig = load_rig(rig)
    loaded_experiment = load_experiment(experiment)
    out = Path(out)
    journal_path = out.with_suffix(".sicmlog")
    refuse_existing(out)
    begun = threading.Event()
    try:
        with (
            JournalWriter(journal_path) as journal,
            RunFileWriter(out, journal_path) as file,
        ):
            subscribers = [journal.write, file.see, lambda message: begun.set()]
            subscribers += [on_message] if on_message else []
            with _gathering(prompt, aside) as gathering:
                running = Run(loaded_rig, loaded_experiment, subscribers, gathering)
                with _stop_on(stop, running):
                    outcome = running.run()
    except (ImpossibleTechnique, InstrumentError, PatternError, UnsupportedStep):
        if not begun.is_set():  # nothing was moved and nothing is to be kept
            journal_path.unlink()
            out.unlink()
        raise
    return RunResult(outcome, out, journal_path)


@contextmanager
def _gathering(prompt: bool, aside: Executor | None) -> Iterator[Gathering]:
    if prompt:
        yield ONE_BY_ONE
    elif aside is not None:
        yield Gathering(_GATHER, aside)
    else:
        with aside_if_it_helps() as own:
            yield Gathering(_GATHER, own)


class _stop_on:  # noqa: N801  (reads as a phrase)
    """While inside, setting the event stops the run."""

    def __init__(self, stop: threading.Event | None, running: Run) -> None:
        self._stop, self._running = stop, running
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> None:
        if self._stop is not None:
            self._thread = threading.Thread(target=self._watch, name="stop button", daemon=True)
            self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        assert self._stop is not None
        while not self._over.is_set():
            if self._stop.wait(0.05):
                self._running.stop()
                return


def check(
    rig: Path | str | LoadedRig, experiment: Path | str | LoadedExperiment | None = None
) -> RigReport:
    """Connect to a rig, identify its instruments and read its signals. Moves nothing.

    experiment: refuse it as `run` would before anything moves. Raises what `run` raises then.
    """
    loaded = rig if isinstance(rig, LoadedRig) else load_rig(rig)
    if isinstance(experiment, Path | str):
        experiment = load_experiment(experiment)
    asked = Run(loaded, experiment, ()) if experiment is not None else None
    if asked is not None:
        asked.refuse_unsupported()
    with Rig.open(loaded) as opened:
        if asked is not None:
            asked.refuse_unreachable(opened)
        return RigReport(
            instruments=opened.identities(),
            sample_rate=opened.card.rate if opened.card is not None else None,
            cell=_cell_report(opened),
            microscope=_microscope_report(opened),
        )


def _microscope_report(rig: Rig) -> MicroscopeReport | None:
    if rig.microscope is None:
        return None
    block = rig.wake()
    return MicroscopeReport(
        axes=dict(rig.stage.axes),
        position=dict(rig.stage.commanded),
        amplifier=rig.amplifier.state(block),
        current=float(rig.amplifier.current(block).mean()),
        bias_limits=rig.amplifier.command_limits,
        comparators=dict(rig.daq.comparators),
    )


def _cell_report(rig: Rig) -> CellReport | None:
    if rig.potentiostat is None:
        return None
    with listening(rig):
        potential, current = rig.potentiostat.read()
    limits = rig.potentiostat.limits
    return CellReport(
        potential=potential,
        current=current,
        potential_limits=limits.potential,
        current_limits=limits.current,
        rate_limits=limits.rate,
        interval_limits=limits.interval,
        frequency_limits=limits.frequency,
        ranges=limits.ranges,
        techniques=tuple(name for kind, name in KINDS.items() if kind in limits.steps),
        rest=rig.loaded.model.safety.cell_rest,
    )
