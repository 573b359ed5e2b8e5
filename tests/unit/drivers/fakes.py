"""A card of paper: it holds what it is told and returns what it is given."""

from collections.abc import Mapping, Sequence

import numpy as np

from sicmctl.hal.capabilities import F64, Block, Identity, Pause

ROLES = ("pipette_current", "gain_telegraph", "filter_telegraph", "mode_telegraph",
         "x_sensor", "y_sensor", "z_sensor")  # fmt: skip


class PaperGenerator:
    """A generator that puts nothing out unless told how far it is."""

    def __init__(self, channels: Sequence[str]) -> None:
        self.channels = tuple(channels)
        self.played: list[tuple[F64, Pause | None]] = []
        self.done = 0
        self.halts = 0
        self.releases = 0
        self.refuses: Exception | None = None

    def play(self, volts: F64, pause: Pause | None = None) -> None:
        if self.refuses:
            raise self.refuses
        self.played.append((volts, pause))

    def generated(self) -> int:
        return self.done

    def halt(self) -> None:
        self.halts += 1

    def release(self) -> None:
        self.halt()
        self.releases += 1

    def safe_state(self) -> None:
        self.halt()


class PaperOutput:
    """An output that remembers what was written."""

    def __init__(self) -> None:
        self.written: list[float] = []

    def write(self, volts: float) -> None:
        self.written.append(volts)

    def safe_state(self) -> None: ...


class PaperLines:
    """Lines that remember what was written."""

    def __init__(self) -> None:
        self.written: list[list[bool]] = []

    def write(self, levels: Sequence[bool]) -> None:
        self.written.append(list(levels))

    def safe_state(self) -> None: ...


class PaperCard:
    """A `Daq` without a clock."""

    rate = 50e3
    comparators: Mapping[str, str] = {}

    def __init__(self, roles: Sequence[str] = ROLES) -> None:
        self.roles = tuple(roles)
        self.generators: list[PaperGenerator] = []
        self.outputs: dict[str, PaperOutput] = {}
        self.line_groups: dict[str, PaperLines] = {}

    def identify(self) -> Identity:
        return Identity("Paper", "card")

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...

    def safe_state(self) -> None: ...

    def read(self, samples: int) -> Block:
        return Block(0, self.roles, np.zeros((len(self.roles), samples)))

    def generator(self, channels: Sequence[str]) -> PaperGenerator:
        self.generators.append(PaperGenerator(channels))
        return self.generators[-1]

    def output(self, channel: str) -> PaperOutput:
        return self.outputs.setdefault(channel, PaperOutput())

    def lines(self, names: Sequence[str]) -> PaperLines:
        return self.line_groups.setdefault(",".join(names), PaperLines())


def block(samples: int = 40, **volts: float) -> Block:
    """A block in which each role stands still at its voltage."""
    rows = np.zeros((len(volts), samples))
    for row, value in zip(rows, volts.values(), strict=True):
        row[:] = value
    return Block(0, tuple(volts), rows)
