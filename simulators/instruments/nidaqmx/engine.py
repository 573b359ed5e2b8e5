"""Moves card and plant through time together, edge by edge of the running sample clocks.

The plant runs in steps; every clock edge falls on the end of a step. At an edge the analog
comparator is looked at first, so that a pause acts on the very sample that crossed; then AI takes
its sample; then AO puts out its next one, which the plant feels from the following step on.
"""

import numpy as np
from numpy.typing import NDArray

from simulators.instruments.nidaqmx.board import COMPARATOR, Board, Harness
from simulators.instruments.nidaqmx.errors import Code
from simulators.instruments.nidaqmx.signals import Signals
from simulators.instruments.nidaqmx.task import AI, AO, Task
from simulators.instruments.nidaqmx.timing import (
    LONGEST_STEP,
    Edges,
    common_step,
    edges_at,
    edges_before,
)
from simulators.plant import Plant

LONGEST_RUN = 1 << 15
"""Steps in one call of the plant, which bounds memory."""

Pickup = tuple[NDArray[np.int64], dict[int, str]]


class Engine(Signals):
    """The clocks, outputs and triggers of one card on its plant."""

    def __init__(self, board: Board, plant: Plant, harness: Harness) -> None:
        super().__init__(board, plant, harness)
        self.volts = dict.fromkeys(board.ao, 0.0)
        """What each AO channel puts out now."""
        self._pickups: dict[tuple[str, ...], Pickup] = {}
        self.sensed = self._run(1, LONGEST_STEP, ())[-1]

    def advance(self, until: int) -> None:
        """Go on to the end of the step in which `until` lies, or to the next event."""
        while self.now < until and not self._segment(until):
            pass

    # -- one run of the plant ------------------------------------------------------------

    def _segment(self, until: int) -> bool:
        """Run the plant once; True if something happened that a waiting call must look at."""
        tasks = [t for t in self.tasks if t.active and self.clock_of(t) is not None]
        step, n = self._extent(until)
        now = self.now
        edges = {id(t): self._clock(t).edges(now, step, n) for t in tasks}
        n = min((self._allowance(t, edges[id(t)], n) for t in tasks), default=n)
        watch = self.comparator.watch() if self.comparator else None
        rows = self._run(n, step, (watch,) if watch else (), tasks, edges)
        m = len(rows)
        for clock in self.clocks.values():
            clock.advance(self.now)
        was_paused = {id(t): self._gated(t) for t in tasks}
        self.sensed = rows[-1]
        flipped = self._look()
        self._update_pauses()
        happened = flipped
        for task in tasks:
            hits = edges_before(edges[id(task)], m)
            hits = self._ungated(hits, m, was_paused[id(task)], self._gated(task))
            happened |= self._clock_edges(task, hits, rows)
        if flipped and self.comparator:
            self.edge(COMPARATOR, self.comparator.is_high)
        return happened

    def _extent(self, until: int) -> tuple[int, int]:
        """Length and number of plant steps towards `until`."""
        left = until - self.now
        step = LONGEST_STEP
        if self.clocks:
            step = common_step(frozenset(c.period for c in self.clocks.values()))
        if len(self.clocks) == 1:
            misfit = (next(iter(self.clocks.values())).due - self.now) % step
            if misfit:
                return misfit, 1
        return step, min(-(-left // step), LONGEST_RUN)

    def _allowance(self, task: Task, edges: Edges, n: int) -> int:
        """Steps until something happens in `task` that the engine must attend to."""
        if self._gated(task):
            return n
        limit = task.remaining
        if task.kind == AI:
            room = task.input.room + 1 if task.input.keeps_unread else task.input.capacity
            limit = room if limit is None else min(limit, room)
        elif not task.output.regenerates:
            room = task.output.waiting + 1
            limit = room if limit is None else min(limit, room)
        if limit is None or limit > len(edges):
            return n
        return int(edges[limit - 1]) + 1 if limit > 0 else 1

    def _run(
        self,
        n: int,
        step: int,
        watches: tuple,
        tasks: list[Task] | None = None,
        edges: dict[int, Edges] | None = None,
    ) -> NDArray[np.float64]:
        """Drive the plant for up to `n` steps; each AO value follows the edge that made it."""
        held = [0.0] * len(self.plant.inputs)
        for channel, column in self.harness.drives.items():
            held[column] = self.volts[channel]
        drive = np.empty((n, len(held)))
        drive[:] = held
        self._drive = drive
        self._generated: dict[str, NDArray[np.float64]] = {}
        for task in tasks or ():
            if task.kind == AO and edges and not self._gated(task):
                self._fill(task, edges[id(task)], n)
        rows = self.plant.run(drive, step, watches)
        self.now += step * len(rows)
        return rows

    def _fill(self, task: Task, edges: Edges, n: int) -> None:
        """Write the samples `task` will put out during `n` steps into the drive."""
        hits = edges_before(edges, n - 1)
        count = len(hits) if task.output.regenerates else min(len(hits), task.output.waiting)
        if count == 0:
            return
        now = [[self.volts[channel.physical]] for channel in task.outputs]
        courses = np.empty((len(now), n))
        if isinstance(hits, range):  # a new value with every step
            first, last = hits.start + 1, hits.start + 1 + count
            courses[:, :first] = now
            courses[:, first:last] = task.output.peek(count)
            courses[:, last:] = courses[:, last - 1 : last]
        else:
            values = np.concatenate((now, task.output.peek(count)), axis=1)
            courses[:] = values.repeat(np.diff(hits[:count], prepend=-1, append=n - 1), axis=1)
        for channel, course in zip(task.outputs, courses, strict=True):
            self._generated[channel.physical] = course
            if (column := self.harness.drives.get(channel.physical)) is not None:
                self._drive[:, column] = course

    # -- what happens at the edges -------------------------------------------------------

    def _ungated(self, hits: Edges, m: int, was: bool, now: bool) -> Edges:
        """Edges that pass the pause gate, which can only have changed at the last step's end."""
        if was == now:
            return hits[:0] if now else hits
        last = edges_at(hits, m - 1)
        return hits[: len(hits) - len(last)] if now else last

    def _clock_edges(self, task: Task, hits: Edges, rows: NDArray[np.float64]) -> bool:
        """Let `task` sample or put out at its edges; True if it ended or failed."""
        if len(hits) == 0:
            return False
        if task.kind == AI:
            return self._acquire(task, hits, rows)
        return self._generate(task, len(hits))

    def _acquire(self, task: Task, hits: Edges, rows: NDArray[np.float64]) -> bool:
        buffer = task.input
        remaining = task.remaining
        overrun = buffer.keeps_unread and len(hits) > buffer.room
        if overrun:
            hits = hits[: buffer.room]
        buffer.store(self._look_at(task, rows, hits))
        if overrun:
            self._end(task, Code.SAMPLES_NO_LONGER_AVAILABLE)
        elif remaining is not None and len(hits) >= remaining:
            self._complete(task)
        else:
            return False
        return True

    def _look_at(self, task: Task, rows: NDArray[np.float64], hits: Edges) -> NDArray[np.float64]:
        """Volts at the task's AI channels at the given steps' ends, shape (channels, n)."""
        columns, internal = self._pickup(tuple(c.physical for c in task.inputs))
        places = slice(hits.start, hits.stop) if isinstance(hits, range) else hits
        out = rows[places].T[columns]
        for place, source in internal.items():
            course = self._generated.get(source)
            out[place] = self.volts.get(source, 0.0) if course is None else course[places]
        return out

    def _pickup(self, inputs: tuple[str, ...]) -> Pickup:
        """What AI channels see: the plant outputs, and by place the AO channel or nothing."""
        if inputs not in self._pickups:
            columns = [self.harness.sense(name) for name in inputs]
            internal = {
                place: name.removeprefix("_").removesuffix("_vs_aognd")
                for place, (name, column) in enumerate(zip(inputs, columns, strict=True))
                if column is None
            }
            self._pickups[inputs] = np.array([column or 0 for column in columns]), internal
        return self._pickups[inputs]

    def look_now(self, task: Task) -> NDArray[np.float64]:
        """Volts at the task's AI channels at this moment."""
        self._generated = {}
        return self._look_at(task, self.sensed[None], range(1))[:, 0]

    def _generate(self, task: Task, count: int) -> bool:
        buffer = task.output
        starved = not buffer.regenerates and count > buffer.waiting
        if starved:
            count = buffer.waiting
        if count:
            remaining = task.remaining
            last = buffer.peek(count)[:, -1].tolist()
            for channel, volts in zip(task.outputs, last, strict=True):
                self.volts[channel.physical] = volts
            buffer.consume(count)
            if remaining is not None and count >= remaining:
                self._complete(task)
                return True
        if starved:
            self._end(task, Code.GEN_STOPPED_TO_PREVENT_REGEN_OF_OLD_SAMPLES)
        return starved

    def _complete(self, task: Task) -> None:
        """A finite run is over."""
        if task.retriggers:
            task.armed = True
            self.clocks.pop(task.subsystem, None)
            if task.kind == AO:
                task.output.rewind()
        else:
            self._end(task)

    def _end(self, task: Task, fault: int = 0) -> None:
        self.clocks.pop(task.subsystem, None)
        task.finish(fault)
