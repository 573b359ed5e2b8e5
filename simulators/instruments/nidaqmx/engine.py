"""Moves card and plant through time together, edge by edge of the running sample clocks.

The plant runs in steps; every clock edge falls on the end of a step. At an edge the analog
comparator is looked at first, so that a pause acts on the very sample that crossed; then AI takes
its sample; then AO puts out its next one, which the plant feels from the following step on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.instruments.nidaqmx.board import COMPARATOR, Board, Harness
from simulators.instruments.nidaqmx.errors import Code
from simulators.instruments.nidaqmx.signals import Signals
from simulators.instruments.nidaqmx.task import AI, AO, Task
from simulators.instruments.nidaqmx.timing import (
    LONGEST_STEP,
    Edges,
    edges_at,
    edges_before,
)
from simulators.plant import Plant, Watch

LONGEST_RUN = 1 << 15
"""Steps in one call of the plant, which bounds memory."""


@dataclass(slots=True)
class _Ticking:
    """A task whose clock ticks during one run of the plant."""

    task: Task
    edges: Edges
    gated: bool


class Engine(Signals):
    """The clocks, outputs and triggers of one card on its plant."""

    def __init__(self, board: Board, plant: Plant, harness: Harness) -> None:
        super().__init__(board, plant, harness)
        self.held = np.zeros(len(board.ao))
        """What each AO channel puts out now (V), in the board's order."""
        self._ao = {name: k for k, name in enumerate(board.ao)}
        self._wired = [self._ao[name] for name in harness.drives], list(harness.drives.values())
        columns = list(range(len(plant.inputs)))
        self._straight = self._wired == (columns, columns) and len(board.ao) == len(columns)
        self._courses = self.held[None]
        self.sensed = self._run(1, LONGEST_STEP, (), ())[-1]

    @property
    def volts(self) -> dict[str, float]:
        """What each AO channel puts out now."""
        return dict(zip(self._ao, self.held.tolist(), strict=True))

    def put_out(self, channel: str, volts: float) -> None:
        """Let an AO channel put out another voltage from now on."""
        self.held[self._ao[channel]] = volts

    def advance(self, until: int) -> None:
        """Go on to the end of the step in which `until` lies, or to the next event."""
        while self.now < until and not self._segment(until):
            pass

    # -- one run of the plant ------------------------------------------------------------

    def _segment(self, until: int) -> bool:
        """Run the plant once; True if something happened that a waiting call must look at."""
        step, n = self._extent(until)
        ticking = [
            _Ticking(task, clock.edges(self.now, step, n), self._gated(task))
            for task, clock in self.timed
        ]
        for t in ticking:
            n = min(self._allowance(t, n), n)
        watch = self.comparator.watch() if self.comparator else None
        rows = self._run(n, step, (watch,) if watch else (), ticking)
        for clock in self.clocks.values():
            clock.advance(self.now)
        self.sensed = rows[-1]
        happened = flipped = self._look()
        if flipped:
            self._update_pauses()
        for t in ticking:
            hits = edges_before(t.edges, len(rows))
            if flipped:
                hits = self._ungated(hits, len(rows), t.gated, self._gated(t.task))
            elif t.gated:
                continue
            happened |= self._clock_edges(t.task, hits, rows)
        if flipped and self.comparator:
            self.edge(COMPARATOR, self.comparator.is_high)
        return happened

    def _extent(self, until: int) -> tuple[int, int]:
        """Length and number of plant steps towards `until`."""
        left, step = until - self.now, self.step
        if len(self.clocks) == 1:
            misfit = (next(iter(self.clocks.values())).due - self.now) % step
            if misfit:
                return misfit, 1
        return step, min(-(-left // step), LONGEST_RUN)

    def _allowance(self, ticking: _Ticking, n: int) -> int:
        """Steps until something happens in a task that the engine must attend to."""
        if ticking.gated:
            return n
        task, edges = ticking.task, ticking.edges
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
        self, n: int, step: int, watches: Sequence[Watch], ticking: Sequence[_Ticking]
    ) -> NDArray[np.float64]:
        """Drive the plant for up to `n` steps; each AO value follows the edge that made it."""
        self._courses = np.empty((n, len(self.held)))
        self._courses[:] = self.held
        for t in ticking:
            if t.task.kind == AO and not t.gated:
                self._fill(t.task, t.edges, n)
        rows = self.plant.run(self._driven(), step, watches)
        self.now += step * len(rows)
        return rows

    def _driven(self) -> NDArray[np.float64]:
        """The plant's inputs (V) from the courses of the AO channels, shape (n, inputs)."""
        if self._straight:
            return self._courses
        channels, inputs = self._wired
        drive = np.zeros((len(self._courses), len(self.plant.inputs)))
        drive[:, inputs] = self._courses[:, channels]
        return drive

    def _fill(self, task: Task, edges: Edges, n: int) -> None:
        """Write the samples `task` will put out during `n` steps into the courses."""
        hits = edges_before(edges, n - 1)
        count = len(hits) if task.output.regenerates else min(len(hits), task.output.waiting)
        if count == 0:
            return
        columns, samples = self._columns(task), task.output.peek(count)
        first = int(hits[0]) + 1
        if isinstance(hits, range):  # a new value with every step
            self._courses[first : first + count, columns] = samples.T
            self._courses[first + count :, columns] = samples[:, -1]
        else:
            lasting = np.diff(hits[:count], append=n - 1)
            self._courses[first:, columns] = samples.repeat(lasting, axis=1).T

    def _columns(self, task: Task) -> slice | list[int]:
        """Where the channels of an AO task are among all."""
        if task.output.columns is None:
            columns = [self._ao[channel.physical] for channel in task.outputs]
            first, end = columns[0], columns[0] + len(columns)
            together = columns == list(range(first, end))
            task.output.columns = slice(first, end) if together else columns
        return task.output.columns

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
        places = slice(hits.start, hits.stop) if isinstance(hits, range) else hits
        if buffer.sources is None:
            buffer.sources = self._seen_by(task)
        buffer.store(rows[places], self._courses[places], buffer.sources)
        if overrun:
            self._end(task, Code.SAMPLES_NO_LONGER_AVAILABLE)
        elif remaining is not None and len(hits) >= remaining:
            self._complete(task)
        else:
            return False
        return True

    def _seen_by(self, task: Task) -> NDArray[np.int64]:
        """Where AI channels look: a plant output or, counted on from there, an AO channel.

        Those that nothing is wired to look beyond both.
        """
        return np.array([self._source(channel.physical) for channel in task.inputs])

    def _source(self, name: str) -> int:
        column = self.harness.sense(name)
        if column is not None:
            return column
        ao = name.removeprefix("_").removesuffix("_vs_aognd")
        return len(self.plant.outputs) + self._ao.get(ao, len(self._ao))

    def look_now(self, task: Task) -> NDArray[np.float64]:
        """Volts at the task's AI channels at this moment."""
        return np.concatenate((self.sensed, self.held, [0.0]))[self._seen_by(task)]

    def _generate(self, task: Task, count: int) -> bool:
        buffer = task.output
        starved = not buffer.regenerates and count > buffer.waiting
        if starved:
            count = buffer.waiting
        if count:
            remaining = task.remaining
            self.held[self._columns(task)] = buffer.peek(count)[:, -1]
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
            self._silence(task.subsystem)
            if task.kind == AO:
                task.output.rewind()
        else:
            self._end(task)

    def _end(self, task: Task, fault: int = 0) -> None:
        self._silence(task.subsystem)
        task.finish(fault)
