"""Lines of text to and from an instrument, over a serial port or a socket.

Whatever goes wrong on the way is an OSError: the link is then lost, and must be opened again.
"""

import re
import socket
import sys
from collections import deque
from time import monotonic
from typing import Protocol

_LONGEST = 1 << 20
"""Bytes without a line end after which what comes is no text."""
_CHUNK = 1 << 16

_SOCKET = re.compile(r"(?:socket|tcp)://(?P<host>.+):(?P<port>\d+)/?", re.IGNORECASE)
_VISA_SOCKET = re.compile(r"TCPIP\d*::(?P<host>.+)::(?P<port>\d+)::SOCKET", re.IGNORECASE)
_VISA_SERIAL = re.compile(r"ASRL(?P<port>.+?)(?:::INSTR)?", re.IGNORECASE)


class _Wire(Protocol):
    """Bytes to and from somewhere."""

    def send(self, data: bytes) -> None: ...

    def receive(self, timeout: float) -> bytes:
        """Return what came, as soon as anything did; b"" after `timeout` s without."""
        ...

    def close(self) -> None: ...


class Link:
    """A line-based link that can be opened again. Not thread-safe: its owner holds the lock.

    resource: `socket://host:port`, VISA's `TCPIP0::host::port::SOCKET` and `ASRL<port>::INSTR`, or
        a serial port as the system names it.
    baud_rate, xonxoff, rtscts: of a serial port.
    timeout: for opening and for writing, s.
    """

    def __init__(
        self,
        resource: str,
        baud_rate: int = 115200,
        xonxoff: bool = False,
        rtscts: bool = False,
        timeout: float = 3.0,
    ) -> None:
        self.resource = resource
        self.baud_rate, self.xonxoff, self.rtscts = baud_rate, xonxoff, rtscts
        self._timeout = timeout
        self._wire: _Wire | None = None
        self._partial = b""
        self._lines: deque[bytes] = deque()

    @property
    def is_serial(self) -> bool:
        """Whether it goes over a serial port, whose speed matters."""
        return _address(self.resource) is None

    @property
    def is_open(self) -> bool:
        return self._wire is not None

    def open(self) -> None:
        """Open it, anew if it was open. Raises OSError if there is nothing at the other end."""
        self.close()
        address = _address(self.resource)
        if address is None:
            self._wire = _SerialWire(
                _port(self.resource), self.baud_rate, self.xonxoff, self.rtscts, self._timeout
            )
        else:
            self._wire = _SocketWire(address, self._timeout)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises OSError if the link is lost."""
        self._open_wire().send(data)

    def line(self, timeout: float) -> bytes | None:
        """Return the next line without its end; None if none came within `timeout` s.

        Carriage returns and other control characters are left out: flow control may put them in.
        Raises OSError if the link is lost.
        """
        wire, deadline = self._open_wire(), monotonic() + timeout
        while not self._lines:
            left = deadline - monotonic()
            self._split(wire.receive(max(left, 0.0)))
            if left <= 0 and not self._lines:
                return None
        return self._lines.popleft()

    def close(self) -> None:
        """Let go of it, with what was not read. Harmless if it is closed."""
        wire, self._wire = self._wire, None
        self._partial = b""
        self._lines.clear()
        if wire is not None:
            wire.close()

    def _open_wire(self) -> _Wire:
        if self._wire is None:
            raise ConnectionError("the link is closed")
        return self._wire

    def _split(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > _LONGEST:
            raise ConnectionError(f"{_LONGEST} bytes came without a line end")
        self._lines.extend(line.translate(None, _CONTROLS) for line in lines)


_CONTROLS = bytes(range(0x20))


class _SocketWire:
    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self._timeout = timeout
        self._socket = socket.create_connection(address, timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self._socket.settimeout(self._timeout)
        self._socket.sendall(data)

    def receive(self, timeout: float) -> bytes:
        self._socket.settimeout(timeout)  # 0 asks what is there
        try:
            data = self._socket.recv(_CHUNK)
        except (TimeoutError, BlockingIOError):
            return b""
        if not data:
            raise ConnectionError("the other end closed the connection")
        return data

    def close(self) -> None:
        self._socket.close()


class _SerialWire:
    def __init__(
        self, port: str, baud_rate: int, xonxoff: bool, rtscts: bool, timeout: float
    ) -> None:
        import serial  # noqa: PLC0415  (only those who use a port need it)

        self._port = serial.serial_for_url(
            port, baud_rate, xonxoff=xonxoff, rtscts=rtscts, write_timeout=timeout
        )

    def send(self, data: bytes) -> None:
        self._port.write(data)

    def receive(self, timeout: float) -> bytes:
        self._port.timeout = timeout
        return self._port.read(max(1, self._port.in_waiting))

    def close(self) -> None:
        self._port.close()


def _address(resource: str) -> tuple[str, int] | None:
    match = _SOCKET.fullmatch(resource) or _VISA_SOCKET.fullmatch(resource)
    return (match["host"].strip("[]"), int(match["port"])) if match else None


def _port(resource: str) -> str:
    match = _VISA_SERIAL.fullmatch(resource)
    name = match["port"] if match else resource
    if name.isdigit() and sys.platform == "win32":
        return f"COM{name}"  # VISA counts Windows' ports
    return name
