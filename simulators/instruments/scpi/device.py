"""A device that speaks SCPI, and the sessions of its clients."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Condition, RLock
from typing import Any

from simulators.instruments.scpi.errors import EventLog, ScpiError
from simulators.instruments.scpi.errors import Kind as EventKind
from simulators.instruments.scpi.kinds import read_all
from simulators.instruments.scpi.status import Status
from simulators.instruments.scpi.syntax import Unit, absolute, parse, path_after, split
from simulators.instruments.scpi.tree import Command, Tree

LONGEST_LINE = 1 << 20
"""Bytes of one message; more are thrown away and reported."""

_log = logging.getLogger(__name__)


class Device:
    """Command tree, event log, status registers and the lock that all sessions share.

    A subclass says how to wait (`wait`), what is forbidden while it works (`refuse_if_busy`)
    and what `*RST` and `*TRG` do.
    """

    identity = "NOBODY,NOTHING,0,0"

    def __init__(self, commands: Iterable[Command]) -> None:
        self.lock = Condition(RLock())
        self.tree = Tree(commands)
        self.log = EventLog(self.now)
        self.status = Status()

    def now(self) -> datetime:
        """Date and time on the instrument."""
        return datetime.now()

    def reset(self) -> None:
        """Settings as after `*RST`."""

    def trigger(self) -> None:
        """What `*TRG` does."""

    def wait(self) -> None:
        """Return when nothing is under way; the lock is free meanwhile."""

    def refuse_if_busy(self) -> None:
        """Raise ScpiError if a command for an idle device comes at the wrong time."""

    def accept(self, command: Command) -> None:
        """Raise ScpiError if the device does not take this command now."""
        if command.idle:
            self.refuse_if_busy()

    def when_done(self, then: Callable[[], None]) -> None:
        """Call `then` once nothing is under way; without waiting."""
        then()

    def post(self, error: ScpiError) -> None:
        """Report an error: in the log and in the standard event register."""
        self.status.event(error.status_bit)
        self.log.post(error.code, error.text)

    def warn(self, code: int, text: str) -> None:
        """Report something that is no error."""
        self.log.post(code, text, EventKind.WARNING)


class Session:
    """One client: takes bytes, hands complete replies to `send`."""

    def __init__(self, device: Device, send: Callable[[bytes], None]) -> None:
        self._device = device
        self._send = send
        self._buffer = bytearray()
        self._overrun = False

    def receive(self, data: bytes) -> None:
        """Take what came over the wire; executes every complete line."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._buffer += line
            self._end_of_line()
        self._buffer += rest
        if len(self._buffer) > LONGEST_LINE:
            self._buffer.clear()
            self._overrun = True

    def _end_of_line(self) -> None:
        line = bytes(self._buffer)
        self._buffer.clear()
        if self._overrun or len(line) > LONGEST_LINE:
            self._overrun = False
            with self._device.lock:
                self._device.post(ScpiError(-363))
            return
        reply = self.execute(line.decode("latin-1"))
        if reply is not None:
            self._send(reply + b"\n")

    def execute(self, line: str) -> bytes | None:
        """Execute a line; the replies of its queries, or None if there are none.

        A command error ends the line, any other error only its command.
        """
        replies: list[bytes] = []
        path = ""
        try:
            for text in split(line, ";"):
                with self._device.lock:
                    path = self._one(text, path, replies)
        except ScpiError as error:
            with self._device.lock:
                self._device.post(error)
        return b";".join(replies) if replies else None

    def _one(self, text: str, path: str, replies: list[bytes]) -> str:
        """Execute one command or query; the header path that it leaves."""
        unit = parse(text)
        if unit is None:
            return path
        header = absolute(unit.header, path)
        try:
            reply = self._run(header, unit)
        except ScpiError as error:
            if -200 < error.code <= -100:
                raise
            self._device.post(error)
        except Exception as error:
            _log.exception("%s failed", text)
            self._device.post(ScpiError(-310, f"{type(error).__name__}: {error}"))
        else:
            if unit.query:
                replies.append(reply if isinstance(reply, bytes) else reply.encode("latin-1"))
        return path_after(header, path)

    def _run(self, header: str, unit: Unit) -> Any:
        command, suffixes = self._device.tree.find(header)
        call = command.ask if unit.query else command.do
        if call is None:
            raise ScpiError(-113)
        kinds = command.asks if unit.query else command.takes
        if not unit.query:
            self._device.accept(command)
        return call(self._device, *suffixes, *read_all(kinds, unit.arguments))
