"""The script commands: each is a function beside a signature that says what it takes.

A signature is words: `new` a name to declare, `out` a variable or element to write, `num` a
number, `arr` an array, `type` a variable type, `cmp` a comparison, `str` a string. `num?` may be
left out; `type*`, in an option, repeats.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = Callable[..., Any]


@dataclass(frozen=True)
class Command:
    """A script command. technique: number of a measurement loop, -1 if it is none.

    bit: its place in the answer to `CM`.
    """

    name: str
    bit: int
    takes: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: Body | None = None
    technique: int = -1
    galvanostat: bool = False
    cell: str = ""
    """`on` or `off`: the state of the cell it needs."""

    @property
    def required(self) -> int:
        """How many arguments must be there."""
        return sum(not word.endswith("?") for word in self.takes)


COMMANDS: dict[str, Command] = {}
"""By name; filled by the modules that define them."""


def command(
    bit: int,
    takes: str = "",
    options: Mapping[str, str] | None = None,
    *,
    name: str = "",
    technique: int = -1,
    galvanostat: bool = False,
    cell: str = "",
) -> Callable[[Body], Body]:
    """Enter a function as the command of its name."""

    def enter(body: Body) -> Body:
        own = name or body.__name__.rstrip("_")
        split = {key: tuple(words.split()) for key, words in (options or {}).items()}
        words = tuple(takes.split())
        COMMANDS[own] = Command(own, bit, words, split, body, technique, galvanostat, cell)
        return body

    return enter


def structural(bit: int, name: str, takes: str = "") -> None:
    """Enter a command that the interpreter itself carries out."""
    COMMANDS[name] = Command(name, bit, tuple(takes.split()))


structural(13, "loop", "num cmp num")
structural(14, "endloop")
structural(15, "breakloop")
structural(16, "if", "num cmp num")
structural(17, "else")
structural(18, "elseif", "num cmp num")
structural(19, "endif")
structural(62, "abort")
structural(1, "var", "new")
structural(2, "array", "new num")
structural(33, "pck_start")
structural(34, "pck_add", "num")
structural(35, "pck_end")
structural(41, "send_string", "str")
