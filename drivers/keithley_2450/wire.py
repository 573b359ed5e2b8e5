"""The ways to the instrument: a plain socket, or whatever VISA reaches.

A socket is opened directly, as VISA takes a connection that was closed for one that is silent.
Whatever goes wrong on the way is an OSError: the link is then lost, and must be opened again.
"""

from time import monotonic
from typing import Any, Protocol

from drivers.link import Link


class Wire(Protocol):
    """Lines of text to and from the instrument."""

    def open(self) -> None:
        """Open it, anew if it was open."""
        ...

    def write(self, data: bytes) -> None: ...

    def line(self, timeout: float) -> bytes | None:
        """Return the next line without its end; None if none came within `timeout` s."""
        ...

    def close(self) -> None: ...


def wire_to(resource: str, timeout: float) -> Wire:
    """Return the way to a resource; it is not opened yet."""
    link = Link(resource, timeout=timeout)
    return VisaWire(resource) if link.is_serial else link


class VisaWire:
    """A USB, GPIB, VXI-11 or serial resource, over the VISA library that there is."""

    def __init__(self, resource: str, library: str = "") -> None:
        self._resource, self._library = resource, library
        self._manager: Any = None
        self._session: Any = None

    def open(self) -> None:
        self.close()
        import pyvisa  # noqa: PLC0415  (only those who use VISA need it)

        try:
            self._manager = pyvisa.ResourceManager(self._library)
            self._session = self._manager.open_resource(
                self._resource, read_termination="\n", write_termination="\n"
            )
        except (pyvisa.Error, ValueError, OSError) as error:
            self.close()
            raise ConnectionError(f"VISA cannot open {self._resource}: {error}") from error

    def write(self, data: bytes) -> None:
        import pyvisa  # noqa: PLC0415

        try:
            self._opened().write_raw(data)
        except pyvisa.Error as error:
            raise ConnectionError(str(error)) from error

    def line(self, timeout: float) -> bytes | None:
        from pyvisa import VisaIOError  # noqa: PLC0415
        from pyvisa.constants import StatusCode  # noqa: PLC0415

        session = self._opened()
        session.timeout = max(1.0, 1e3 * timeout)
        start = monotonic()
        try:
            return session.read().encode("latin-1")
        except VisaIOError as error:
            if error.error_code != StatusCode.error_timeout:
                raise ConnectionError(str(error)) from error
            if monotonic() - start < 0.5 * timeout:
                raise ConnectionError("the other end closed the connection") from error
            return None

    def close(self) -> None:
        manager, self._manager, self._session = self._manager, None, None
        if manager is not None:
            manager.close()

    def _opened(self) -> Any:
        if self._session is None:
            raise ConnectionError("the link is closed")
        return self._session
