"""Lines of JSON: commands, replies, and the samples of a test."""

import json
import math
import threading
from dataclasses import dataclass
from time import monotonic
from typing import Any

from drivers.link import Link
from sicmctl.hal.errors import InstrumentError, NoAnswer, NotConnected

Message = dict[str, Any]

_BLOCK = 64
"""Bytes of a USB packet: the firmware loses lines whose length is a multiple of it."""


class Garbled(InstrumentError):
    """A line that makes no sense: it was spoilt on the way."""


@dataclass(frozen=True)
class Sample:
    """One of a test. time: s since the test began. V, A. over: beyond the current range."""

    time: float
    potential: float
    current: float
    over: bool


def parse(line: bytes) -> Message:
    """Return the object that a line holds. Raises ValueError."""
    message = json.loads(line.decode("ascii"), parse_constant=_no_constant)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


def sample(message: Message, unit: float) -> Sample | None:
    """Return the sample that a message is; None if it is none, which ends a test.

    unit: of the currents, A. Raises ValueError if a number is none.
    """
    if not {"t", "v", "i"} <= message.keys():
        return None
    time, potential, current = (number(message[key]) for key in ("t", "v", "i"))
    return Sample(time * 1e-3, potential, current * unit, message.get("le") is True)


def number(value: object) -> float:
    """Return a finite number. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    if abs(value) > 1e30 or not math.isfinite(value):
        raise ValueError("a number beyond all bounds")
    return float(value)


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


class Messages:
    """A session; several threads may use it. Every error names the command.

    name: of the instrument, as the operator knows it. timeout: for an answer, s.
    """

    def __init__(self, link: Link, name: str, timeout: float) -> None:
        self._link, self.name, self._timeout = link, name, timeout
        self._lock = threading.RLock()

    def open(self) -> None:
        """Connect, anew if it was. Raises NotConnected."""
        with self._lock:
            try:
                self._link.open()
            except (OSError, ValueError) as error:
                raise NotConnected(
                    self.name,
                    "connect",
                    str(error),
                    "check the name of its port, its cable and that no other program holds it",
                ) from error

    def close(self) -> None:
        with self._lock:
            self._link.close()

    def ask(self, command: str, **values: Any) -> Message:
        """Return the response to a command. Raises NotConnected, NoAnswer, Garbled.

        Samples of a test, and replies to what was asked before, are left out. Raises
        InstrumentError, with its words, if the instrument refuses.
        """
        with self._lock:
            self._write(command, {"command": command} | values)
            deadline = monotonic() + self._timeout
            while True:
                message = self.hear(command, max(deadline - monotonic(), 0.0))
                if message is None:
                    raise NoAnswer(
                        self.name,
                        command,
                        f"no answer within {self._timeout:g} s",
                        "is it a Rodeostat, and does nobody else talk to it?",
                    )
                response = message.get("response")
                if "success" not in message or not isinstance(response, dict):
                    continue
                if response.get("command", command) == command:
                    break
        if message["success"] is not True:
            problem = f"it refuses: {message.get('message', 'no reason given')}"
            raise InstrumentError(self.name, command, problem)
        return response

    def value(self, command: str, key: str, **values: Any) -> Any:
        """Return one item of the response to a command."""
        response = self.ask(command, **values)
        if key not in response:
            raise self.garbled(command, repr(response))
        return response[key]

    def hear(self, command: str, timeout: float) -> Message | None:
        """Return the next message; None if none came within `timeout` s."""
        with self._lock:
            try:
                line = self._link.line(timeout)
            except OSError as error:
                raise self._lost(command, error) from error
        if line is None:
            return None
        try:
            return parse(line)
        except (ValueError, RecursionError) as error:
            raise self.garbled(command, repr(line[:60])) from error

    def garbled(self, command: str, what: str) -> Garbled:
        """Return the error of a line that makes no sense."""
        return Garbled(
            self.name, command, f"it said {what}, which makes no sense", "check its cable"
        )

    def _write(self, command: str, message: Message) -> None:
        data = json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"
        if len(data) % _BLOCK == 0:
            data = b" " + data
        try:
            self._link.write(data)
        except OSError as error:
            raise self._lost(command, error) from error

    def _lost(self, command: str, error: OSError) -> NotConnected:
        return NotConnected(self.name, command, f"the link was lost: {error}", "check its cable")
