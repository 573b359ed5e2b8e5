"""A piezo scanner whose controller takes analog voltages and gives back analog sensor signals."""

from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np
from pydantic import BaseModel, Field

from sicmctl.hal.capabilities import F64, Axis, Block, Daq, Generator, Identity, Pause
from sicmctl.hal.errors import UnexpectedState
from sicmctl.hal.limits import Interval
from sicmctl.hal.modulation import Rider
from sicmctl.hal.quantity import Hertz, Metres, MetresPerVolt, PositiveMetres, Seconds, Speed

_NAME = "analog-piezo"
_AXES = ("x", "y", "z")
_TAIL = 20
"""Samples at the end of a block that are averaged."""


class AxisOptions(BaseModel, extra="forbid", frozen=True):
    """One axis: position = offset + scale * volts, for the command and for the sensor."""

    output: str = Field(description="analog output wired to the controller's input")
    sensor: str = Field(description="role of the analog input wired to the sensor monitor")
    readback: str | None = Field(
        None, description="role of an input that reads the output back, if there is one"
    )
    range: PositiveMetres = Field(description="travel")
    scale: MetresPerVolt = Field(description="metres per volt of the command")
    offset: Metres = Field(0.0, description="position at 0 V")
    sensor_scale: MetresPerVolt | None = Field(None, description="default: as the command")
    sensor_offset: Metres | None = Field(None, description="default: as the command")
    sensor_noise: Metres = Field(0.5e-9, description="rms of one sensor sample")
    sensor_delay: Seconds = Field(0.0, description="by which the sensor signal is late")
    resonance: Hertz = Field(description="natural frequency of the (closed-loop) response")
    damping: float = Field(0.7, description="damping ratio", gt=0, le=2)
    max_speed: Speed = Field(description="fastest motion allowed")


class Options(BaseModel, extra="forbid", frozen=True):
    """The `[piezo]` section for an analog scanner."""

    x: AxisOptions
    y: AxisOptions
    z: AxisOptions


class AnalogPiezo:
    """The scanner as a `Positioner`. All three axes are clocked together."""

    Options = Options

    def __init__(self, options: Options, daq: Daq) -> None:
        self._options = {"x": options.x, "y": options.y, "z": options.z}
        self._daq = daq
        self.axes: Mapping[str, Axis] = {n: _axis(o) for n, o in self._options.items()}
        for name, axis in self._options.items():
            if axis.sensor not in daq.roles:
                raise UnexpectedState(
                    _NAME,
                    "open",
                    f"the {name} sensor's role {axis.sensor} is not among the inputs",
                    f"add {axis.sensor} to daq.inputs",
                )
        self._scale = np.array([[o.scale] for o in self._options.values()])
        self._offset = np.array([[o.offset] for o in self._options.values()])
        self._outputs = [o.output for o in self._options.values()]
        self._alone = self._generator = daq.generator(self._outputs)
        self._together: dict[str, Generator] = {}
        self._rider: Rider | None = None
        self._path: F64 | None = None
        self._commanded: dict[str, float] = {}
        self._begun: dict[str, float] = {}

    @classmethod
    def open(cls, options: Options, daq: Daq) -> Self:
        """Take hold of the outputs. Moves nothing."""
        return cls(options, daq)

    def identify(self) -> Identity:
        """It has no name to tell."""
        return Identity("", "analog piezo scanner")

    @property
    def commanded(self) -> Mapping[str, float]:
        """Where the axes were last told to be; raises UnexpectedState before `synchronise`."""
        if not self._commanded:
            raise UnexpectedState(
                _NAME, "commanded", "it is not yet known where the stage is", "synchronise first"
            )
        return self._commanded

    def play(self, path: F64, pause: Pause | None = None) -> None:
        """Follow a path of shape (3, n), m; a finished path is put away first."""
        self._generator.halt()
        volts = (path - self._offset) / self._scale
        if self._rider is not None:
            volts = np.vstack((volts, self._rider.volts(path.shape[1])))
        self._generator.play(volts, pause)
        self._path, self._begun = path, self._commanded
        self._commanded = dict(zip(_AXES, map(float, path[:, -1]), strict=True))

    def halt(self) -> None:
        """Hold here. The stop is exact if the path was frozen by a comparator or had ended."""
        if self._path is None:
            return
        done = min(self._generator.generated(), self._path.shape[1])
        self._generator.halt()
        if done:
            last = self._path[:, done - 1]
            self._commanded = dict(zip(_AXES, map(float, last), strict=True))
        else:
            self._commanded = self._begun
        self._path = None
        if self._rider is not None:
            self._generator.release()
            self._rider.rest()

    def carry(self, rider: Rider | None) -> None:
        """Hold; then have an output ride on every path, or, with None, none any more.

        Outputs that are to move together belong to one generator, and a card has one at a time.
        """
        self.halt()
        if self._rider is rider:
            return
        self._generator.release()
        if self._rider is not None:
            self._rider.rest()
        self._rider = rider
        if rider is None:
            self._generator = self._alone
            return
        if rider.channel not in self._together:
            self._together[rider.channel] = self._daq.generator([*self._outputs, rider.channel])
        self._generator = self._together[rider.channel]

    def synchronise(self, block: Block) -> None:
        """Take where the stage rests at the end of a block as the command.

        An output that is read back tells it exactly. Without that, z and whatever has not been
        moved yet is taken from the sensors; an axis that stood still keeps its command.
        """
        for name, axis in self._options.items():
            if axis.readback is not None and axis.readback in block:
                volts = float(block[axis.readback][-1])
                self._take(name, axis.offset + axis.scale * volts)
            elif name == "z" or name not in self._commanded:
                tail = slice(-min(len(block), _TAIL), None)
                self._take(name, float(self._sensor(name, block)[tail].mean()))

    def position(self, block: Block) -> Mapping[str, F64]:
        """Return the sensors' positions, m, each computed when it is asked for."""
        return _Positions(self, block)

    def safe_state(self) -> None:
        """Hold still. Lifting the tip takes time and is the engine's first act."""
        self.halt()

    def _take(self, name: str, position: float) -> None:
        """Believe a measured position; what lies beyond the travel is noise, not a command."""
        self._commanded[name] = self.axes[name].travel.clip(position)

    def _sensor(self, name: str, block: Block) -> F64:
        axis = self._options[name]
        scale = axis.sensor_scale if axis.sensor_scale is not None else axis.scale
        offset = axis.sensor_offset if axis.sensor_offset is not None else axis.offset
        return offset + scale * block[axis.sensor]


class _Positions(Mapping[str, F64]):
    """Of the axes in a block, m: most who ask want one of them."""

    def __init__(self, stage: AnalogPiezo, block: Block) -> None:
        self._stage, self._block = stage, block

    def __getitem__(self, axis: str) -> F64:
        return self._stage._sensor(axis, self._block)

    def __iter__(self) -> Iterator[str]:
        return iter(_AXES)

    def __len__(self) -> int:
        return len(_AXES)


def _axis(options: AxisOptions) -> Axis:
    return Axis(
        Interval(0.0, options.range, "m"),
        options.max_speed,
        options.resonance,
        options.damping,
        options.sensor_noise,
        options.sensor_delay,
    )
