"""Turns the lines of a script into a program, or says what is wrong with them."""

from collections.abc import Sequence

from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.kinds import Kind
from simulators.instruments.methodscript.operands import Scope
from simulators.instruments.methodscript.program import Operand, Program, Statement
from simulators.instruments.methodscript.registry import COMMANDS, Command
from simulators.instruments.methodscript.structure import Structure
from simulators.instruments.methodscript.tokens import Token, tokens

LONGEST_LINE = 255


def load(lines: Sequence[str], kind: Kind, cell_on: bool = False) -> Program:
    """Check a script as the instrument does when it is sent; ScriptError names the first fault.

    cell_on: whether the cell is on when it is loaded.
    """
    if sum(len(line) + 1 for line in lines) > kind.script_size:
        raise ScriptError(Code.SCRIPT_TOO_LARGE)
    loader = _Loader(kind, cell_on)
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            raise ScriptError(Code.LINE_TOO_LONG, number)
        words = tokens(line, number)
        if words:
            loader.add(words, number)
    loader.structure.close(len(lines))
    return loader.program


class _Loader:
    def __init__(self, kind: Kind, cell_on: bool) -> None:
        self.program = Program()
        self.structure = Structure(self.program, cell_on)
        self._kind = kind
        self._arrays: dict[str, bool] = {}

    def add(self, words: list[Token], line: int) -> None:
        first = words[0]
        if first.text == "on_finished:":
            if len(words) > 1:
                raise ScriptError(Code.UNEXPECTED_CHARACTER, line, words[1].after)
            self.structure.finish(line, first.after)
            return
        command = COMMANDS.get(first.text)
        if command is None:
            raise ScriptError(Code.UNKNOWN_SCRIPT_COMMAND, line, first.after)
        if command.galvanostat and not self._kind.galvanostat:
            raise ScriptError(Code.NOT_SUPPORTED, line, first.after)
        scope = Scope(line, self._arrays)
        positional, options = _split(words[1:], line)
        statement = Statement(command, line, _read(scope, command.takes, positional, first))
        for name, inner in options:
            statement.options[name.text] = _option(scope, command, name, inner)
        self.structure.add(statement, first.after)
        if command.name in ("var", "array"):
            self._arrays[str(statement.operands[0])] = command.name == "array"


def _read(
    scope: Scope, takes: Sequence[str], words: Sequence[Token], before: Token
) -> tuple[Operand, ...]:
    """The operands; `before` is the word they follow."""
    found: list[Operand] = []
    for place, word in enumerate(words):
        repeated = bool(takes) and takes[-1].endswith("*")
        if place >= len(takes) and not repeated:
            raise ScriptError(Code.ADDITIONAL_ARGUMENT, scope.line, word.after)
        kind = takes[min(place, len(takes) - 1)]
        found.append(scope.read(kind.rstrip("?*"), word))
    if len(words) < sum(kind[-1] not in "?*" for kind in takes):
        last = words[-1] if words else before
        raise ScriptError(Code.UNEXPECTED_CHARACTER, scope.line, last.after)
    return tuple(found)


def _option(scope: Scope, command: Command, name: Token, words: list[Token]) -> tuple[Operand, ...]:
    if name.text not in command.options:
        raise ScriptError(Code.OPTION_INVALID, scope.line, name.after)
    return _read(scope, command.options[name.text], words, name)


def _split(
    words: Sequence[Token], line: int
) -> tuple[list[Token], list[tuple[Token, list[Token]]]]:
    """Positional words, and each optional argument's name with the words in its parentheses."""
    positional: list[Token] = []
    options: list[tuple[Token, list[Token]]] = []
    inside = False
    for word in words:
        if word.text == "(":
            if inside or not positional or not word.touches:
                raise ScriptError(Code.UNEXPECTED_CHARACTER, line, word.after)
            options.append((positional.pop(), []))
            inside = True
        elif word.text == ")":
            if not inside:
                raise ScriptError(Code.UNEXPECTED_CHARACTER, line, word.after)
            inside = False
        elif inside:
            options[-1][1].append(word)
        else:
            positional.append(word)
    if inside:
        raise ScriptError(Code.UNEXPECTED_END, line, words[-1].after)
    return positional, options
