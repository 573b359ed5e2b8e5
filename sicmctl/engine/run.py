"""One run: from two TOML files to a file of data and a rig that is safe again."""

import gc
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib import metadata
from math import degrees

from sicmctl.aside import prepare
from sicmctl.config.experiment import Step
from sicmctl.config.hop import Hop
from sicmctl.config.load import LoadedExperiment, LoadedRig
from sicmctl.hal.errors import SicmError
from sicmctl.hal.hop import Reaction
from sicmctl.hal.nearby import any_nearby
from sicmctl.messages import (
    Alarm,
    AnyMessage,
    Message,
    Note,
    RunEnded,
    RunStarted,
    ScanEnded,
)
from sicmctl.scan.drift import Creep
from sicmctl.scan.frames import Frame, Frames
from sicmctl.scan.hopper import DaqHopEngine
from sicmctl.scan.hoptime import HopTimes
from sicmctl.scan.hoptuning import HopTuning
from sicmctl.scan.pattern import targets
from sicmctl.scan.reference import ReferenceTrack
from sicmctl.scan.reporter import ONE_BY_ONE, Gathering
from sicmctl.scan.revisits import Revisits
from sicmctl.scan.scanner import Scanner
from sicmctl.scan.tipwatch import TipWatch

from . import modulation, scans, tuneup
from .rig import Rig
from .safety import CELL, Act, make_safe
from .techniques import Techniques, refuse_impossible
from .tuneup import Tuneup

_LOG = logging.getLogger(__name__)
_PACKAGES = ("sicmctl", "numpy", "scipy", "nidaqmx", "msgspec", "pydantic")
PARTS = ("sicmctl.scan.height", "scipy.interpolate", "scipy.optimize")
"""What a second process needs for heights and tips, and what is slow to import."""

_SELDOM = 20_000
"""New objects between two visits of the garbage collector: some dozen hops."""

Subscriber = Callable[[AnyMessage], None]


class RunState(StrEnum):
    """Where a run is."""

    IDLE = "idle"
    PREPARING = "preparing"
    SCANNING = "scanning"
    MAKING_SAFE = "making safe"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: `done`, `stopped` or `failed`, why, and what made the rig safe."""

    outcome: str
    reason: str
    safe: tuple[str, ...]


class UnsupportedStep(SicmError):
    """The experiment asks for something that this rig or this version cannot do."""


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep all that is there by now out of the garbage collector's way, and let it come seldom.

    To look through it takes a tenth of a second now and then, in which a tip would fall unwatched.
    """
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_SELDOM, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


