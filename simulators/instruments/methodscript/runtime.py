"""Runs scripts in a thread of their own."""

import threading
from collections.abc import Callable

from simulators.instruments.methodscript.cell import Cell
from simulators.instruments.methodscript.errors import Killed, ScriptError
from simulators.instruments.methodscript.machine import Machine
from simulators.instruments.methodscript.program import Program
from simulators.instruments.methodscript.requests import Requests


class Runtime:
    """At most one script at a time. Its output goes to `emit`, line by line."""

    def __init__(self, cell: Cell, emit: Callable[[str], None]) -> None:
        self._cell = cell
        self._emit = emit
        self._trip = 0
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()

    @property
    def running(self) -> bool:
        return not self._idle.is_set()

    def start(self, program: Program) -> None:
        """Run a program; another must not be running."""
        self.join()
        cell = self._cell
        cell.requests = Requests(cell.port.interrupt, lambda: cell.port.time)
        self._idle.clear()
        machine = Machine(program, cell, self._put)
        self._thread = threading.Thread(
            target=self._run, args=(machine,), name="methodscript", daemon=True
        )
        self._thread.start()

    def trip(self, code: int) -> None:
        """Let the running script fail at its next line of output, as for a critical overload."""
        self._trip = code

    def stop(self) -> None:
        """End a running script as a loss of power does, and wait until it has."""
        self._cell.requests.kill()
        self.join()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the script; whether it has come."""
        done = self._idle.wait(timeout)
        if done and self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None
        return done

    def _put(self, line: str) -> None:
        if self._trip:
            code, self._trip = self._trip, 0
            raise ScriptError(code)
        self._emit(line)

    def _run(self, machine: Machine) -> None:
        ending: str | None = ""
        try:
            machine.run()
        except ScriptError as error:
            ending = error.reply
        except Killed:
            ending = None
        self._cell.requests.over()
        self._idle.set()
        if ending is not None:
            self._emit(ending)
