"""What is wired to the card: external input, monitors, cell switch; volts on one side, SI on the
other."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from sicmctl.hal.capabilities import F64, Block, Daq
from sicmctl.hal.errors import NotSupported, UnexpectedState
from sicmctl.hal.quantity import Quantity, VoltsPerAmpere, VoltsPerVolt

NAME = "analog potentiostat"
ROLES = ("cell_potential", "cell_current")
COMMAND = "cell_command"
"""Role of the input that reads the external input's voltage back, if there is one."""
CARD = 10.0
"""Volts that a card puts out, either way."""
_OVER = 1.05
"""Of full scale: beyond it a current is out of range."""


class Options(BaseModel, extra="forbid", frozen=True):
    """The `[potentiostat]` section for an analog potentiostat."""

    maker: str = Field("unknown maker", description="to be kept with the data", min_length=1)
    model: str = Field(NAME, description="to be kept with the data", min_length=1)
    command: str = Field("ao0", description="analog output wired to the external input")
    control: Literal["potential", "current"] = Field(
        "potential", description="what the external input sets, as its mode switch stands"
    )
    command_scale: VoltsPerVolt = Field(
        1.0, description="cell volts per volt at the external input; negative if it inverts"
    )
    current_command_scale: Annotated[float, Quantity("A/V")] | None = Field(
        None,
        description="amperes per volt at the external input, when it sets the current; "
        "default: full scale per volt",
    )
    potential_scale: VoltsPerVolt = Field(
        1.0, description="volts at the potential monitor per volt of the cell"
    )
    current_scale: VoltsPerAmpere = Field(
        description="volts at the current monitor per ampere; negative if it shows cathodic "
        "currents as positive"
    )
    current_range: Annotated[float, Quantity("A", positive=True)] = Field(
        description="full scale of the current, as its knob stands"
    )
    potential_limit: Annotated[float, Quantity("V", positive=True)] = Field(
        10.0, description="potential that it can apply, either way"
    )
    cell_switch: str | None = Field(
        None, description="digital line that connects the cell when high"
    )

    @model_validator(mode="after")
    def _scales(self) -> "Options":
        for name in ("command_scale", "current_command_scale", "potential_scale", "current_scale"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name} must not be zero")
        return self

    @property
    def scale(self) -> float:
        """Volts or amperes of the cell per volt at the external input."""
        if self.control == "potential":
            return self.command_scale
        return self.current_command_scale or self.current_range

    @property
    def fine(self) -> float:
        """What the external input can be told and read back to, V or A: 3 mV at the card."""
        return 3e-3 * abs(self.scale)

    @property
    def reach(self) -> float:
        """What can be commanded, either way, V or A."""
        most = self.potential_limit if self.control == "potential" else self.current_range
        return min(most, CARD * abs(self.scale))


@dataclass(frozen=True, slots=True)
class Seen:
    """Samples of both monitors, each of shape (n,).

    first: number of the first. over: current out of range. command: what was commanded, V or A, as
    the card reads it back; None where it does not.
    """

    first: int
    potential: F64
    current: F64
    over: NDArray[np.bool_]
    command: F64 | None = None

    def __len__(self) -> int:
        return len(self.potential)

    def after(self, skip: int) -> "Seen":
        """Return the samples after the first `skip`."""
        return Seen(self.first + skip, self.potential[skip:], self.current[skip:], self.over[skip:])


class Panel:
    """The instrument's front panel. The card's clock must run for the external input to move.

    held: what the external input was last told, V or A. steady: whether that is all out, so that
    it is what the instrument holds. connected: whether the cell is; None if nobody has said.
    """

    def __init__(self, options: Options, daq: Daq) -> None:
        self.options = options
        missing = [role for role in ROLES if role not in daq.roles]
        if missing:
            raise UnexpectedState(
                NAME,
                "open",
                f"no input is assigned to {', '.join(missing)}",
                "wire the monitor outputs and name their channels in daq.inputs",
            )
        if "pipette_current" in daq.roles:
            raise NotSupported(
                NAME,
                "open",
                "beside a microscope the card's samples are the microscope's, and this driver "
                "needs them for itself",
                "give it a card of its own and a rig.toml of its own",
            )
        self._generator = daq.generator([options.command])
        self._switch = daq.lines([options.cell_switch]) if options.cell_switch else None
        self._length = 0
        self.held, self.steady = 0.0, False
        self.connected: bool | None = None if self._switch else True

    @property
    def can_open(self) -> bool:
        """Whether the current can be kept at zero: by the switch, or by commanding no current."""
        return self._switch is not None or self.options.control == "current"

    def apply(self, value: float) -> None:
        """Command one value; it is out two samples later."""
        self.play(np.array([value, value]))

    def play(self, values: F64) -> None:
        """Command a course of values, V or A, one a sample, in place of any that runs."""
        self.halt()
        self._generator.play((values / self.options.scale)[None, :])
        self._length = len(values)
        self.held, self.steady = float(values[-1]), False

    def left(self) -> int:
        """Return how many samples are yet to be put out."""
        left = self._length - self._generator.generated() if self._length else 0
        self.steady = self.steady or (left == 0 and self._length > 0)
        return left

    def halt(self) -> None:
        """Stop where it is; harmless if nothing runs."""
        self._generator.halt()
        self._length = 0

    def connect(self) -> None:
        """Close the cell switch, if there is one."""
        if self._switch is not None and not self.connected:
            self._switch.write([True])
        self.connected = True

    def disconnect(self) -> None:
        """Open the cell switch; harmless if it is open. Nothing without one."""
        if self._switch is not None:
            self._switch.write([False])
            self.connected = False

    @property
    def switched(self) -> bool:
        return self._switch is not None

    def seen(self, block: Block) -> Seen:
        """Scale what the monitors showed."""
        current = block["cell_current"] / self.options.current_scale
        over = np.abs(current) > _OVER * self.options.current_range
        command = block[COMMAND] * self.options.scale if COMMAND in block else None
        potential = block["cell_potential"] / self.options.potential_scale
        return Seen(block.first, potential, current, over, command)
