"""What a run looks like on the console: a bar on a terminal, plain lines otherwise."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from sicmctl.hal.quantity import show
from sicmctl.messages import (
    Alarm,
    AnyMessage,
    EchemEnded,
    EchemProgress,
    EchemStarted,
    HopDone,
    Note,
    RunEnded,
    RunStarted,
    ScanEnded,
    ScanStarted,
)
from sicmctl.messages import Progress as ScanProgress

from . import cellprogress
from .cellprogress import duration

_REFRESH = 4
"""Of the bar, per second: to draw it takes some time from the run."""
_LINE_EVERY = 5.0
"""Seconds between plain lines."""


class RunConsole:
    """Shows the messages of a run on standard error, so that standard output stays for data."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}{task.fields[told]}"),
            TimeElapsedColumn(),
            console=self._console,
            refresh_per_second=_REFRESH,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None
        self._told_at = 0.0
        self._failures = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, message: AnyMessage) -> None:
        """Show one message, if it is of interest."""
        if self._quiet:
            return
        match message:
            case ScanStarted():
                self._begin(message)
            case HopDone() if not message.accepted:
                self._failures += 1
            case ScanProgress():
                self._progress(message)
            case EchemStarted():
                self._say(cellprogress.begun(message))
                self._new_bar(f"echem {message.echem}", message.duration)
            case EchemProgress():
                self._cell(message)
            case _:
                if line := _line(message):
                    self._say(line)

    def _begin(self, scan: ScanStarted) -> None:
        rows, columns = scan.shape
        s = scan.settings
        self._say(
            f"scan {scan.scan}: {scan.pattern} of {columns} x {rows}, {scan.engine} engine, "
            f"fall rate {s['speed'] * 1e6:.3g} nm/ms (highest safe {s['highest_speed'] * 1e6:.3g}),"
            f" {_stop(s)}, "
            f"current {show(s['current'], 'A')}"
        )
        self._failures = 0
        self._new_bar(f"scan {scan.scan}", rows * columns, f"0/{rows * columns} ")

    def _new_bar(self, name: str, total: float, count: str = "") -> None:
        self._told_at = 0.0
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total, count=count, told="")

    def _progress(self, p: ScanProgress) -> None:
        found = p.counts.get("ok", 0)
        told = (
            f"{p.hops_per_second:.1f} hops/s, {duration(p.eta)} of rig time left, "
            f"{p.done - found} not ok, {self._failures} repeated"
        )
        if self._task is not None:
            count = f"{p.done}/{p.total} "
            self._bar.update(self._task, completed=p.done, count=count, told=told)
        now = time.monotonic()
        if self._bar.disable and (p.done == p.total or now - self._told_at >= _LINE_EVERY):
            self._told_at = now
            self._say(f"scan {p.scan}: {p.done}/{p.total} hops, {told}")

    def _cell(self, p: EchemProgress) -> None:
        told = cellprogress.live(p)
        if self._task is not None:
            total = self._bar.tasks[0].total or 0.0
            self._bar.update(self._task, completed=total - p.left, told=told)
        now = time.monotonic()
        if self._bar.disable and now - self._told_at >= _LINE_EVERY:
            self._told_at = now
            self._say(f"echem {p.echem}: {told}")

    def _say(self, text: str) -> None:
        self._bar.console.print(text, markup=False, soft_wrap=True)


def _line(message: AnyMessage) -> str:
    """What there is to say about a message that needs no more than a line, "" for nothing."""
    match message:
        case RunStarted():
            line = f"run: {message.title}"
        case ScanEnded() if message.timing:
            line = f"scan {message.scan}: {_timing(message.timing)}"
        case EchemEnded():
            line = cellprogress.over(message)
        case Alarm():
            remedy = f" ({message.remedy})" if message.remedy else ""
            line = f"{message.level}: {message.source}: {message.text}{remedy}"
        case Note():
            line = f"note: {message.text}"
        case RunEnded() if message.reason:
            line = f"{message.outcome}: {message.reason}"
        case _:
            line = ""
    return line


def _timing(timing: dict[str, float]) -> str:
    """What the hops of a scan took."""
    hop, least = show(timing["hop_time"], "s", 3), show(timing["least_time"], "s", 3)
    return (
        f"hops: {hop} each (median); the stage itself needs {least}; "
        f"approaching {timing['duty']:.0%} of the time"
    )


def _stop(s: dict[str, float]) -> str:
    """What ends the approaches of a scan."""
    if "threshold_current" in s:
        return f"onset of {show(s['threshold_current'], 'A')}"
    return f"setpoint {s['setpoint']:.2%} (smallest safe {s['smallest_setpoint']:.2%})"
