"""Serves a SCPI instrument over TCP: many clients, one instrument."""

import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, RLock, Thread
from time import monotonic
from types import TracebackType
from typing import Protocol, Self

from simulators.instruments.faults import Fault, Faults

CHUNK = 4096


class Receiver(Protocol):
    """One client's session."""

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        ...


class Instrument(Protocol):
    """What is served."""

    @property
    def time(self) -> float:
        """On the instrument's clock, s."""
        ...

    def session(self, send: Callable[[bytes], None]) -> Receiver:
        """A new client, whose replies go to `send`."""
        ...

    def power_cycle(self) -> None:
        """Be switched off and on."""
        ...

    def overload(self, duration: float) -> None:
        """Show readings beyond the range for `duration` s."""
        ...

    def close(self) -> None:
        """End whatever is under way."""
        ...


class Server:
    """Each client has a thread and a session of its own; a context manager that leaves none.

    port: 0 takes a free one; hardware uses 5025. dead_socket: port that drops all sessions when
    somebody connects to it (5030 on hardware); None leaves it out.
    """

    def __init__(
        self,
        instrument: Instrument,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        dead_socket: int | None = None,
        faults: Sequence[Fault] = (),
        seed: int = 1,
    ) -> None:
        self.instrument = instrument
        self.faults = Faults(faults, lambda: instrument.time, lambda data: True, seed)
        self.host, self.port, self.dead_socket = host, port, dead_socket
        self._lock = RLock()
        self._closing, self._cut = Event(), Event()
        self._dark_until = 0.0
        self._listeners: list[socket.socket] = []
        self._clients: dict[socket.socket, Thread] = {}
        self._thread = Thread(target=self._serve, name="scpi server", daemon=True)

    @property
    def address(self) -> str:
        """Where clients connect: host:port."""
        return f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._wake, self._woken = socket.socketpair()
        self._plug()
        self._cut.set()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._wake.send(b"\0")
        self._thread.join()
        self.instrument.close()
        threads = list(self._clients.values())
        self.hang_up()
        for thread in threads:
            thread.join()
        for end in (*self._listeners, self._wake, self._woken):
            end.close()

    def hang_up(self) -> None:
        """Drop all sessions."""
        with self._lock:
            for client in self._clients:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)

    def unplug(self, duration: float = 1.0) -> None:
        """Cut the cable and join it again after `duration` s of real time."""
        self._dark_until = monotonic() + duration
        self._cut.clear()
        self._wake.send(b"\0")
        while self._thread.is_alive() and not self._cut.wait(0.1):
            pass
        self.hang_up()

    def reboot(self, duration: float = 1.0) -> None:
        """Cut the power, and with it the connection, for `duration` s."""
        self.unplug(duration)
        self.instrument.power_cycle()

    def _plug(self) -> None:
        listener = socket.create_server((self.host, self.port))
        self.port = listener.getsockname()[1]
        self._listeners = [listener]
        if self.dead_socket is not None:
            dead = socket.create_server((self.host, self.dead_socket))
            self.dead_socket = dead.getsockname()[1]
            self._listeners.append(dead)

    def _serve(self) -> None:
        while not self._closing.is_set():
            pause = self._darkness()
            ready, _, _ = select.select([*self._listeners, self._woken], [], [], pause)
            for end in ready:
                self._attend(end)

    def _darkness(self) -> float | None:
        """Seconds for which the cable stays cut; plugs it in when they are over."""
        if not self._cut.is_set():
            while self._listeners:
                self._listeners.pop().close()
            self._cut.set()
        left = self._dark_until - monotonic()
        if left > 0:
            return left
        if not self._listeners:
            self._plug()
        return None

    def _attend(self, end: socket.socket) -> None:
        if end is self._woken:
            self._woken.recv(CHUNK)
            return
        with suppress(OSError):
            client, _ = end.accept()
            if end is self._listeners[0]:
                self._welcome(client)
            else:
                client.close()
                self.hang_up()

    def _welcome(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = Thread(target=self._talk, args=(client,), name="scpi client", daemon=True)
        with self._lock:
            self._clients[client] = thread
        thread.start()

    def _talk(self, client: socket.socket) -> None:
        session = self.instrument.session(lambda data: self._send(client, data))
        with client, suppress(OSError):
            while data := client.recv(CHUNK):
                if not self.faults.deaf:
                    session.receive(data)
        with self._lock:
            del self._clients[client]

    def _send(self, client: socket.socket, data: bytes) -> None:
        for fault in self.faults.due(data):
            self._strike(fault)
        for delay, piece in self.faults.spoil(data):
            if delay and self._closing.wait(delay):
                return
            client.sendall(piece)

    def _strike(self, fault: Fault) -> None:
        if fault.kind == "unplug":
            self.unplug(fault.duration)
        elif fault.kind == "reboot":
            self.reboot(fault.duration)
        elif fault.kind == "overload":
            self.instrument.overload(fault.duration)
        else:
            self.faults.begin(fault)
