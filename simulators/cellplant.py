"""An analog potentiostat with its cell, as the card that it hangs on sees it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from simulators.cellport import Control
from simulators.daqconfig import CELL_INPUTS, CELL_LINES, CELL_OUTPUTS
from simulators.frontend import FrontEnd
from simulators.plant import TICK, Plant, Watch

_SMALL = 2e-3
"""V, or share of full scale: a step of the command up to here is taken as a ramp."""
_OVERRANGE = 1.1
"""Of full scale, where the current monitor saturates."""

Rows = NDArray[np.float64]


class CellPlant:
    """External input and monitor outputs of a front end whose knobs are turned by hand.

    Volts of the command are held as potential or current; monitors show what the front end's
    measurement shows, with white noise in every step of the plant.
    switched: whether a line switches the cell; otherwise it is on from the start.
    """

    inputs: tuple[str, ...] = CELL_INPUTS
    outputs: tuple[str, ...] = CELL_OUTPUTS
    lines: tuple[str, ...] = CELL_LINES

    def __init__(self, front: FrontEnd, switched: bool, seed: int) -> None:
        self._front, self._config, self._panel = front, front.config, front.config.analog
        self._random = np.random.Generator(np.random.Philox(key=seed))
        self._ticks = 0
        self._on, self._volts = not switched, 0.0
        front.set_current_range(self._panel.current_range)
        front.set_bandwidth(self._panel.filter)
        self._last = front.truth[1:]
        if self._on:
            self._hold(0.0, abrupt=True)

    @property
    def time(self) -> int:
        return self._ticks

    def set_line(self, line: str, high: bool) -> None:
        """Switch the cell on (high) or off."""
        if line not in self.lines:
            raise ValueError(f"no line {line!r}; allowed: {', '.join(self.lines)}")
        if high == self._on:
            return
        self._on = high
        if high:
            self._hold(self._volts, abrupt=True)
        else:
            self._front.control(Control.OPEN)

    def run(self, drive: Rows, period: int, watches: Sequence[Watch] = ()) -> Rows:
        """As `Plant.run`; with watches it may return after a single step."""
        drive = drive[: 1 if watches else len(drive), 0]
        shown = np.empty((len(drive), 2))
        bounds = [0, *(np.flatnonzero(np.diff(drive)) + 1), len(drive)]
        for first, last in pairwise(bounds):
            if drive[first] != self._volts:
                self._hold(float(drive[first]), abrupt=False)
            self._advance(shown[first:last], period)
        return self._monitors(shown)

    def _hold(self, volts: float, abrupt: bool) -> None:
        panel = self._panel
        step = abs(volts - self._volts) * abs(panel.command_scale)
        self._volts = volts
        if not self._on:
            return
        by_potential = panel.control == "potential"
        value = volts * panel.command_scale * (1.0 if by_potential else panel.current_range)
        if step <= _SMALL and not abrupt:
            self._front.steer(value)
        else:
            self._front.control(Control.POTENTIAL if by_potential else Control.CURRENT, value)

    def _advance(self, shown: Rows, period: int) -> None:
        """Let steps pass with what is held; potential (V) and current (A) at the end of each."""
        ends = (self._ticks + period * np.arange(1, len(shown) + 1)) * TICK
        course = np.array([(self._ticks * TICK, *self._last), *self._front.trace(float(ends[-1]))])
        for k in range(2):
            shown[:, k] = np.interp(ends, course[:, 0], course[:, k + 1])
        self._ticks += period * len(shown)
        self._last = float(course[-1, 1]), float(course[-1, 2])

    def _monitors(self, shown: Rows) -> Rows:
        config, panel = self._config, self._panel
        noise = self._random.standard_normal(shown.shape)
        potential = shown[:, 0] + config.offset + config.potential_noise * noise[:, 0]
        share = shown[:, 1] / panel.current_range * (1 + config.gain_error)
        share = np.clip(share + config.current_noise * noise[:, 1], -_OVERRANGE, _OVERRANGE)
        volts = np.stack([potential * panel.potential_scale, share * panel.current_scale], axis=1)
        return np.clip(volts, -panel.monitor_limit, panel.monitor_limit)


class Together:
    """Two plants on one card."""

    def __init__(self, scanner: Plant, cell: CellPlant) -> None:
        self._scanner, self._cell = scanner, cell
        self.inputs = scanner.inputs + cell.inputs
        self.outputs = scanner.outputs + cell.outputs
        self.lines = scanner.lines + cell.lines

    @property
    def time(self) -> int:
        return self._scanner.time

    def set_line(self, line: str, high: bool) -> None:
        owner = self._cell if line in self._cell.lines else self._scanner
        owner.set_line(line, high)

    def run(self, drive: Rows, period: int, watches: Sequence[Watch] = ()) -> Rows:
        """As `Plant.run`; single steps while something watches the cell."""
        outputs, inputs = len(self._scanner.outputs), len(self._scanner.inputs)
        own = [watch for watch in watches if watch.output < outputs]
        if len(own) < len(watches):
            drive = drive[:1]
        rows = self._scanner.run(drive[:, :inputs], period, own)
        return np.hstack([rows, self._cell.run(drive[: len(rows), inputs:], period)])
