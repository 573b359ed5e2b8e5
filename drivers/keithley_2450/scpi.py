"""Commands, answers and the error queue."""

import threading

from sicmctl.hal.errors import InstrumentError, NoAnswer, NotConnected

from .wire import Wire

_MOST_ERRORS = 50
"""Entries of the error queue that are read before it is emptied."""


class Garbled(InstrumentError):
    """An answer that makes no sense: it was spoilt on the way, or belongs to another question."""


class Scpi:
    """A session that several threads may use. Every error names the command.

    name: of the instrument, as the operator knows it. timeout: for an answer, s.
    """

    def __init__(self, wire: Wire, name: str, timeout: float) -> None:
        self._wire, self.name, self._timeout = wire, name, timeout
        self._lock = threading.RLock()

    def open(self) -> None:
        """Connect, anew if it was. Raises NotConnected."""
        with self._lock:
            try:
                self._wire.open()
            except OSError as error:
                raise NotConnected(
                    self.name,
                    "connect",
                    str(error),
                    "check its address, its cable and that no other program holds it",
                ) from error

    def close(self) -> None:
        with self._lock:
            self._wire.close()

    def send(self, *commands: str) -> None:
        """Send commands in one line; each begins at the root. Raises NotConnected."""
        line = ";".join(commands)
        with self._lock:
            try:
                self._wire.write(line.encode("ascii") + b"\n")
            except OSError as error:
                raise self._lost(line, error) from error

    def ask(self, query: str) -> str:
        """Return the answer to a line of queries. Raises NotConnected, NoAnswer, Garbled."""
        with self._lock:
            self.send(query)
            try:
                answer = self._wire.line(self._timeout)
            except OSError as error:
                raise self._lost(query, error) from error
        if answer is None:
            raise NoAnswer(
                self.name,
                _brief(query),
                f"no answer within {self._timeout:g} s",
                "is it in SCPI mode, and does nobody else talk to it?",
            )
        try:
            return answer.decode("ascii")
        except UnicodeDecodeError as error:
            raise self.garbled(query, answer.decode("latin-1")) from error

    def numbers(self, query: str, columns: int = 1) -> list[list[float]]:
        """Return the answer to a query as rows of finite numbers."""
        answer = self.ask(query)
        try:
            values = [float(text) for text in answer.split(",")]
        except ValueError as error:
            raise self.garbled(query, answer) from error
        if len(values) % columns or not all(abs(value) < 1e38 for value in values):
            raise self.garbled(query, answer)
        return [values[k : k + columns] for k in range(0, len(values), columns)]

    def check(self, command: str) -> None:
        """Raise InstrumentError if the error queue is not empty; empties it."""
        found: list[str] = []
        while len(found) < _MOST_ERRORS:
            code, _, text = self.ask(":SYST:ERR?").partition(",")
            try:
                number = int(code)
            except ValueError as error:
                raise self.garbled(":SYST:ERR?", code) from error
            if number == 0:
                break
            found.append(f"{number}, {text.strip().strip(chr(34))}")
        if found:
            raise InstrumentError(
                self.name, command, "it reports " + " | ".join(found[:3]), "see its event log"
            )

    def garbled(self, query: str, answer: str) -> Garbled:
        """Return the error of an answer that makes no sense."""
        return Garbled(
            self.name,
            _brief(query),
            f"it answered {_brief(answer)!r}, which makes no sense",
            "is another program talking to it?",
        )

    def _lost(self, command: str, error: OSError) -> NotConnected:
        return NotConnected(
            self.name, _brief(command), f"the link was lost: {error}", "check its cable"
        )


def _brief(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
