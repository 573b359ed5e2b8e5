"""Reading one electrochemical technique of a run file."""

from functools import cached_property
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from . import h5read as h5
from .names import RunFileError

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]


class Echem:
    """One technique of a run file. Columns are read when they are asked for, each of shape (n,)."""

    def __init__(self, number: int, group: h5py.Group) -> None:
        self.number = number
        self._group = group

    def __len__(self) -> int:
        return int(h5.dataset(self._group, "time").shape[0])

    @property
    def technique(self) -> str:
        """`cv`, `gcpl` ..., or `unknown` if its start is lost."""
        return h5.attribute(self._group, "technique")

    @property
    def title(self) -> str:
        """Name of the step, or of the technique."""
        return h5.attribute(self._group, "title")

    @property
    def instrument(self) -> str:
        """What the potentiostat said it is."""
        return h5.attribute(self._group, "instrument")

    @property
    def outcome(self) -> str:
        """`done`, `stopped`, `failed` or `interrupted`."""
        return h5.attribute(self._group, "outcome")

    @property
    def reason(self) -> str:
        """Why it ended, if not in order."""
        return h5.attribute(self._group, "reason")

    @property
    def rest(self) -> str:
        """The state in which the cell was left, "" if that could not be seen to."""
        return h5.attribute(self._group, "rest")

    @property
    def present(self) -> float:
        """Potential of the cell just before, V; NaN if it was not read."""
        return self._number("present")

    @property
    def start_time(self) -> float:
        """When it began, s on the timeline; NaN if unknown."""
        return self._number("start_time")

    @property
    def end_time(self) -> float:
        """When it ended, s on the timeline."""
        return self._number("end_time")

    @property
    def time_sd(self) -> float:
        """Standard uncertainty of its times, s: the largest of its steps."""
        return self._number("time_sd")

    @property
    def settings(self) -> dict[str, float]:
        """Name -> number, SI."""
        return h5.numbers(self._group, "settings")

    @cached_property
    def time(self) -> F64:
        """Time on the run's timeline, s."""
        return self._column("time")

    @cached_property
    def potential(self) -> F64:
        """Potential of the working electrode against the reference, V."""
        return self._column("potential")

    @cached_property
    def current(self) -> F64:
        """Current, anodic positive, A."""
        return self._column("current")

    @cached_property
    def charge(self) -> F64:
        """Charge passed since the first sample, C."""
        return self._column("charge")

    @cached_property
    def step(self) -> I32:
        """Number of the step as executed."""
        return self._column("step")

    @cached_property
    def cycle(self) -> I32:
        """Cycle of cyclic voltammetry, from 0."""
        return self._column("cycle")

    @cached_property
    def loop(self) -> I32:
        """How often the outermost repeat was run before."""
        return self._column("loop")

    @cached_property
    def flags(self) -> NDArray[np.uint8]:
        """`SampleFlag` values."""
        return self._column("flags")

    @cached_property
    def steps(self) -> list[dict[str, Any]]:
        """The steps in order: number, kind, label, loop, start, end, time_sd, charge, reason (SI).

        reason: `time`, the end condition that was met, `stopped`, `failed` or `interrupted`.
        """
        return h5.rows(self._group, "steps")

    @cached_property
    def labels(self) -> NDArray[Any]:
        """The label of each sample's step, as text."""
        known = {step["number"]: step["label"] for step in self.steps}
        numbers, place = np.unique(self.step, return_inverse=True)
        return np.array([known.get(int(number), "") for number in numbers], object)[place]

    @cached_property
    def spectrum(self) -> dict[str, NDArray[Any]]:
        """Points of impedance spectra: time, step, loop, frequency (Hz), real, imag (ohm) ...

        Empty if none was measured.
        """
        return {
            name: h5.read(h5.dataset(self._group, f"spectrum/{name}"))
            for name in h5.keys(self._group, "spectrum")
        }

    def _column(self, name: str) -> Any:
        return h5.read(h5.dataset(self._group, name))

    def _number(self, name: str) -> float:
        value = self._group.attrs.get(name, np.nan)
        try:
            return float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise RunFileError(
                f"{self._group.file.filename}: {self._group.name}@{name} is damaged"
            ) from None