class Run:
    """Runs an experiment on a rig. `run` blocks; `stop` may be called from any thread.

    gathering: how hops are gathered before they are published.
    """

    def __init__(
        self,
        rig: LoadedRig,
        experiment: LoadedExperiment,
        subscribers: Sequence[Subscriber],
        gathering: Gathering = ONE_BY_ONE,
    ) -> None:
        self._rig_file = rig
        self._gathering = gathering
        self._experiment = experiment
        self._subscribers = tuple(subscribers)
        self._stop = threading.Event()
        self._time = 0.0
        self._scans = 0
        self._techniques: Techniques | None = None
        self._track = ReferenceTrack()
        self._watch: TipWatch | None = None
        self._frames = Frames(self._publish)
        self.state = RunState.IDLE

    def stop(self) -> None:
        """Ask the run to end: after the present hop the tip is lifted and the rig made safe."""
        self._stop.set()

    def run(self) -> Outcome:
        """Run to the end, whatever it is, and leave the rig safe.

        Raises InstrumentError if the rig cannot even be opened or may not do what is asked,
        UnsupportedStep, PatternError or ImpossibleTechnique if it cannot (nothing was moved then),
        and whatever a subscriber that must not fail (the journal) raises, after the rig was made
        safe.
        """
        self.refuse_unsupported()
        self.state = RunState.PREPARING
        with Rig.open(self._rig_file) as rig:
            self.refuse_unreachable(rig)
            hops: DaqHopEngine | None = None
            outcome, reason = "failed", ""
            try:
                if rig.microscope is not None:
                    rig.wake()
                self._techniques = Techniques(rig, self._publish, self._stop.is_set)
                self._publish(self._started(rig))
                if rig.microscope is not None:
                    hops = self._hop_engine(rig, comparator=False)
                    tip, aside = scans.tip_of(rig), self._gathering.executor
                    self._watch = TipWatch(tip, self._publish, executor=aside)
                with _undisturbed():
                    outcome, reason = self._steps(rig, hops)
                if self._watch is not None:
                    self._watch.finish()
            except SicmError as error:
                reason = str(error)
                self._alarm(reason)
            except BaseException as error:
                reason = f"{type(error).__name__}: {error}"
                raise
            finally:
                self.state = RunState.MAKING_SAFE
                acts = make_safe(rig, hops)
                safe = tuple(map(str, acts))
                self._warn_of_cell(acts)
                self.state = RunState.ENDED
                self._publish(RunEnded(time=self._time, outcome=outcome, reason=reason, safe=safe))
        return Outcome(outcome, reason, safe)

    def refuse_unsupported(self) -> None:
        """Refuse what rig.toml has no instrument for, before anything is connected.

        Raises UnsupportedStep.
        """
        for number, step in enumerate(self._experiment.model.step):
            where = f"{self._experiment.path}: step[{number}]"
            if step.scan is not None and step.echem is not None:
                raise UnsupportedStep(
                    f"{where}: found scan and echem side by side; expected one of them: "
                    "they cannot be run at the same time yet (make two steps of it)"
                )
            if step.scan is not None and not self._rig_file.microscope:
                raise UnsupportedStep(
                    f"{where}.scan: found a scan; expected echem only: "
                    f"{self._rig_file.path} has no microscope"
                )
            if step.echem is not None and "potentiostat" not in self._rig_file.options:
                raise UnsupportedStep(
                    f'{where}.echem: found technique "{step.echem.technique}"; expected scans '
                    f"only: {self._rig_file.path} has no potentiostat"
                )

    def refuse_unreachable(self, rig: Rig) -> None:
        """Refuse what the open rig cannot reach or may not do, before anything moves.

        Raises UnsupportedStep, PatternError, ImpossibleTechnique or InstrumentError.
        """
        for step in self._experiment.model.step:
            if step.scan is not None:
                targets(step.scan, rig.stage.axes)
                self._wants_comparator(rig, step.scan.hop)
                if step.scan.hop.mode == "modulated":
                    modulation.refuse(rig, step.scan.hop)
        refuse_impossible(rig, self._experiment.model.step)

    # -- steps --------------------------------------------------------------------------------

    def _steps(self, rig: Rig, hops: DaqHopEngine | None) -> tuple[str, str]:
        """Run all steps; return the outcome of the run, and why."""
        steps = self._experiment.model.step
        scanning = any(step.scan is not None for step in steps)
        if scanning and self._gathering.executor is not None:
            self._gathering.executor.submit(prepare, *PARTS)  # by the first hop it has them
        found = self._tune_up(rig, hops) if hops is not None and scanning else None
        self.state = RunState.SCANNING
        for step in steps:
            if self._stop.is_set() or self._step(rig, hops, found, step) == "stopped":
                return "stopped", "asked to stop"
        assert self._techniques is not None
        failures = "; ".join(self._techniques.failures)
        return ("failed", failures) if failures else ("done", "")

    def _tune_up(self, rig: Rig, hops: DaqHopEngine) -> Tuneup:
        """Bias the pipette, lift the tip and find out what it may do."""
        model = self._rig_file.model
        assert model.bias is not None, "a microscope has a bias: config.wiring sees to it"
        # A host that is slow beyond all expectation still lifts safely: the way is upwards.
        rig.amplifier.set_bias(model.bias.target)
        if isinstance(model.host.reaction, float):
            hops.host_reaction = Reaction(model.host.reaction, model.host.reaction)
        else:
            hops.host_reaction = tuneup.measure_reaction(rig, hops)
        tuneup.lift(rig, hops)
        found = tuneup.measure_noise(rig, hops, model.site.mains)
        asked = (step.scan.hop for step in self._experiment.model.step if step.scan is not None)
        if any(self._wants_comparator(rig, hop) for hop in asked):
            tuneup.prove_comparator(rig, hops)
        return found

    def _step(self, rig: Rig, hops: DaqHopEngine | None, found: Tuneup | None, step: Step) -> str:
        if step.echem is not None:
            assert self._techniques is not None
            if hops is not None:
                tuneup.lift(rig, hops)  # an electrode may swell towards a tip that waits
            return self._techniques.run(step, hops)
        scan = step.scan
        assert scan is not None and hops is not None and found is not None
        hops.comparator = self._wants_comparator(rig, scan.hop)
        if scan.rest_before:
            hops.read(scan.rest_before)
        with modulation.hopping(rig, hops, scan.hop, found) as (hopping, seen):
            for job in scans.prepare(scan, rig, hopping, seen):
                outcome = self._scan(rig, hopping, seen, job)
                if outcome != "done":
                    return outcome
        return "done"

    def _scan(self, rig: Rig, hops: DaqHopEngine, found: Tuneup, job: scans.ScanJob) -> str:
        number, self._scans = self._scans, self._scans + 1
        if tilt := job.tilt:
            text = ", ".join(f"{axis[-1]} {degrees(angle):.3f} deg" for axis, angle in tilt.items())
            self._publish(
                Note(time=self._time, text=f"tilt of the sample: {text}", author="engine")
            )
        self._publish(job.started(number, self._time, hops.name, found))
        creep, frame = self._foretold(rig, job), Frame(job.targets)

        def publish(message: Message) -> None:
            frame.see(message)
            self._publish(message)

        times = HopTimes(rig.stage.axes)
        reactions = job.reactions(number, hops, found, rig.daq.rate, self._publish)
        scanner = Scanner(
            number=number,
            hops=hops,
            targets=job.targets.moved(creep.x, creep.y),
            planner=job.planner,
            settings=job.settings,
            tip=job.tip,
            publish=publish,
            stopping=self._stop.is_set,
            track=ReferenceTrack() if hops.detector is not None else self._track,
            mains=found.mains,
            noise=found.noise,
            watch=self._watch if hops.detector is None else None,
            creep=creep,
            revisits=Revisits(job.revisit, job.targets.pitch, creep.z, self._publish)
            if job.revisit is not None
            else None,
            times=times,
            reactions=reactions,
            gathering=self._gathering,
        )
        outcome = "failed"
        try:
            outcome = scanner.run()
        finally:
            reactions.finish()
            timing = times.summary()
            self._publish(ScanEnded(time=self._time, scan=number, outcome=outcome, timing=timing))
        if not job.prescan:
            self._frames.add(frame)
        elif job.targets.pattern == "list":  # three places that tell the tilt
            for x, y, height in frame.places:  # better than where the tip happened to stop
                job.planner.add(x, y, height)
        return outcome

    def _foretold(self, rig: Rig, job: scans.ScanJob) -> Creep:
        """Where the sample will be, as earlier frames of the same area tell."""
        dx, dy = self._frames.foretell(job.area, self._time) if job.follow else (0.0, 0.0)
        return Creep(dx, dy) if job.targets.moved(dx, dy).within(rig.stage.axes) else Creep()

    # -- what there is --------------------------------------------------------------------------

    def _hop_engine(self, rig: Rig, comparator: bool) -> DaqHopEngine:
        unknown = Reaction(5e-3, 20e-3)  # until it is measured
        tuning = HopTuning(touch=self._rig_file.model.safety.touch_drop)
        return DaqHopEngine(
            rig.daq,
            rig.stage,
            rig.amplifier,
            comparator,
            unknown,
            tuning,
            reads_ahead=not any_nearby(),
        )

    def _wants_comparator(self, rig: Rig, hop: Hop) -> bool:
        engine = hop.engine if hop.mode != "modulated" else "streamed"
        wired = "pipette_current" in rig.daq.comparators
        if engine == "comparator" and not wired:
            raise UnsupportedStep(
                "the experiment asks for the comparator engine, but no analog-trigger terminal is "
                'wired to the pipette current (write daq.comparator.pipette_current = "APFI0" in '
                'rig.toml when it is, or engine = "streamed")'
            )
        return wired and engine != "streamed"

    def _started(self, rig: Rig) -> RunStarted:
        experiment = self._experiment.model
        return RunStarted(
            time=0.0,
            run=uuid.uuid4().hex,
            title=experiment.title,
            epoch=datetime.now(UTC).isoformat(),
            rate=rig.card.rate if rig.card is not None else float("nan"),
            rig=self._rig_file.text,
            experiment=self._experiment.text,
            operator=experiment.operator or "",
            sample=experiment.sample or "",
            instruments=rig.identities(),
            versions={name: metadata.version(name) for name in _PACKAGES},
            calibration=self._calibration(rig),
        )

    def _calibration(self, rig: Rig) -> dict[str, float]:
        bias = self._rig_file.model.bias
        if bias is None:
            return {}
        tip = scans.tip_of(rig)
        return {
            "bias": bias.target,
            "pipette_inner_radius": tip.inner_radius,
            "pipette_radius_ratio": tip.radius_ratio,
            "pipette_half_angle": tip.half_angle,
        }

    def _warn_of_cell(self, acts: tuple[Act, ...]) -> None:
        for act in acts:
            if act.error and act.name.startswith(CELL):
                self._publish(
                    Alarm(
                        time=self._time,
                        level="error",
                        source="safety",
                        text=f"the cell may still be on: {act.error}",
                        remedy="look at the potentiostat, and switch the cell off there",
                    )
                )

    def _alarm(self, text: str) -> None:
        self._publish(Alarm(time=self._time, level="error", source="engine", text=text))

    def _publish(self, message: Message) -> None:
        self._time = max(self._time, message.time)
        for subscriber in self._subscribers:
            subscriber(message)  # type: ignore[arg-type]
