"""Checks how the statements of a script nest, and joins those that belong together."""

from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.program import Program, Statement

DEEPEST = 10
MOST_VALUES = 32
"""Values in one data package."""

_FORBIDDEN_IN_LOOP = {
    "set_e": Code.SET_E_IN_LOOP,
    "set_range_minmax": Code.SET_E_IN_LOOP,
    "set_i": Code.SET_I_IN_LOOP,
    "set_pgstat_mode": Code.NOT_IN_LOOP,
    "cell_on": Code.NOT_IN_LOOP,
}
_CLOSES = {"endloop": "loop", "endif": "if", "else": "if", "elseif": "if"}


class Structure:
    """Adds statements to a program one by one, and refuses those that stand in a wrong place."""

    def __init__(self, program: Program, cell_on: bool) -> None:
        self._program = program
        self._open: list[int] = []
        self._branches: list[list[int]] = []
        self._breaks: list[list[int]] = []
        self._package: int | None = None
        self._cell_on = cell_on

    def add(self, statement: Statement, column: int) -> None:
        """Append a statement; `column` is that after its name."""
        try:
            self._check(statement)
            self._join(statement)
        except ScriptError as error:
            raise ScriptError(error.code, statement.line, column) from None
        self._program.statements.append(statement)

    def finish(self, line: int, column: int) -> None:
        """Here stands `on_finished:`."""
        if self._open or self._program.finish >= 0 or self._package is not None:
            raise ScriptError(Code.SCOPE, line, column)
        self._program.finish = len(self._program.statements)
        self._cell_on = True  # nobody knows: the script may have come from anywhere

    def close(self, line: int) -> None:
        """The script is over."""
        if self._open or self._package is not None:
            raise ScriptError(Code.UNEXPECTED_END, line, 1)

    @property
    def _measuring(self) -> bool:
        return any(self._at(place).is_measurement for place in self._open)

    def _at(self, place: int) -> Statement:
        return self._program.statements[place]

    def _check(self, statement: Statement) -> None:
        name = statement.name
        if self._measuring:
            if statement.is_measurement:
                raise ScriptError(Code.NESTED_LOOP)
            if name in _FORBIDDEN_IN_LOOP:
                raise ScriptError(_FORBIDDEN_IN_LOOP[name])
        self._check_package(name)
        if name == "cell_on":
            self._cell_on = True
        elif name == "cell_off" and not self._open:
            self._cell_on = False
        elif statement.command.cell == "on" and not self._cell_on:
            raise ScriptError(Code.NEEDS_CELL_ON)

    def _check_package(self, name: str) -> None:
        if name == "pck_start":
            if self._package is not None:
                raise ScriptError(Code.PACKAGE_SEQUENCE)
            self._package = 0
        elif name in ("pck_add", "pck_end"):
            if self._package is None:
                raise ScriptError(Code.PACKAGE_SEQUENCE)
            self._package = None if name == "pck_end" else self._package + 1
            if self._package is not None and self._package > MOST_VALUES:
                raise ScriptError(Code.PACKAGE_FULL)
        elif self._package is not None and name.removeprefix("end").startswith(("loop", "meas_")):
            raise ScriptError(Code.PACKAGE_SEQUENCE)

    def _join(self, statement: Statement) -> None:
        here = len(self._program.statements)
        name = statement.name
        if name in _CLOSES:
            self._continue_scope(statement, here)
        elif name == "breakloop":
            if not self._breaks:
                raise ScriptError(Code.SCOPE)
            self._breaks[-1].append(here)
        elif name in ("if", "loop") or statement.is_measurement:
            if len(self._open) >= DEEPEST:
                raise ScriptError(Code.SCOPE_TOO_DEEP)
            self._open.append(here)
            if name == "if":
                self._branches.append([here])
            else:
                self._breaks.append([here])

    def _continue_scope(self, statement: Statement, here: int) -> None:
        start = self._at(self._open[-1]) if self._open else None
        if start is None or (start.name == "if") != (_CLOSES[statement.name] == "if"):
            raise ScriptError(Code.SCOPE)
        statement.start = self._open[-1]
        if statement.name == "endloop":
            start.end, start.otherwise = here, here + 1
            self._open.pop()
            for place in self._breaks.pop():
                self._at(place).end = here
                self._at(place).otherwise = here + 1
            return
        branches = self._branches[-1]
        if self._at(branches[-1]).name == "else" and statement.name != "endif":
            raise ScriptError(Code.SCOPE)
        self._at(branches[-1]).otherwise = here
        if statement.name != "endif":
            branches.append(here)
            return
        for place in branches:
            self._at(place).end = here
        self._open.pop()
        self._branches.pop()
