"""One electrochemical technique in the run file: samples, steps and spectra as columns."""

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sicmctl.hal.potentiostat import SampleFlag
from sicmctl.messages import EchemBlock, EchemEnded, EchemStarted, EchemStepEnded, SpectrumBlock

from .columns import Table
from .scangroup import write_numbers
from .series import Column, Series

SAMPLES = {
    "time": Column("<f8", "s", "time on the run's timeline (s)"),
    "potential": Column("<f8", "V", "potential of the working electrode against the reference (V)"),
    "current": Column("<f8", "A", "current, anodic positive (A)"),
    "charge": Column("<f8", "C", "charge passed since the first sample of the technique (C)"),
    "step": Column("<i4", "", "number of the step as executed"),
    "cycle": Column("<i4", "", "cycle of cyclic voltammetry, from 0"),
    "loop": Column("<i4", "", "how often the outermost repeat was run before"),
    "flags": Column("u1", "", "what the instrument said of the sample"),
}
POINTS = {
    "time": SAMPLES["time"],
    "step": SAMPLES["step"],
    "loop": SAMPLES["loop"],
    "frequency": Column("<f8", "Hz", "frequency (Hz)"),
    "real": Column("<f8", "ohm", "real part of the impedance (ohm)"),
    "imag": Column("<f8", "ohm", "imaginary part of the impedance (ohm)"),
    "potential": Column("<f8", "V", "potential during the point, without the sine (V)"),
    "current": Column("<f8", "A", "current during the point, without the sine (A)"),
    "flags": Column("u1", "", "what the instrument said of the point"),
}
STEPS = {
    "number": "number of the step as executed, from 0",
    "kind": "what the step does",
    "label": "what the step is to the user",
    "loop": "how often the outermost repeat was run before",
    "start": "when it began, as far as its samples tell",
    "end": "when it ended",
    "time_sd": "standard uncertainty of the times",
    "charge": "charge passed during the step",
    "reason": "what ended it: time, its end condition, stopped, failed or interrupted",
}
_STEPS = 64
"""Rows of the table of steps that are stored together: most techniques have few."""
_SWEPT = ("cv", "lsv")
"""Techniques that are looked at as current against potential."""


class EchemGroup:
    """Writes one technique."""

    def __init__(self, entry: h5py.Group, number: int, started: EchemStarted | None) -> None:
        """started: None if the record of it is lost."""
        self.group = entry.create_group(f"echem_{number}")
        self.group.attrs.update(NX_class="NXdata", echem=number)
        self.done = False
        self._describe(started)
        self._samples = Series(self.group, SAMPLES)
        names = [str(flag.name).lower() for flag in SampleFlag if flag]
        self.group["flags"].attrs["bits"] = names
        steps = self.group.create_group("steps")
        steps.attrs["NX_class"] = "NXcollection"
        self._steps = Table(steps, meanings=STEPS, units={"start": "s", "end": "s"}, chunk=_STEPS)
        self._under_way: dict[str, Any] | None = None
        self._first_charge: float | None = None
        self._points: Series | None = None
        self._time_sd = 0.0

    def add(self, block: EchemBlock) -> None:
        """Add samples."""
        n = block.times.shape[0]
        times, charge = block.times.numpy(), block.charge.numpy()
        self._samples.append(
            time=times,
            potential=block.potential.numpy(),
            current=block.current.numpy(),
            charge=charge,
            step=np.full(n, block.step, np.int32),
            cycle=np.full(n, block.cycle, np.int32),
            loop=np.full(n, block.loop, np.int32),
            flags=block.flags.numpy(),
        )
        self._follow(block, block.kind, times)
        if self._under_way is not None and n:
            self._first_charge = charge[0] if self._first_charge is None else self._first_charge
            self._under_way["charge"] = float(charge[-1] - self._first_charge)

    def add_points(self, block: SpectrumBlock) -> None:
        """Add points of a spectrum."""
        if self._points is None:
            spectrum = self.group.create_group("spectrum")
            spectrum.attrs.update(NX_class="NXdata", signal="imag", axes="real")
            self._points = Series(spectrum, POINTS)
        n = block.times.shape[0]
        self._points.append(
            time=block.times.numpy(),
            step=np.full(n, block.step, np.int32),
            loop=np.full(n, block.loop, np.int32),
            frequency=block.frequency.numpy(),
            real=block.real.numpy(),
            imag=block.imaginary.numpy(),
            potential=block.potential.numpy(),
            current=block.current.numpy(),
            flags=block.flags.numpy(),
        )
        self._follow(block, "impedance", block.times.numpy())

    def end_step(self, ended: EchemStepEnded) -> None:
        """Add what is known of a step that is over."""
        self._time_sd = max(self._time_sd, ended.time_sd)
        self._under_way = None
        self._steps.append(
            {
                "number": ended.step,
                "kind": ended.kind,
                "label": ended.label,
                "loop": ended.loop,
                "start": ended.start,
                "end": ended.time,
                "time_sd": ended.time_sd,
                "charge": ended.charge,
                "reason": ended.reason,
            }
        )

    def flush(self) -> None:
        """Bring the steps so far into the file (samples go by whole chunks)."""
        self._steps.flush()

    def end(self, ended: EchemEnded) -> None:
        """Close the technique."""
        if self.done:
            return
        if self._under_way is not None:
            self._steps.append({**self._under_way, "reason": "interrupted"})
        self._steps.flush()
        self._samples.close()
        if self._points is not None:
            self._points.close()
        self.group.attrs.update(
            outcome=ended.outcome,
            reason=ended.reason,
            rest=ended.rest,
            end_time=ended.time,
            time_sd=self._time_sd,
        )
        self.done = True

    def _describe(self, started: EchemStarted | None) -> None:
        attributes = self.group.attrs
        technique = started.technique if started else "unknown"
        attributes["technique"] = technique
        attributes["title"] = started.title if started and started.title else technique
        attributes["instrument"] = started.instrument if started else ""
        attributes["after"] = started.after if started else ""
        attributes["present"] = started.present if started else np.nan
        attributes["start_time"] = started.time if started else np.nan
        swept = technique in _SWEPT
        attributes["signal"] = "current" if swept else "potential"
        attributes["axes"] = "potential" if swept else "time"
        attributes["auxiliary_signals"] = ["charge"] if swept else ["current", "charge"]
        write_numbers(self.group, "settings", started.settings if started else {})

    def _follow(
        self, block: EchemBlock | SpectrumBlock, kind: str, times: NDArray[np.float64]
    ) -> None:
        """Keep what is known of the step under way, in case its end never comes."""
        self._time_sd = max(self._time_sd, block.time_sd)
        if not times.size:
            return
        if self._under_way is None or self._under_way["number"] != block.step:
            self._first_charge = None
            self._under_way = {
                "number": block.step,
                "kind": kind,
                "label": block.label,
                "loop": block.loop,
                "start": float(times[0]),
                "time_sd": block.time_sd,
                "charge": 0.0,
            }
        self._under_way["end"] = float(times[-1])


def ended_unknown(number: int, time: float) -> EchemEnded:
    """Return the end of a technique whose end is not in the journal."""
    return EchemEnded(
        time=time, echem=number, outcome="interrupted", reason="the journal has no end of it"
    )
