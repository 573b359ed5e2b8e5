"""Runs a program: control flow, variables and output."""

import operator
from collections.abc import Callable, Iterator
from contextlib import suppress

from simulators.instruments.methodscript.cell import Cell
from simulators.instruments.methodscript.errors import (
    Aborted,
    Code,
    LoopAborted,
    ScriptError,
)
from simulators.instruments.methodscript.program import Operand, Program, Ref, Statement, Text
from simulators.instruments.methodscript.slots import Slot, Variables
from simulators.instruments.methodscript.values import Value, encode, show

Row = tuple[Value, ...]
Mark = str
"""A line that a measurement loop puts out between its rows."""

READY = ""
"""What a measurement loop yields first, after it has looked at its arguments."""

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TURN = 50e-6
"""Seconds that one turn of a plain loop takes at least."""


class Measurement:
    """A running measurement loop."""

    def __init__(self, rows: Iterator[Row | Mark], outputs: list[Slot]) -> None:
        self.rows = rows
        self.outputs = outputs
        self.in_scan = False


class Machine:
    """One run of one program. Lines of output go to `emit`, without their line feed."""

    def __init__(self, program: Program, cell: Cell, emit: Callable[[str], None]) -> None:
        self.cell = cell
        self.variables = Variables()
        self.timer = cell.time
        self.interval = 0.0
        self.next_interval = 0.0
        self.silent = False
        self.gpio = 0
        self._program = program
        self._emit = emit
        self._package: list[str] | None = None
        self._loops: list[tuple[int, Measurement | None]] = []

    def run(self) -> None:
        """To the end, through on_finished. ScriptError if a command fails: that ends it at once."""
        finish = self._program.finish
        end = len(self._program.statements) if finish < 0 else finish
        with suppress(Aborted):
            self._span(0, end)
        self._leave_all()
        if finish >= 0:
            with suppress(Aborted):
                self._span(finish, len(self._program.statements))
            self._leave_all()

    def put(self, line: str) -> None:
        """Send a line, unless the script has switched its output off."""
        if not self.silent:
            self._emit(line)

    def _span(self, here: int, end: int) -> None:
        while here < end:
            statement = self._program.statements[here]
            try:
                here = self._step(statement, here)
            except LoopAborted:
                here = self._abort_loop(here)
            except ScriptError as error:
                raise ScriptError(error.code, statement.line) from None
            except (OverflowError, ZeroDivisionError):
                raise ScriptError(Code.OVERFLOW, statement.line) from None

    def _step(self, statement: Statement, here: int) -> int:
        """Run one statement; returns the index of the next."""
        self.cell.requests.checkpoint()
        if statement.is_measurement:
            return self._measure(statement, here)
        structural = getattr(self, f"_do_{statement.name}", None)
        if structural is not None:
            return structural(statement, here)
        if statement.command.body is not None:
            operands = self.resolve(statement.command.takes, statement.operands)
            body = statement.command.body
            if statement.options:
                body(self, *operands, **self.resolve_options(statement))
            else:
                body(self, *operands)
        return here + 1

    # -- operands

    def resolve(self, takes: tuple[str, ...], operands: tuple[Operand, ...]) -> list[object]:
        """Operands as a command's function takes them."""
        words = (*takes, *[takes[-1]] * (len(operands) - len(takes))) if takes else ()
        return [self._operand(w.rstrip("?*"), o) for w, o in zip(words, operands, strict=False)]

    def resolve_options(self, statement: Statement) -> dict[str, list[object]]:
        """Optional arguments likewise, by name."""
        takes = statement.command.options
        return {name: self.resolve(takes[name], given) for name, given in statement.options.items()}

    def _operand(self, word: str, operand: Operand) -> object:
        if isinstance(operand, Text):
            return self.text(operand)
        if isinstance(operand, Ref) and word == "out":
            return self.variables.slot(operand)
        if isinstance(operand, Ref) and word == "arr":
            return self.variables.array(operand.name)
        return operand if isinstance(operand, str) else self.variables.value(operand)

    def text(self, text: Text) -> str:
        """A string with its braces filled in."""
        parts = text.parts
        return "".join(p if isinstance(p, str) else show(self.variables.value(p)) for p in parts)

    # -- control flow

    def _true(self, statement: Statement) -> bool:
        left, how, right = self.resolve(statement.command.takes, statement.operands)
        assert isinstance(left, Value) and isinstance(right, Value)
        return _COMPARE[str(how)](left.number, right.number)

    def _do_if(self, statement: Statement, here: int) -> int:
        """Into the first branch whose condition holds."""
        while statement.name in ("if", "elseif") and not self._true(statement):
            here = statement.otherwise
            statement = self._program.statements[here]
        return here + 1

    def _do_elseif(self, statement: Statement, here: int) -> int:
        return statement.end  # reached from the branch before, which is done

    def _do_else(self, statement: Statement, here: int) -> int:
        return statement.end

    def _do_endif(self, statement: Statement, here: int) -> int:
        return here + 1

    def _do_loop(self, statement: Statement, here: int) -> int:
        if not self._loops or self._loops[-1][0] != here:
            self._loops.append((here, None))
            self.put("L")
        if self._true(statement):
            return here + 1
        self._leave()
        return statement.otherwise

    def _do_endloop(self, statement: Statement, here: int) -> int:
        if self._loops[-1][1] is None:
            self.cell.read(self.cell.time + TURN)
        return statement.start

    def _do_breakloop(self, statement: Statement, here: int) -> int:
        self._leave()
        return statement.otherwise

    def _do_abort(self, statement: Statement, here: int) -> int:
        raise Aborted

    def _leave(self) -> None:
        """Close the innermost loop."""
        _, measurement = self._loops.pop()
        if measurement is None:
            self.put("+")
            return
        self.cell.requests.measuring = False
        if measurement.in_scan:
            self.put("-")
        self.put("*")

    def _leave_all(self) -> None:
        self._package = None
        while self._loops:
            self._leave()

    def _abort_loop(self, here: int) -> int:
        """Out of the measurement loop that a client wants to end."""
        places = [place for place, measurement in self._loops if measurement is not None]
        if not places:
            return here
        self._package = None
        while self._loops[-1][0] != places[-1]:
            self._leave()
        self._leave()
        return self._program.statements[places[-1]].otherwise

    # -- measurement

    def _measure(self, statement: Statement, here: int) -> int:
        if not self._loops or self._loops[-1][0] != here:
            self._begin(statement, here)
        measurement = self._loops[-1][1]
        assert measurement is not None
        for row in measurement.rows:
            if not isinstance(row, str):
                for slot, value in zip(measurement.outputs, row, strict=True):
                    slot.set(value)
                return here + 1
            measurement.in_scan = row != "-"
            self.put(row)
        self._leave()
        return statement.otherwise

    def _begin(self, statement: Statement, here: int) -> None:
        command = statement.command
        if command.cell == "on" and not self.cell.on:
            raise ScriptError(Code.NEEDS_CELL_ON)
        if command.cell == "off" and self.cell.on:
            raise ScriptError(Code.OCP_WITH_CELL_ON)
        operands = self.resolve(command.takes, statement.operands)
        options = self.resolve_options(statement)
        outputs = [operand for operand in operands if isinstance(operand, Slot)]
        for name in command.options:
            outputs += [operand for operand in options.get(name, ()) if isinstance(operand, Slot)]
        numbers = [operand.number for operand in operands if isinstance(operand, Value)]
        assert command.body is not None
        rows = command.body(self.cell, *numbers, **options)
        next(rows)  # READY
        self.cell.requests.take_reversal()
        self.cell.requests.measuring = True
        self._loops.append((here, Measurement(rows, outputs)))
        self.put(f"M{command.technique:04X}")

    # -- declarations and output

    def _do_var(self, statement: Statement, here: int) -> int:
        self.variables.declare(str(statement.operands[0]))
        return here + 1

    def _do_array(self, statement: Statement, here: int) -> int:
        name, size = statement.operands
        assert isinstance(size, Value | Ref)
        self.variables.declare_array(str(name), self.variables.value(size))
        return here + 1

    def _do_pck_start(self, statement: Statement, here: int) -> int:
        self._package = []
        return here + 1

    def _do_pck_add(self, statement: Statement, here: int) -> int:
        if self._package is None:
            raise ScriptError(Code.PACKAGE_SEQUENCE)
        (operand,) = statement.operands
        assert isinstance(operand, Value | Ref)
        self._package.append(encode(self.variables.value(operand)))
        return here + 1

    def _do_pck_end(self, statement: Statement, here: int) -> int:
        if self._package:
            self.put("P" + ";".join(self._package))
        self._package = None
        return here + 1

    def _do_send_string(self, statement: Statement, here: int) -> int:
        (text,) = statement.operands
        assert isinstance(text, Text)
        self.put("T" + self.text(text))
        return here + 1
