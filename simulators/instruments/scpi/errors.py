"""Errors of SCPI and the log they are read from."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag

TEXTS = {
    -101: "Invalid character",
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -114: "Header suffix out of range",
    -131: "Invalid suffix",
    -200: "Execution error",
    -213: "Init ignored",
    -221: "Settings conflict",
    -222: "Parameter data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -285: "TSP syntax error",
    -310: "System error",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    1115: "Parameter error: TRACe:MAKE cannot take an existing reading buffer name",
    2790: "Configuration list, error, does not exist",
    1133: "Parameter 4, Syntax error, expected valid name parameters",
}
"""The standard's texts, and a few of Keithley's."""

CAPACITY = 1000
"""Events that the log holds."""


class Kind(IntFlag):
    """What an event is; the sum of kinds chooses some of them."""

    ERROR = 1
    WARNING = 2
    INFORMATION = 4
    ANY = 7


class ScpiError(Exception):
    """Something the client did that the instrument refuses; goes into the log."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        text = TEXTS.get(code, "Device-specific error")
        self.text = f"{text}; {detail}" if detail else text
        super().__init__(f"{code}, {self.text}")

    @property
    def status_bit(self) -> int:
        """The bit of the standard event register that belongs to it."""
        classes = {1: 0x20, 2: 0x10, 4: 0x04}  # command, execution and query errors
        return classes.get(-self.code // 100, 0x08) if self.code < 0 else 0x08


@dataclass(frozen=True)
class Event:
    """One line of the log."""

    code: int
    text: str
    kind: Kind
    at: datetime

    def __str__(self) -> str:
        stamp = self.at.strftime("%Y/%m/%d %H:%M:%S.") + f"{self.at.microsecond // 1000:03d}"
        return f'{self.code},"{self.text};{int(self.kind)};{stamp}"'


NO_ERROR = '0,"No error;0;0 0"'


class EventLog:
    """First in, first out; the last place says that there were more."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._events: deque[Event] = deque()

    def post(self, code: int, text: str, kind: Kind = Kind.ERROR) -> None:
        """Add an event."""
        if len(self._events) >= CAPACITY:
            self._events.pop()
            code, text, kind = -350, TEXTS[-350], Kind.ERROR
        self._events.append(Event(code, text.replace('"', "'"), kind, self._now()))

    def count(self, kinds: Kind = Kind.ERROR) -> int:
        """How many events of these kinds wait."""
        return sum(1 for event in self._events if event.kind & kinds)

    def pop(self, kinds: Kind = Kind.ERROR) -> Event | None:
        """Take the oldest event of these kinds."""
        for event in self._events:
            if event.kind & kinds:
                self._events.remove(event)
                return event
        return None

    def clear(self) -> None:
        """Forget all events."""
        self._events.clear()
