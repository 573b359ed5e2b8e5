"""One program on the instrument."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import groupby
from time import monotonic, sleep

import numpy as np

from sicmctl.hal.cell import AnyStep, CellProgram, Open, Place, Until, walk
from sicmctl.hal.cellwatch import CellWatch
from sicmctl.hal.errors import NoAnswer, UnexpectedState
from sicmctl.hal.potentiostat import CellData, CellSamples, Now, SampleFlag, StepEnded
from sicmctl.hal.timeline import Stamp

from .instrument import Instrument
from .messages import Sample
from .waveforms import Waveform, waveforms

_SIGN_OF_LIFE = 0.5
"""s after which an empty block is yielded."""
_SILENCE = 3.0
"""s for which a sample may be late before that is an error."""
_START = 1e-3
"""s: how well it is known when a test starts: by one of the firmware's clock ticks."""
_COARSE = 0.01
"""Share of the current range below which the converter's steps are coarse."""
_MOST = 500
"""Samples of one block."""


@dataclass
class _Timeline:
    """Times of the run. They never run back, even if the instrument's clock ran ahead.

    last: of the latest sample. ahead: of the instrument's clock, s.
    """

    now: Now
    last: float = -np.inf
    ahead: float = 0.0

    def stamp(self) -> Stamp:
        """Return the time, later than the latest sample."""
        stamp = self.now()
        self.ahead = max(self.ahead, float(np.nextafter(self.last, np.inf)) - stamp.time)
        return Stamp(stamp.time + self.ahead, stamp.uncertainty)


class Run:
    """Runs one program. wanted: a current (A) that its range is to hold.

    potential: that the cell had last, V.
    """

    def __init__(
        self, instrument: Instrument, program: CellProgram, now: Now, wanted: float
    ) -> None:
        self._instrument, self._program = instrument, program
        self._timeline = _Timeline(now)
        self._wanted = wanted
        self._full_scale = 0.0
        self._time_sd = 0.0
        self.potential = 0.0

    def data(self) -> Generator[CellData, None, None]:
        """Yield all that is measured; the cell is disconnected at the end."""
        self._instrument.prepare()
        self._full_scale = self._instrument.choose(self._wanted)
        steps = walk(self._program)
        for place, step in steps:
            watch = CellWatch(step.until)
            self._timeline.last = max(self._timeline.last, self._timeline.stamp().time)
            if isinstance(step, Open):
                met = yield from self._open(place, step, watch)
            else:
                met = yield from self._tests(place, step, watch)
            end = Stamp(self._timeline.last, self._time_sd)
            yield StepEnded(place, end, "time" if met is None else str(met))
            if met is not None:
                steps.obey(met)

    # -- at open circuit

    def _open(
        self, place: Place, step: Open, watch: CellWatch
    ) -> Generator[CellData, None, Until | None]:
        self._instrument.rest(measuring=True)
        start = self._timeline.stamp().time
        count = max(1, round(step.duration / step.interval))
        for number in range(1, count + 1):
            yield from self._wait(place, start + number * step.duration / count)
            before, potential, after = self._instrument.timed_potential(self._timeline.stamp)
            late = before.time - start > (number + 0.5) * step.interval
            took = after.time - before.time
            self._time_sd = float(np.hypot(took / 12**0.5, before.uncertainty))
            time = before.time + 0.5 * took
            flag = SampleFlag.LATE if late else SampleFlag.OK
            block = self._block(place, [(Sample(time, potential, 0.0, False), flag)], 0)
            met = self._seen(block, watch)
            yield block
            if met is not None:
                return met[1]
        return None

    def _wait(self, place: Place, until: float) -> Iterator[CellSamples]:
        while (left := until - self._timeline.stamp().time) > 0:
            sleep(min(left, _SIGN_OF_LIFE))
            if left > _SIGN_OF_LIFE:
                yield self._block(place, [], 0)

    # -- under control

    def _tests(
        self, place: Place, step: AnyStep, watch: CellWatch
    ) -> Generator[CellData, None, Until | None]:
        for test in waveforms(step):
            before = self._timeline.stamp()
            self._instrument.start(test)
            after = self._timeline.stamp()
            doubts = (after.time - before.time) / 12**0.5, _START, after.uncertainty
            self._time_sd = float(np.hypot.reduce(doubts))
            met = yield from self._test(place, test, after.time, watch)
            if met is not None:
                self._instrument.stop()
                return met
        return None

    def _test(
        self, place: Place, test: Waveform, start: float, watch: CellWatch
    ) -> Generator[CellData, None, Until | None]:
        kept, count = [], 0
        for heard in self._heard(test):
            for one in heard:
                count += 1
                if count % test.every == 0:
                    kept.append(one)
            if not heard:
                yield self._block(place, [], 0)
            for cycle, several in groupby(kept, lambda one: test.cycle_at(one.time)):
                block = self._timed(place, list(several), start, cycle)
                met = self._seen(block, watch)
                if met is None:
                    yield block
                else:
                    yield _first(block, met[0] + 1)
                    return met[1]
            kept = []
        if not count:
            raise UnexpectedState(
                self._instrument.messages.name,
                f"run {test.name}",
                "the test ended before its first sample",
                "did another program stop it?",
            )
        return None

    def _heard(self, test: Waveform) -> Iterator[list[Sample]]:
        """Yield the samples of a test as they come, now and then an empty list instead."""
        messages, patience = self._instrument.messages, _SILENCE + 2e-3 * test.sample_period
        last, several, ended = monotonic(), [], False
        while not ended:
            message = messages.hear(test.name, 0.0 if several else _SIGN_OF_LIFE)
            if message is not None and "success" in message:
                continue  # to a command of another thread
            if message is not None:
                last = monotonic()
                found = self._instrument.sample(message)
                ended = found is None
                several += [found] if found else []
                if not ended and len(several) < _MOST:
                    continue
            elif monotonic() - last > patience:
                raise NoAnswer(
                    messages.name, f"run {test.name}", "no more samples come", "check its cable"
                )
            if several or not ended:
                yield several
            several = []

    def _timed(self, place: Place, several: list[Sample], start: float, cycle: int) -> CellSamples:
        flagged = []
        for one in several:
            flag = SampleFlag.OVERLOAD if one.over else SampleFlag.OK
            if abs(one.current) < _COARSE * self._full_scale:
                flag |= SampleFlag.UNDERLOAD
            flagged.append((Sample(start + one.time, one.potential, one.current, one.over), flag))
        return self._block(place, flagged, cycle)

    def _seen(self, block: CellSamples, watch: CellWatch) -> tuple[int, Until] | None:
        met = watch.see(block.time, block.potential, block.current)
        last = -1 if met is None else met[0]
        self._timeline.last = float(block.time[last])
        self.potential = float(block.potential[last])
        return met

    def _block(
        self, place: Place, samples: list[tuple[Sample, SampleFlag]], cycle: int
    ) -> CellSamples:
        return CellSamples(
            place,
            np.array([one.time for one, _ in samples], float),
            self._time_sd,
            np.array([one.potential for one, _ in samples], float),
            np.array([one.current for one, _ in samples], float),
            np.array([int(flag) for _, flag in samples], np.uint8),
            cycle,
        )


def _first(block: CellSamples, count: int) -> CellSamples:
    part = slice(0, count)
    return CellSamples(
        block.place,
        block.time[part],
        block.time_sd,
        block.potential[part],
        block.current[part],
        block.flags[part],
        block.cycle,
    )
