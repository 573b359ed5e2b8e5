"""From hop records to messages: heights are estimated while the tip is on its way.

Whoever listens has heard of a hop before the next one begins, and may act on it.
"""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sicmctl.hal.hop import HopRecord, HopStatus
from sicmctl.messages import Array, HeightValue, HopDone, Message, Progress

from .curve import Tip
from .edge import beside_a_step
from .height import Approach, Height, estimate_all
from .pattern import Targets
from .tipwatch import TipWatch


@dataclass(frozen=True, slots=True)
class ToReport:
    """A hop to be reported. approach: what heights are estimated from, if a surface was found."""

    index: int
    attempt: int
    accepted: bool
    record: HopRecord
    approach: Approach | None


@dataclass
class Reporter:
    """Estimates heights and publishes hops and progress; shows good curves to the tip watch."""

    scan: int
    targets: Targets
    tip: Tip
    method: str
    publish: Callable[[Message], None]
    watch: TipWatch | None = None
    _counts: Counter[str] = field(default_factory=Counter)
    _begun: float = math.nan

    def report(self, task: ToReport) -> None:
        """Estimate the heights of a hop and publish it, before the next one begins."""
        record, status, heights = task.record, task.record.status, dict[str, Height]()
        if task.approach is not None:
            heights = dict(estimate_all(task.approach, self.tip))
            heights["stop"] = replace(heights["stop"], value=record.z_stop)
            if status is HopStatus.OK and beside_a_step(
                task.approach, heights["fit"], record.z_stop, self.tip
            ):
                status = HopStatus.EDGE
        self.publish(self._hop(task, status, heights))
        good = status is HopStatus.OK and "fit" in heights and heights["fit"].status == "ok"
        if self.watch is not None and task.approach is not None and task.accepted and good:
            self.watch.see(record.first / record.rate, task.approach)
        if task.accepted:
            self._counts[status.value] += 1
            self.publish(self._progress(task))

    def _hop(self, task: ToReport, status: HopStatus, heights: dict[str, Height]) -> HopDone:
        record, index = task.record, task.index
        chosen = heights.get(self.method)
        curves, z = record.curves, record.curves["z"]
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
            height=chosen.value if chosen else math.nan,
            height_sd=chosen.sd if chosen else math.nan,
            method=self.method,
            heights={
                name: HeightValue(value=h.value, sd=h.sd, status=h.status)
                for name, h in heights.items()
            },
            curves={name: Array.of(values) for name, values in curves.items()},
            bandwidth=record.bandwidth,
            timing=record.timing,
            note=record.note,
        )

    def _progress(self, task: ToReport) -> Progress:
        now = task.record.first / task.record.rate
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
