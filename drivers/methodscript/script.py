"""Compiles programs of steps into scripts that fit the instrument's memory."""

from collections.abc import Sequence

from sicmctl.hal.cell import AnyStep, CellProgram, Repeat, Walk
from sicmctl.hal.errors import NotSupported

from .compiler import UNKNOWN, Compiler, Script, State
from .kinds import Kind


def compile_program(program: CellProgram, kind: Kind, state: State = UNKNOWN) -> list[Script]:
    """Return the scripts that run a program, one after the other; one, unless it is too long.

    state: of the instrument before. Raises LimitExceeded or NotSupported if it cannot be run.
    """
    steps, scripts = program.steps, list[Script]()
    if next(Walk(program), None) is None:
        raise NotSupported(kind.name, "run", "the program has no steps", "give it one")
    while steps:
        script, taken = _longest(program, steps, kind, state)
        scripts.append(script)
        steps, state = steps[taken:], script.state
    return scripts


def _longest(
    program: CellProgram, steps: Sequence[AnyStep | Repeat], kind: Kind, state: State
) -> tuple[Script, int]:
    """The longest script that fits the memory, and how many of the steps it runs."""
    whole = Compiler(program, kind, state).script(steps, last=True)
    if _size(whole) <= kind.script:
        return whole, len(steps)
    fitting: tuple[Script, int] | None = None
    for taken in range(1, len(steps)):
        script = Compiler(program, kind, state).script(steps[:taken], last=False)
        if _size(script) > kind.script:
            break
        fitting = script, taken
    if fitting is None:
        raise NotSupported(
            kind.name,
            "run",
            f"a repeat is too long for its memory of {kind.script} bytes",
            "split it into several",
        )
    return fitting


def _size(script: Script) -> int:
    return sum(len(line) + 1 for line in script.lines)
