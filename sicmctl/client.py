"""The Python API that scripts, the command line and windows use to reach the rig."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sicmctl.config.load import LoadedRig, load_experiment, load_rig
from sicmctl.data.journal import JournalWriter
from sicmctl.data.writer import RunFileWriter, refuse_existing
from sicmctl.engine.rig import Rig
from sicmctl.engine.run import Outcome, Run, UnsupportedStep
from sicmctl.hal.capabilities import AmplifierState, Axis
from sicmctl.hal.errors import InstrumentError
from sicmctl.hal.limits import Interval
from sicmctl.messages import AnyMessage
from sicmctl.scan.pattern import PatternError


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: how it ended and where its data are."""

    outcome: Outcome
    file: Path
    journal: Path


@dataclass(frozen=True, slots=True)
class RigReport:
    """What a rig is made of, as its instruments tell it. SI units."""

    instruments: dict[str, str]
    sample_rate: float
    axes: dict[str, Axis]
    position: dict[str, float]
    amplifier: AmplifierState
    current: float
    bias_limits: Interval
    comparators: dict[str, str]


def run(
    rig: Path | str,
    experiment: Path | str,
    out: Path | str,
    on_message: Callable[[AnyMessage], None] | None = None,
    stop: threading.Event | None = None,
) -> RunResult:
    """Run an experiment and write RUN.sicmlog (the journal) and RUN.h5.

    on_message: sees every message as it is published; it must be quick.
    stop: set it from another thread to end the run after the present hop.

    Raises ConfigError for bad files, JournalError or RunFileError if `out` exists or cannot be
    written; InstrumentError if the rig cannot be reached, UnsupportedStep if it cannot do what is
    asked: then no file is left. A run that fails later returns, with the reason, after the rig was
    made safe.
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
            RunFileWriter(out, journal=journal_path) as file,
        ):
            subscribers = [journal.write, file.write, lambda message: begun.set()]
            subscribers += [on_message] if on_message else []
            running = Run(loaded_rig, loaded_experiment, subscribers)
            with _stop_on(stop, running):
                outcome = running.run()
    except (InstrumentError, PatternError, UnsupportedStep):
        if not begun.is_set():  # nothing was moved and nothing is to be kept
            journal_path.unlink()
            out.unlink()
        raise
    return RunResult(outcome, out, journal_path)


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


def check(rig: Path | str | LoadedRig) -> RigReport:
    """Connect to a rig, identify its instruments and read its signals. Moves nothing."""
    loaded = rig if isinstance(rig, LoadedRig) else load_rig(rig)
    with Rig.open(loaded) as opened:
        block = opened.wake()
        return RigReport(
            instruments=opened.identities(),
            sample_rate=opened.daq.rate,
            axes=dict(opened.stage.axes),
            position=dict(opened.stage.commanded),
            amplifier=opened.amplifier.state(block),
            current=float(opened.amplifier.current(block).mean()),
            bias_limits=opened.amplifier.command_limits,
            comparators=dict(opened.daq.comparators),
        )
