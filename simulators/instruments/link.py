"""The cable of a virtual instrument: TCP and, where there are any, a pseudo-terminal.

One thread serves both. What an instrument says goes to whoever spoke to it last, as there is
but one cable in truth.
"""

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Protocol, Self

from simulators.instruments.faults import Fault, Faults

try:
    from simulators.instruments.terminal import Terminal
except ImportError:  # Windows
    Terminal = None

CHUNK = 4096


class Instrument(Protocol):
    """What hangs on a link."""

    def attach(self, send: Callable[[bytes], None]) -> None:
        """Send replies there."""
        ...

    def receive(self, data: bytes) -> None:
        """Take bytes from a client."""
        ...

    def power_cycle(self) -> None:
        """Be switched off and on."""
        ...

    def overload(self, duration: float) -> None:
        """Show currents beyond the range for `duration` s."""
        ...

    @property
    def time(self) -> float:
        """On the instrument's clock, s."""
        ...

    def close(self) -> None:
        """End."""
        ...


class Link:
    """Serves one instrument while the context lasts.

    pty: where to put a symbolic link to the pseudo-terminal; None leaves it out. counted: which
    output counts for faults that come after so many packages. address is "tcp host:port".
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        pty: Path | None = None,
        faults: Sequence[Fault] = (),
        counted: Callable[[bytes], bool] = lambda data: True,
        seed: int = 1,
    ) -> None:
        if pty is not None and Terminal is None:
            raise OSError("this system has no pseudo-terminals; leave `pty` out")
        self.instrument = instrument
        self.faults = Faults(faults, lambda: instrument.time, counted, seed)
        self._host, self._port, self._link = host, port, pty
        self._selector = selectors.DefaultSelector()
        self._active: socket.socket | Any | None = None
        self._listener: socket.socket | None = None
        self._terminal: Any = None
        self._clients: set[socket.socket] = set()
        self._closing = threading.Event()
        self._cut = False
        self._orders: list[tuple[float, Callable[[], None]]] = []
        self._order_lock = threading.Lock()
        self._sending = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="instrument link", daemon=True)

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"tcp {self._host}:{self._port}"

    @property
    def pty(self) -> Path | None:
        """The pseudo-terminal's stable name."""
        return self._link

    def __enter__(self) -> Self:
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._wake_up)
        self._plug()
        self.instrument.attach(self.send)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._unplug()
        self._order(lambda: None)
        self._thread.join()
        self._unplug()  # who came in between
        self.instrument.close()
        self._wake.close()
        self._woken.close()

    # -- faults on demand

    def unplug(self, duration: float = 1.0) -> None:
        """Cut the cable and join it again after `duration` s."""
        self._cut = True
        self._order(self._unplug)
        self._order(self._plug, after=duration)

    def reboot(self, duration: float = 1.0) -> None:
        """Cut the power, and with it the connection, for `duration` s."""
        self._cut = True
        self._order(self._unplug)
        self._order(self.instrument.power_cycle)
        self._order(self._plug, after=duration)

    # -- output

    def send(self, data: bytes) -> None:
        """Send what the instrument says, with whatever is to go wrong."""
        for fault in self.faults.due(data):
            self._strike(fault)
        for delay, piece in self.faults.spoil(data):
            if delay and self._closing.wait(delay):
                return
            self._transmit(piece)

    def _strike(self, fault: Fault) -> None:
        if fault.kind == "unplug":
            self.unplug(fault.duration)
        elif fault.kind == "reboot":
            self.reboot(fault.duration)
        elif fault.kind == "overload":
            self.instrument.overload(fault.duration)
        else:
            self.faults.begin(fault)

    def _transmit(self, data: bytes) -> None:
        with self._sending:
            end = self._active
            if end is None or self._cut or not data:
                return
            with contextlib.suppress(OSError, ValueError):
                end.sendall(data)

    # -- the serving thread

    def _order(self, work: Callable[[], None], after: float = 0.0) -> None:
        """Let the serving thread do something, soon or later."""
        with self._order_lock:
            self._orders.append((monotonic() + after, work))
        with contextlib.suppress(OSError):
            self._wake.send(b"\0")

    def _wake_up(self) -> None:
        with contextlib.suppress(OSError):
            self._woken.recv(CHUNK)

    def _run(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(self._pause()):
                with contextlib.suppress(OSError):
                    key.data()
            self._obey()
        self._selector.close()

    def _pause(self) -> float | None:
        with self._order_lock:
            times = [when for when, _ in self._orders]
        return max(0.0, min(times) - monotonic()) if times else None

    def _obey(self) -> None:
        while not self._closing.is_set():
            with self._order_lock:
                due = next((o for o in self._orders if o[0] <= monotonic()), None)
                if due is None:
                    return
                self._orders.remove(due)
            due[1]()

    def _plug(self) -> None:
        """Open the ends of the cable."""
        if self._closing.is_set() or self._listener is not None:
            return
        listener = socket.create_server((self._host, self._port))
        listener.setblocking(False)
        self._port = listener.getsockname()[1]
        self._listener = listener
        self._cut = False
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        if self._link is not None and Terminal is not None:
            terminal = Terminal(self._link, self._closing)
            self._terminal = terminal
            self._selector.register(
                terminal, selectors.EVENT_READ, lambda: self._hear(terminal, terminal.read())
            )
            self._active = terminal

    def _unplug(self) -> None:
        """Close them; a send that hangs comes free."""
        self._active = None
        ends = [self._listener, *self._clients, self._terminal]
        self._clients.clear()
        self._listener = self._terminal = None
        for end in ends:
            if end is not None:
                self._drop(end)

    def _drop(self, end: Any) -> None:
        with contextlib.suppress(KeyError, ValueError, RuntimeError):
            self._selector.unregister(end)
        with contextlib.suppress(OSError):
            if isinstance(end, socket.socket):
                end.shutdown(socket.SHUT_RDWR)
        end.close()

    def _accept(self) -> None:
        listener = self._listener
        if listener is None:
            return
        client, _ = listener.accept()
        client.setblocking(True)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients.add(client)
        self._active = client
        self._selector.register(
            client, selectors.EVENT_READ, lambda: self._hear(client, self._receive(client))
        )

    def _receive(self, client: socket.socket) -> bytes:
        try:
            data = client.recv(CHUNK)
        except OSError:
            data = b""
        if not data:
            self._clients.discard(client)
            if self._active is client:
                self._active = self._terminal
            self._drop(client)
        return data

    def _hear(self, end: Any, data: bytes) -> None:
        if not data or self._cut:
            return
        self._active = end
        if not self.faults.deaf:
            self.instrument.receive(data)
