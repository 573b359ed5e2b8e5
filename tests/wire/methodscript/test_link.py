"""TCP, pseudo-terminal, and what can go wrong on the way."""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulators.cellconfig import FaultConfig, PotentiostatConfig
from simulators.instruments.methodscript import Server, serve

from .conftest import Resistor

HELLO = b'e\nsend_string "hello"\n\n'
CA = (
    b"e\nvar p\nvar c\nset_pgstat_mode 3\ncell_on\nmeas_loop_ca p c 100m 100m 500m\n"
    b"pck_start\npck_add p\npck_end\nendloop\n\n"
)
PACKAGE = b"PdaDF5817Cn\n"


@dataclass
class Client:
    """Reads from a socket with a deadline."""

    socket: socket.socket

    def ask(self, data: bytes, until: bytes) -> bytes:
        self.socket.sendall(data)
        got = b""
        while not got.endswith(until):
            more = self.socket.recv(4096)
            if not more:
                return got
            got += more
        return got


class Rig:
    """Servers and clients of one test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.port = Resistor()

    def serve(self, pty: Path | None = None, **fault: object) -> Server:
        faults = (FaultConfig.model_validate(fault),) if fault else ()
        return self._stack.enter_context(
            serve(self.port, PotentiostatConfig(pty=pty, faults=faults))
        )

    def connect(self, server: Server) -> Client:
        host, _, port = server.address.removeprefix("tcp ").rpartition(":")
        client = socket.create_connection((host, int(port)), timeout=10)
        return Client(self._stack.enter_context(client))

    def reach(self, server: Server) -> Client:
        """Connect to a server that is away at the moment."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(ConnectionError):
                client = self.connect(server)
                if client.ask(b"\ni\n", b"1\n").endswith(b"iVIRTUAL001\n"):
                    return client
        raise TimeoutError


@pytest.fixture
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack)


def test_a_client_over_tcp(rig: Rig) -> None:
    client = rig.connect(rig.serve())
    assert client.ask(b"i\n", b"\n") == b"iVIRTUAL001\n"
    assert client.ask(HELLO, b"\n\n") == b"e\nThello\n\n"
    assert client.ask(CA, b"\n\n") == b"e\nM0007\n" + 5 * PACKAGE + b"*\n\n"


def test_two_clients_see_one_instrument(rig: Rig) -> None:
    server = rig.serve()
    first, second = rig.connect(server), rig.connect(server)
    assert first.ask(b'l\nsend_string "a"\n\n', b"\n") == b"l\n"
    assert second.ask(b"r\n", b"\n\n") == b"r\nTa\n\n"


def test_clients_may_come_and_go(rig: Rig) -> None:
    server = rig.serve()
    for _ in range(3):
        client = rig.connect(server)
        assert client.ask(b"t\n", b"*\n").startswith(b"tes4_lr")
        client.socket.close()


def test_a_server_ends_while_a_script_runs(rig: Rig) -> None:
    rig.port.gate.clear()
    with serve(rig.port, PotentiostatConfig()) as server:
        client = rig.connect(server)
        client.ask(CA, b"M0007\n")


def test_a_client_that_does_not_read_holds_nothing_up(rig: Rig) -> None:
    with serve(rig.port, PotentiostatConfig()) as server:
        client = rig.connect(server)
        client.socket.sendall(CA.replace(b"100m 500m", b"1m 1k"))
        rig.connect(server)


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_a_client_over_a_pseudo_terminal(rig: Rig, tmp_path: Path) -> None:
    name = tmp_path / "dev" / "potentiostat"
    server = rig.serve(pty=name)
    assert server.pty == name and name.is_symlink()
    with name.open("r+b", buffering=0) as terminal:
        terminal.write(HELLO)
        got = b""
        while not got.endswith(b"\n\n"):
            got += terminal.read(100) or b""
        assert got == b"e\nThello\n\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_the_name_goes_with_the_server(tmp_path: Path) -> None:
    name = tmp_path / "potentiostat"
    with serve(Resistor(), PotentiostatConfig(pty=name)):
        assert name.exists()
    assert not name.is_symlink()


def test_garbage(rig: Rig) -> None:
    got = rig.connect(rig.serve(kind="garbage", after=2)).ask(CA, b"*\n\n")
    start, end = b"e\nM0007\n" + 2 * PACKAGE, 3 * PACKAGE + b"*\n\n"
    assert got.startswith(start) and got.endswith(end)
    assert len(got) == len(start) + len(end) + 16


def test_half_a_package(rig: Rig) -> None:
    got = rig.connect(rig.serve(kind="truncate", after=2)).ask(CA, b"*\n\n")
    assert got == b"e\nM0007\n" + 2 * PACKAGE + b"PdaDF5" + 2 * PACKAGE + b"*\n\n"


def test_silence_for_a_while(rig: Rig) -> None:
    got = rig.connect(rig.serve(kind="silence", after=1, duration=0.2)).ask(CA, b"*\n\n")
    assert got == b"e\nM0007\n" + 3 * PACKAGE + b"*\n\n"


def test_overload_for_a_while(rig: Rig) -> None:
    server = rig.serve(kind="overload", at=0.25, duration=0.1)
    script = CA.replace(b"pck_add p", b"pck_add c")
    got = rig.connect(server).ask(script, b"*\n\n").decode().split("\n")
    assert [line.split(",")[1] for line in got if line[:1] == "P"] == ["10"] * 3 + ["12", "10"]


def test_slow_replies(rig: Rig) -> None:
    client = rig.connect(rig.serve(kind="slow", after=0, duration=0.02))
    before = time.monotonic()
    client.ask(CA, b"*\n\n")
    assert time.monotonic() - before > 0.1


def test_the_cable_comes_off_and_back(rig: Rig) -> None:
    server = rig.serve(kind="unplug", after=2, duration=0.05)
    got = rig.connect(server).ask(CA, b"*\n\n")
    assert got == b"e\nM0007\n" + 2 * PACKAGE
    rig.reach(server)


def test_a_reboot_switches_the_cell_off(rig: Rig) -> None:
    server = rig.serve(kind="reboot", after=2, duration=0.05)
    with suppress(ConnectionError):
        rig.connect(server).ask(CA.replace(b"500m", b"1k"), b"*\n\n")
    client = rig.reach(server)
    assert client.ask(b"r\n", b"\n") == b"r!000C\n"
    assert rig.port.mode == "open"


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_the_pseudo_terminal_comes_back_under_its_name(rig: Rig, tmp_path: Path) -> None:
    server = rig.serve(pty=tmp_path / "tty")
    with (tmp_path / "tty").open("rb", buffering=0) as terminal, suppress(OSError):
        server.link.unplug(0.01)
        assert terminal.read(1) == b""  # hung up
    rig.reach(server)
    assert (tmp_path / "tty").exists()
