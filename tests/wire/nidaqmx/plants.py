"""Small plants to wire a card to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.plant import Watch


def crosses(watch: Watch, signal: NDArray[Any]) -> int | None:
    """First sample at which the watch changes state."""
    hits = signal < watch.low if watch.is_high else signal > watch.high
    return int(np.argmax(hits)) if hits.any() else None


class Loopback:
    """Each output is the input of the same number, as it was held; `out.clock` is the time in s."""

    inputs: tuple[str, ...] = ("in.0", "in.1", "in.2")
    outputs: tuple[str, ...] = ("out.0", "out.1", "out.2", "out.clock")
    lines: tuple[str, ...] = ("line.0", "line.1")

    def __init__(self) -> None:
        self.time = 0
        self.levels: dict[str, bool] = dict.fromkeys(self.lines, False)
        self.line_log: list[tuple[int, str, bool]] = []
        self.runs = 0

    def run(
        self, drive: NDArray[np.float64], period: int, watches: Sequence[Watch] = ()
    ) -> NDArray[np.float64]:
        self.runs += 1
        clock = (self.time + period * np.arange(1, len(drive) + 1)) * 1e-8
        out: NDArray[Any] = np.column_stack((drive, clock))
        ends = [k for w in watches if (k := crosses(w, out[:, w.output])) is not None]
        out = out[: min(ends) + 1] if ends else out
        self.time += period * len(out)
        return out

    def set_line(self, line: str, high: bool) -> None:
        self.levels[line] = high
        self.line_log.append((self.time, line, high))


WIRING = {
    "ai0": "out.0",
    "ai1": "out.1",
    "ai2": "out.2",
    "ai3": "out.clock",
    "APFI0": "out.0",
    "ao0": "in.0",
    "ao1": "in.1",
    "ao2": "in.2",
    "port0/line0": "line.0",
    "port1/line0": "line.1",
}
