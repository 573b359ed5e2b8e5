"""What the card has: channels, terminals, rates, and what is wired to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.names import local_terminal
from simulators.plant import Plant

Wiring = Mapping[str, str]
"""Terminal -> plant signal, e.g. `ai0` -> `amplifier.output`, `ao3` -> `stage.z`."""

COMPARATOR = "AnalogComparisonEvent"


@dataclass(frozen=True)
class Board:
    """An X-series board; rates in samples per second."""

    device: str = "Dev1"
    product: str = "PCIe-6363"
    product_number: int = 0x7435
    serial: int = 0x01D8A3C5
    ai: tuple[str, ...] = tuple(f"ai{k}" for k in range(32))
    ao: tuple[str, ...] = tuple(f"ao{k}" for k in range(4))
    ports: tuple[int, ...] = (32, 8, 8)
    """Lines of each digital port."""
    ai_rate: float = 2e6
    ai_aggregate_rate: float = 1e6
    ao_rate: float = 2.86e6
    internal: tuple[str, ...] = field(init=False)
    """AI channels that read the board itself."""

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "internal", ("_aignd_vs_aignd", *(f"_{a}_vs_aognd" for a in self.ao))
        )

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """All digital lines."""
        return tuple(f"port{p}/line{k}" for p, n in enumerate(self.ports) for k in range(n))

    @property
    def port_names(self) -> tuple[str, ...]:
        """All digital ports."""
        return tuple(f"port{k}" for k in range(len(self.ports)))

    @property
    def analog_terminals(self) -> tuple[str, ...]:
        """Inputs of the analog trigger circuit that are no AI channels."""
        return ("APFI0", "APFI1")

    @cached_property
    def terminals(self) -> tuple[str, ...]:
        """All named terminals, without the device."""
        timing = (
            f"{s}/{t}"
            for s in ("ai", "ao")
            for t in ("SampleClock", "StartTrigger", "PauseTrigger")
        )
        return (
            *(f"PFI{k}" for k in range(16)),
            *(f"RTSI{k}" for k in range(8)),
            *self.analog_terminals,
            *timing,
            "ai/ConvertClock",
            "ai/ReferenceTrigger",
            "100MHzTimebase",
            "20MHzTimebase",
            "100kHzTimebase",
            "10MHzRefClock",
            COMPARATOR,
        )

    def check(self, device: str) -> None:
        """Refuse the name of another device."""
        if device.strip("/").lower() != self.device.lower():
            raise CardError(Code.INVALID_DEVICE_ID, f"Device Specified: {device}")

    def terminal(self, name: str) -> str:
        """A terminal as the board spells it, without the device."""
        return local_terminal(name, self.device, self.terminals)

    def pin_line(self, terminal: str) -> str | None:
        """The digital line that shares its pin with a PFI terminal."""
        if not terminal.startswith("PFI"):
            return None
        k = int(terminal[3:])
        return f"port{1 + k // 8}/line{k % 8}"

    def rate_limit(self, kind: str, channels: int) -> float:
        """Fastest sample clock of a task."""
        if kind == "ao":
            return self.ao_rate
        return self.ai_rate if channels == 1 else self.ai_aggregate_rate / channels


class Harness:
    """The wires between the board's terminals and the plant's signals."""

    def __init__(self, board: Board, plant: Plant, wiring: Wiring) -> None:
        known = {*board.ai, *board.ao, *board.analog_terminals, *board.lines}
        for terminal, signal in wiring.items():
            if terminal not in known:
                raise ValueError(
                    f"{board.product} has no terminal {terminal!r} to wire {signal!r} to"
                )
        self.drives = {t: plant.inputs.index(s) for t, s in wiring.items() if t in board.ao}
        """AO channel -> plant input."""
        sensed = {t: s for t, s in wiring.items() if t in board.ai or t in board.analog_terminals}
        self.senses = {t: plant.outputs.index(s) for t, s in sensed.items()}
        """AI channel or APFI terminal -> plant output."""
        self.switches = {t: s for t, s in wiring.items() if t in board.lines}
        """Digital line -> plant line."""
        for signal in self.switches.values():
            if signal not in plant.lines:
                raise ValueError(f"the plant has no digital input {signal!r}")

    def sense(self, terminal: str) -> int | None:
        """Plant output behind an analog terminal; None if nothing is wired to it."""
        return self.senses.get(terminal)


def check_limits(low: float, high: float, full_scale: float, prefix: str, channel: str) -> None:
    """Refuse channel limits (volts) that no range of the board holds."""
    if not low < high:
        raise CardError(
            Code.MIN_NOT_LESS_THAN_MAX,
            f"Property: DAQmx_{prefix}_Min",
            f"Minimum Value: {low}",
            f"Maximum Value: {high}",
            f"Channel Name: {channel}",
        )
    for limit, value in (("Max", high), ("Min", low)):
        if abs(value) > full_scale * (1 + 1e-9):
            raise CardError(
                Code.INVALID_ATTRIBUTE_VALUE,
                f"Property: DAQmx_{prefix}_{limit}",
                f"Requested Value: {value}",
                f"Maximum Value: {full_scale}",
                f"Minimum Value: {-full_scale}",
                f"Channel Name: {channel}",
            )
