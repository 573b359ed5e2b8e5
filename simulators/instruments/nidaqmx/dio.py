"""Digital lines, driven and read on demand."""

from dataclasses import dataclass


@dataclass
class DigitalChannel:
    """One virtual channel of one or more lines, e.g. `port0/line0`; bit 0 is the first line."""

    name: str
    lines: tuple[str, ...]

    def bits(self, value: int) -> list[bool]:
        """The states of the lines for an integer sample.

        NI's integer formats number bits by the line's place in its port, for channels that
        lie in one port.
        """
        return [bool(value >> bit & 1) for bit in self.places]

    def value(self, states: list[bool]) -> int:
        """The integer sample for line states."""
        return sum(1 << bit for bit, high in zip(self.places, states, strict=True) if high)

    @property
    def places(self) -> list[int]:
        """Bit of each line in an integer sample."""
        ports = {line.split("/")[0] for line in self.lines}
        if len(ports) > 1:
            return list(range(len(self.lines)))
        return [int(line.rsplit("line", 1)[1]) for line in self.lines]
