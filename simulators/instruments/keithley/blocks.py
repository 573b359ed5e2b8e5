"""The trigger model as blocks that a client puts together, and its timers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import floor
from typing import TYPE_CHECKING

from simulators.cellport import Interrupted
from simulators.instruments.keithley.models import Function
from simulators.instruments.scpi import ScpiError

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu

MOST_BLOCKS = 63
LISTS: dict[str, Function] = {"VoltCustomSweepList": "VOLT", "CurrCustomSweepList": "CURR"}
"""The configuration lists that there are: those that `:SOURce:LIST` makes."""


@dataclass
class Timer:
    """Gives `count` events (0: without end) `delay` s apart once its stimulus occurs.

    immediate: the first of them comes at the start.
    """

    delay: float = 10e-6
    count: int = 1
    stimulus: str = "NONE"
    immediate: bool = False
    enabled: bool = False
    started: float | None = None

    def next(self, after: float) -> float | None:
        """Time of the first event later than `after`, s; None if there is none."""
        if self.started is None:
            return None
        first = 0 if self.immediate else 1
        number = max(first, floor((after - self.started) / self.delay * (1 + 1e-12)) + 1)
        if self.count and number >= first + self.count:
            return None
        return self.started + number * self.delay


@dataclass
class Progress:
    """Where a run of the blocks stands: time, s, and what each block remembers."""

    time: float
    counts: dict[int, int] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    readings: int = 0


Act = Callable[["Smu", Progress], int | None]
"""Executes a block; returns the number of the block that follows, None for the next."""


@dataclass(frozen=True)
class Block:
    """One of them. text: as `:TRIGger:BLOCk:LIST?` shows it."""

    text: str
    act: Act


@dataclass(frozen=True)
class Blocks:
    """All of them, by number."""

    blocks: dict[int, Block] = field(default_factory=dict)
    buffers: tuple[str, ...] = ()

    def put(self, number: int, block: Block, buffer: str | None = None) -> "Blocks":
        """These with one more; a number may not leave a gap."""
        if number > len(self.blocks) + 1:
            raise ScpiError(-222, "blocks are numbered without gaps")
        buffers = (*self.buffers, buffer) if buffer else self.buffers
        return replace(self, blocks=self.blocks | {number: block}, buffers=buffers)

    def __str__(self) -> str:
        return "\n".join(f"{number}) {self.blocks[number].text}" for number in sorted(self.blocks))


def run_blocks(smu: "Smu", plan: Blocks) -> None:
    """Go through the blocks until there is none; the output stays as they leave it."""
    progress = Progress(smu.port.time)
    for timer in smu.timers.values():
        timer.started = None
    place = 1
    while place in plan.blocks:
        if smu.triggers.stopping:
            raise Interrupted
        with smu.lock:
            smu.triggers.points = place
        following = plan.blocks[place].act(smu, progress)
        place = place + 1 if following is None else following


def clear(buffer: str) -> Act:
    """Empty a buffer."""

    def act(smu: "Smu", progress: Progress) -> None:
        with smu.lock:
            smu.buffers[buffer].clear()

    return act


def switch(on: bool) -> Act:
    """Output on or off."""

    def act(smu: "Smu", progress: Progress) -> None:
        with smu.lock:
            if not on:
                smu.settings.output = False
                smu.rest()
            elif not smu.settings.output:
                smu.close_relay()

    return act


def delay(seconds: float) -> Act:
    """Do nothing for a while."""

    def act(smu: "Smu", progress: Progress) -> None:
        progress.time += seconds
        smu.output.read(progress.time, 0.0)

    return act


def measure(buffer: str, count: int) -> Act:
    """Readings into a buffer."""

    def act(smu: "Smu", progress: Progress) -> None:
        for _ in range(count):
            if smu.triggers.stopping:
                raise Interrupted
            at = progress.time + smu.meter.delay()
            reading = smu.meter.measure(at, progress.readings == 0)
            progress.time, progress.readings = reading.time, progress.readings + 1
            with smu.lock:
                smu.buffers[buffer].append(reading)

    return act


def branch(number: int, count: int, target: int) -> Act:
    """Back to a block, until this one was reached `count` times."""

    def act(smu: "Smu", progress: Progress) -> int | None:
        done = progress.counts.get(number, 0) + 1
        progress.counts[number] = 0 if done >= count else done
        return target if done < count else None

    return act


def jump(target: int) -> Act:
    """To a block; 0 ends."""
    return lambda smu, progress: target


def notify(number: int) -> Act:
    """An event, which may start timers."""

    def act(smu: "Smu", progress: Progress) -> None:
        for timer in smu.timers.values():
            if timer.enabled and timer.stimulus == f"NOT{number}" and timer.started is None:
                timer.started = progress.time

    return act


def wait(event: str, afresh: bool) -> Act:
    """For a timer; one that came before counts unless it is to come `afresh`."""

    def act(smu: "Smu", progress: Progress) -> None:
        timer = smu.timers.get(event)
        after = progress.time if afresh else progress.seen.get(event, -1.0)
        at = timer.next(after) if timer is not None else None
        if at is None:
            smu.triggers.wait_for_the_end()
            raise Interrupted
        progress.seen[event] = max(at, progress.time)
        if at > progress.time:
            progress.time = at
            smu.output.read(at, 0.0)

    return act


def recall(name: str, index: int | None) -> Act:
    """An entry of a list, counted from 1; None for the next, and the first after the last."""
    function = LISTS[name]

    def act(smu: "Smu", progress: Progress) -> None:
        with smu.lock:
            points = smu.settings.sources[function].points
            entry = index or progress.entries.get(name, 0) % len(points) + 1
            progress.entries[name] = entry
            smu.settings.source_function = function
            smu.set_level(function, points[entry - 1])

    return act
