"""A potentiostat that refuses what the rig does not allow, and lets go of a cell that strays."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

import numpy as np

from .capabilities import Identity
from .cell import CellProgram, CellRest
from .cellcheck import check
from .errors import LimitExceeded
from .limits import Interval
from .potentiostat import CellData, CellSamples, CellSpectrum, Now, Potentiostat
from .quantity import show


class LimitedPotentiostat:
    """Checks whole programs before the cell is on, and every sample against the rig's limits.

    potential (V), current (A): what the rig allows beyond the instrument's own limits; a cell that
    leaves them, as a battery under constant current may, ends the program and is put at rest.
    """

    def __init__(
        self,
        potentiostat: Potentiostat,
        potential: Interval | None = None,
        current: Interval | None = None,
    ) -> None:
        self._potentiostat = potentiostat
        hardware = potentiostat.limits
        self._potential, self._current = potential, current
        self._name = potentiostat.identify().model  # asked now: later a program may be running
        self.limits = replace(
            hardware,
            potential=_both(hardware.potential, potential, "potential", self._name),
            current=_both(hardware.current, current, "current", self._name),
        )

    def identify(self) -> Identity:
        return self._potentiostat.identify()

    def check(self, program: CellProgram) -> None:
        """Raise LimitExceeded or NotSupported if the program may not be run here."""
        check(program, self.limits, self._name)

    def run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        """Check the program, then run it; on refusal the cell stays as it is."""
        self.check(program)
        return self._watched(program, now)

    def read(self) -> tuple[float, float]:
        return self._potentiostat.read()

    def hold(self, potential: float) -> None:
        """Check, then hold a potential."""
        self.limits.potential.check(potential, "potential", self._name, "hold")
        self._potentiostat.hold(potential)

    def rest(self, how: CellRest) -> None:
        self._potentiostat.rest(how)

    def safe_state(self) -> None:
        self._potentiostat.safe_state()

    def close(self) -> None:
        self._potentiostat.close()

    def _watched(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        data = self._potentiostat.run(program, now)
        with closing(data):
            for item in data:
                yield item
                if isinstance(item, CellSamples | CellSpectrum):
                    self._see(item)

    def _see(self, samples: CellSamples | CellSpectrum) -> None:
        for values, allowed, what in (
            (samples.potential, self._potential, "potential"),
            (samples.current, self._current, "current"),
        ):
            if allowed is None:
                continue
            outside = np.flatnonzero((values < allowed.low) | (values > allowed.high))
            if len(outside):
                raise LimitExceeded(
                    self._name,
                    "run",
                    f"the cell's {what} reached {show(float(values[outside[0]]), allowed.unit)}; "
                    f"the rig allows {allowed}; the program was ended",
                    f"give the step an end condition, or widen safety.cell_{what} in rig.toml",
                )


def _both(hardware: Interval, rig: Interval | None, what: str, instrument: str) -> Interval:
    if rig is None:
        return hardware
    low, high = max(hardware.low, rig.low), min(hardware.high, rig.high)
    if low > high:
        raise LimitExceeded(
            instrument,
            "limits",
            f"the rig allows a {what} of {rig}, the instrument reaches {hardware}",
            f"change safety.cell_{what} in rig.toml",
        )
    return Interval(low, high, hardware.unit)
