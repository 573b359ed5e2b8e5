"""The stream of one program: samples are averaged to the interval asked for, and watched."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sicmctl.hal.capabilities import F64, Daq
from sicmctl.hal.cell import AnyStep, Place, Until
from sicmctl.hal.cellwatch import CellWatch
from sicmctl.hal.errors import UnexpectedState
from sicmctl.hal.potentiostat import CellSamples, SampleFlag
from sicmctl.hal.timeline import Stamp

from .panel import COMMAND, NAME, Panel, Seen

_BLOCK = 0.02
"""Seconds that are read at once, unless the interval is longer: the delay of end conditions."""
_LONGEST = 0.5
"""Seconds after which something is yielded, if only samples of no length."""
_STEP = 0.005
"""Seconds that are read at once while a new value is waited for ..."""
_PATIENCE = 2.0
"""... and for how long it is."""
_KEPT = 0.02
"""V by which a potential may be off what was told: input and monitor have gain errors."""
_SETTLED = 0.1
"""Seconds after a step for which that is not looked at."""


class Averages(NamedTuple):
    """One row a window, each of shape (n,).

    number: of the middle sample. over: whether the current was out of range anywhere in it.
    """

    number: F64
    potential: F64
    current: F64
    over: NDArray[np.bool_]

    def upto(self, last: int) -> "Averages":
        """Return the rows up to one and with it."""
        n = last + 1
        return Averages(self.number[:n], self.potential[:n], self.current[:n], self.over[:n])


_NONE = Averages(np.empty(0), np.empty(0), np.empty(0), np.empty(0, bool))


@dataclass
class Windows:
    """Averages over windows of `every` samples; what does not fill one waits for the next."""

    every: int
    _waiting: list[Seen] = field(default_factory=list)

    def take(self, seen: Seen) -> Averages:
        """Add samples; return the windows that are full."""
        self._waiting.append(seen)
        have = self._have
        return self._averages(have // self.every, self.every)

    def rest(self) -> Averages:
        """Return a last window that is at least half full, or nothing."""
        have = self._have
        last = self._averages(1, have) if have and 2 * have >= self.every else _NONE
        self._waiting = []
        return last

    @property
    def _have(self) -> int:
        return sum(len(part) for part in self._waiting)

    def _averages(self, windows: int, every: int) -> Averages:
        if not windows:
            return _NONE
        first, count = self._waiting[0].first, windows * every
        potential = np.concatenate([part.potential for part in self._waiting])
        current = np.concatenate([part.current for part in self._waiting])
        over = np.concatenate([part.over for part in self._waiting])
        self._waiting = [Seen(first, potential, current, over).after(count)]
        shape = (windows, every)
        return Averages(
            first + (every - 1) / 2 + every * np.arange(windows, dtype=np.float64),
            potential[:count].reshape(shape).mean(axis=1),
            current[:count].reshape(shape).mean(axis=1),
            np.any(over[:count].reshape(shape), axis=1),
        )


class Recorder:
    """Reads the stream that began at `start`, on the timeline of the run.

    allowed: raises if the program may not go on.
    """

    def __init__(self, daq: Daq, panel: Panel, start: Stamp, allowed: Callable[[], None]) -> None:
        self._daq, self._panel, self._start, self._allowed = daq, panel, start, allowed
        self.read_so_far = 0

    def stamp(self) -> Stamp:
        """The time of the newest sample read."""
        time = self._start.time + self.read_so_far / self._daq.rate
        return Stamp(time, self._start.uncertainty)

    def read(self, samples: int) -> Seen:
        """Wait for the next samples."""
        self._allowed()
        seen = self._panel.seen(self._daq.read(samples))
        self.read_so_far += samples
        return seen

    def settle(self) -> None:
        """Read on until the waveform is out."""
        while left := self._panel.left():
            self.read(left)

    def arrive(self) -> Seen:
        """Read on until the value commanded last is out; return what was sampled since.

        The sample at which it came is seen where the card reads its output back; elsewhere nothing
        is returned, and what is read next may begin some ms early. Raises UnexpectedState if the
        value does not come.
        """
        target, fine = self._panel.held, self._panel.options.fine
        end = self.read_so_far + round(_PATIENCE * self._daq.rate)
        while COMMAND in self._daq.roles:
            seen = self.read(max(1, round(_STEP * self._daq.rate)))
            assert seen.command is not None
            early = np.flatnonzero(np.abs(seen.command - target) > fine)
            begin = int(early[-1]) + 1 if len(early) else 0
            if begin < len(seen):
                return seen.after(begin)
            if self.read_so_far > end:
                raise UnexpectedState(
                    NAME,
                    f"command {target:g}",
                    f"the input {COMMAND} does not show it",
                    "check potentiostat.command and daq.inputs.cell_command",
                )
        nothing = np.empty(0)
        return Seen(self.read_so_far, nothing, nothing, np.empty(0, bool))

    def nothing(self, place: Place) -> CellSamples:
        """A sign of life."""
        return self._samples(place, 0, _NONE, None)

    def follow(
        self,
        place: Place,
        step: AnyStep,
        watch: CellWatch,
        samples: int | None,
        *,
        begun: Seen | None = None,
        cycle: int = 0,
        held: float | None = None,
    ) -> Generator[CellSamples, None, Until | None]:
        """Yield what comes in so many samples, or until the waveform is out (None).

        begun: samples of the step that are read already. held: potential that must be kept, V.
        Returns the condition that was met, if any.
        """
        rate = self._daq.rate
        windows = Windows(max(1, round(step.interval * rate)))
        kept = None if held is None else (held, self.read_so_far + _SETTLED * rate)
        for seen in self._come(begun, samples, windows.every):
            new = windows.take(seen)
            met = watch.see(self._times(new.number), new.potential, new.current)
            if met is not None:
                yield self._samples(place, cycle, new.upto(met[0]), kept)
                return met[1]
            yield self._samples(place, cycle, new, kept)
        yield self._samples(place, cycle, windows.rest(), kept)
        return None

    def _come(self, begun: Seen | None, samples: int | None, every: int) -> Iterator[Seen]:
        """Yield the samples of a step in blocks."""
        rate = self._daq.rate
        block = min(max(every, round(_BLOCK * rate), 1), max(round(_LONGEST * rate), 1))
        left = self._panel.left() if samples is None else samples
        if begun is not None:
            yield begun
            left -= len(begun)
        while left > 0:
            seen = self.read(min(left, block))
            yield seen
            left = self._panel.left() if samples is None else left - len(seen)

    def _times(self, numbers: F64) -> F64:
        return self._start.time + numbers / self._daq.rate

    def _samples(
        self, place: Place, cycle: int, new: Averages, kept: tuple[float, float] | None
    ) -> CellSamples:
        flags = np.where(new.over, int(SampleFlag.OVERLOAD), 0)
        if kept is not None:
            lost = (np.abs(new.potential - kept[0]) > _KEPT) & (new.number > kept[1])
            flags |= np.where(lost, int(SampleFlag.COMPLIANCE), 0)
        return CellSamples(
            place,
            self._times(new.number),
            self._start.uncertainty,
            new.potential,
            new.current,
            flags.astype(np.uint8),
            cycle,
        )
