"""From hop records to messages: heights are estimated while the tip is on its way.

Whoever listens has heard of a hop before the next one begins, and may act on it; or else hops are
gathered for a moment and estimated together, which takes a fraction of the time, and, if somebody
else does it, while the next ones are gathered.
"""

import math
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import NamedTuple

from sicmctl.aside import soon
from sicmctl.hal.hop import HopRecord, HopStatus
from sicmctl.messages import Array, HeightValue, HopDone, Message, Progress

from .curve import Tip
from .drift import Creep
from .edge import beside_a_step
from .height import Approach, Height, estimate_many
from .onset import Onset, heights_of_onset
from .pattern import Targets
from .revisits import Place, Revisits
from .tipwatch import TipWatch


@dataclass(frozen=True, slots=True)
class ToReport:
    """A hop to be reported.

    approach, onset: what heights are estimated from, if a surface was found.
    revisit: whether it only served to measure the drift.
    """

    index: int
    attempt: int
    accepted: bool
    record: HopRecord
    approach: Approach | None
    onset: Onset | None = None
    revisit: bool = False


@dataclass(frozen=True, slots=True)
class Gathering:
    """How hops are gathered before they are published.

    seconds: for how long at most; 0: not at all. executor: estimates their heights meanwhile.
    """

    seconds: float = 0.0
    executor: Executor | None = None


ONE_BY_ONE = Gathering()
_SLOW = 0.5
"""Time of a hop whose height is waited for, rather than told of after the next hop, s."""
_PATIENCE = 0.5
"""Time for which estimated heights may be late before the next hop waits for them, s."""


class _Batch(NamedTuple):
    """Hops whose heights are being estimated, and since when (s, monotonic)."""

    tasks: list[ToReport]
    heights: Future[list[dict[str, Height]]]
    since: float

    @property
    def due(self) -> bool:
        """Whether it can be published, or is late."""
        return self.heights.done() or monotonic() - self.since > _PATIENCE


