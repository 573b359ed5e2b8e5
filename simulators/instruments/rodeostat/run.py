"""A test that runs: the waveform on the cell, samples on the wire."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from simulators.cellport import Interrupted
from simulators.instruments.rodeostat.analog import Analog
from simulators.instruments.rodeostat.techniques import Technique, Values, stair

Sample = dict[str, Any]

_INSIDE = 1e-6
"""ms by which a piece of waveform is entered, as its ends may belong to its neighbours."""


class Run:
    """One test in progress. period: ms between samples. emit: takes the samples."""

    def __init__(
        self,
        technique: Technique,
        values: Values,
        period: int,
        analog: Analog,
        emit: Callable[[Sample], None],
    ) -> None:
        self._technique, self._values, self._period = technique, values, period
        self._analog, self._emit = analog, emit
        self._origin = analog.port.time
        self.stopping = False

    def perform(self) -> None:
        """Go through the test; raises Interrupted when it is stopped."""
        end = self._technique.lasts(self._values, self._period)
        square = self._technique.name == "squareWave"
        sample = self._square if square else self._sample
        for count in range(1, int(end // self._period) + 1):
            start, stop = (count - 1) * self._period, count * self._period
            found = sample(start, stop)
            if self.stopping:
                raise Interrupted
            self._emit(found)
        rest = end % self._period
        if rest and not square:
            self._follow(end - rest, end)

    def _sample(self, start: float, stop: float) -> Sample:
        return self._shown(stop, self._technique.at(self._values, stop), *self._follow(start, stop))

    def _follow(self, start: float, stop: float) -> tuple[float, bool]:
        """Put the waveform on the cell from `start` to `stop` (ms); the current at the end."""
        found = 0.0, False
        for begin, end in self._pieces(start, stop):
            first = self._technique.at(self._values, begin + _INSIDE)
            last = self._technique.at(self._values, end - _INSIDE)
            self._analog.ramp(first, (last - first) / (end - begin) * 1e3, self._at(begin))
            found = self._read(end, 0.0)
        return found

    def _pieces(self, start: float, stop: float) -> Iterator[tuple[float, float]]:
        quiet, corners = self._values["quietTime"], self._technique.corners
        inner = (quiet + at for at in corners(self._values, max(start - quiet, 0.0), stop - quiet))
        places = sorted({start, stop, *(at for at in (quiet, *inner) if start < at < stop)})
        yield from pairwise(places)

    def _square(self, start: float, stop: float) -> Sample:
        """A step of a square wave: current at the end of the one half less that of the other."""
        values, potential = self._values, stair(self._values, start, self._period)
        if start < values["quietTime"]:
            self._analog.set_volt(potential, self._at(start))
            self._read(stop, 0.0)
            return self._shown(stop, values["quietValue"], 0.0, False)
        half = self._period / 2
        window = max(half * values["window"], 0.2)
        self._analog.set_volt(potential + values["amplitude"], self._at(start))
        forward, over = self._read(start + half, window)
        self._analog.set_volt(potential - values["amplitude"], self._at(start + half))
        reverse, under = self._read(stop, window)
        shown = stair(values, stop, self._period)
        return self._shown(stop, shown, forward - reverse, over or under)

    def _at(self, time: float) -> float:
        """On the cell's clock (s), what is a time (ms) of the test."""
        return self._origin + time * 1e-3

    def _read(self, at: float, window: float) -> tuple[float, bool]:
        """Current (uA) at a time (ms) of the test, averaged over a window before it."""
        while not self.stopping:
            try:
                reading = self._analog.port.read(self._at(at), window * 1e-3)
            except Interrupted:
                continue  # meant for an earlier reading, unless the test is stopped
            return self._analog.current(reading)
        raise Interrupted

    @staticmethod
    def _shown(time: float, volt: float, current: float, over: bool) -> Sample:
        sample: Sample = {"t": int(time), "v": tidy(volt), "i": tidy(current)}
        return sample | {"le": True} if over else sample


def tidy(value: float) -> float:
    """Single precision, as the firmware computes and prints."""
    return round(float(f"{value:.7g}"), 9)
