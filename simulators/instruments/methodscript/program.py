"""What a loaded script is: statements with their operands and where they lead."""

from dataclasses import dataclass, field

from simulators.instruments.methodscript.registry import Command
from simulators.instruments.methodscript.values import Value


@dataclass(frozen=True, slots=True)
class Ref:
    """A variable, or with an index an element of an array, by name."""

    name: str
    index: "Value | Ref | None" = None


@dataclass(frozen=True, slots=True)
class Text:
    """A string; every second part of an f-string is what stands in its braces."""

    parts: tuple["str | Ref", ...]


Operand = Value | Ref | Text | str
"""str: a new name, a variable type or a comparison."""


@dataclass(slots=True)
class Statement:
    """One command. otherwise: where to go on if its condition fails or its loop is over.

    end: index of the statement that closes its `if` or loop. start: for a closing statement,
    index of the one it closes.
    """

    command: Command
    line: int
    operands: tuple[Operand, ...] = ()
    options: dict[str, tuple[Operand, ...]] = field(default_factory=dict)
    otherwise: int = 0
    end: int = 0
    start: int = 0

    @property
    def name(self) -> str:
        return self.command.name

    @property
    def is_measurement(self) -> bool:
        return self.command.technique >= 0


@dataclass(slots=True)
class Program:
    """A script that was loaded without an error. finish: index of what follows on_finished."""

    statements: list[Statement] = field(default_factory=list)
    finish: int = -1