@dataclass
class Reporter:
    """Estimates heights and publishes hops and progress; shows good ones to those who follow them.

    creep: of the sample; heights are published without it.
    """

    scan: int
    targets: Targets
    tip: Tip
    method: str
    publish: Callable[[Message], None]
    watch: TipWatch | None = None
    creep: Creep = field(default_factory=Creep)
    revisits: Revisits | None = None
    gathering: Gathering = ONE_BY_ONE
    _counts: Counter[str] = field(default_factory=Counter)
    _begun: float = math.nan
    _gathered: list[ToReport] = field(default_factory=list)
    _handed_over: deque[_Batch] = field(default_factory=deque)
    _latest: float = math.nan

    def report(self, task: ToReport) -> None:
        """Take in a hop, to be published at once or soon."""
        self._gathered.append(task)
        gather, executor = self.gathering.seconds, self.gathering.executor
        ended = _ended(task)
        before = _began(task) if math.isnan(self._latest) else self._latest
        apart, self._latest = ended - before, ended
        # slow hops gain nothing by being gathered
        enough = apart >= gather / 2 or ended - _ended(self._gathered[0]) >= gather
        slow = apart >= (gather / 2 if executor is None else _SLOW)
        if slow or self.revisits is not None:  # the drift that returns tell moves the next hops
            self.flush()
        elif enough:
            self._hand_over()
            while self._handed_over and self._handed_over[0].due:
                self._publish_oldest()

    def flush(self) -> None:
        """Estimate the heights of the hops so far and publish them."""
        self._hand_over()
        while self._handed_over:
            self._publish_oldest()

    def _hand_over(self) -> None:
        if not self._gathered:
            return
        tasks, self._gathered = self._gathered, []
        found = [task.approach for task in tasks if task.approach is not None]
        heights = soon(self.gathering.executor, estimate_many, found, self.tip)
        self._handed_over.append(_Batch(tasks, heights, monotonic()))

    def _publish_oldest(self) -> None:
        tasks, estimated, _ = self._handed_over.popleft()
        heights = iter(estimated.result())
        for task in tasks:
            self._publish(task, next(heights) if task.approach is not None else {})

    def _publish(self, task: ToReport, heights: dict[str, Height]) -> None:
        record, status = task.record, task.record.status
        if task.approach is not None:
            heights["stop"] = replace(heights["stop"], value=record.z_stop)
            if status is HopStatus.OK and beside_a_step(
                task.approach, heights["fit"], record.z_stop, self.tip
            ):
                status = HopStatus.EDGE
        elif task.onset is not None:
            heights = heights_of_onset(task.onset)
        done = self._hop(task, status, heights)
        self.publish(done)
        telling = heights.get("fit" if task.onset is None else "crossing")
        good = status is HopStatus.OK and telling is not None and telling.status == "ok"
        if self.watch is not None and task.approach is not None and task.accepted and good:
            self.watch.see(done.time, task.approach)
        if self.revisits is not None:
            self._follow(self.revisits, task, heights.get(self.method) if good else None)
        if task.accepted:
            self._counts[status.value] += 1
            self.publish(self._progress(task))

    def _follow(self, revisits: Revisits, task: ToReport, height: Height | None) -> None:
        """Show a height to the revisits: one that they asked for, or one that may serve later."""
        time = _met(task.record)
        if task.revisit and height is None:
            revisits.missed(time)
        elif task.revisit and height is not None:
            revisits.measured(time, height.value, height.sd)
        elif task.accepted and height is not None:
            request, (offset, drift_sd) = task.record.request, self.creep.z.at(time)
            revisits.see(
                Place(task.index, time, request.x, request.y, height.value - offset, height.sd,
                      drift_sd)
            )  # fmt: skip

    def _hop(self, task: ToReport, status: HopStatus, heights: dict[str, Height]) -> HopDone:
        record, index = task.record, task.index
        chosen = heights.get(self.method)
        curves, z = record.curves, record.curves["z"]
        offset, drift_sd = self.creep.z.at(_met(record))
        return HopDone(
            time=record.first / record.rate,
            scan=self.scan,
            index=index,
            attempt=task.attempt,
            accepted=task.accepted,
            row=int(self.targets.row[index]),
            column=int(self.targets.column[index]),
            status=status.value,
            first=record.first,
            stop=record.stop,
            x=float(curves["x"].mean()) if len(z) else float(self.targets.x[index]),
            y=float(curves["y"].mean()) if len(z) else float(self.targets.y[index]),
            start=record.request.start,
            reference=record.reference,
            reference_sd=record.reference_sd,
            z_stop=record.z_stop if len(z) else math.nan,
            height=chosen.value - offset if chosen else math.nan,
            height_sd=math.hypot(chosen.sd, drift_sd) if chosen else math.nan,
            method=self.method,
            heights={
                name: HeightValue(
                    value=h.value - offset, sd=math.hypot(h.sd, drift_sd), status=h.status
                )
                for name, h in heights.items()
            },
            curves={name: Array.of(values) for name, values in curves.items()},
            bandwidth=record.bandwidth,
            timing=record.timing,
            note=record.note or ("revisit" if task.revisit else ""),
            drift_x=self.creep.x,
            drift_y=self.creep.y,
            drift_z=offset,
        )

    def _progress(self, task: ToReport) -> Progress:
        now = _began(task)
        if math.isnan(self._begun):
            self._begun = now
        done, total = task.index + 1, len(self.targets)
        elapsed = now - self._begun
        rate = (done - 1) / elapsed if elapsed > 0 else 0.0
        return Progress(
            time=now,
            scan=self.scan,
            done=done,
            total=total,
            eta=(total - done) / rate if rate > 0 else 0.0,
            hops_per_second=rate,
            counts=dict(self._counts),
        )


def _began(task: ToReport) -> float:
    """When a hop began, s on the run's timeline."""
    return task.record.first / task.record.rate


def _ended(task: ToReport) -> float:
    """When a hop ended, s on the run's timeline."""
    return (task.record.first + len(task.record.curves["z"])) / task.record.rate


def _met(record: HopRecord) -> float:
    """When the tip was at the surface, s on the run's timeline."""
    return (record.first + record.stop) / record.rate
