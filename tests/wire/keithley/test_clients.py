"""Clients over TCP: PyVISA, pymeasure, several at once, and what goes wrong on the way."""

import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from simulators.instruments.keithley import Smu
from simulators.instruments.scpi.server import Server

pyvisa = pytest.importorskip("pyvisa")
pytest.importorskip("pyvisa_py")


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong before the reply with the number `after`."""

    kind: str
    after: int = 0
    at: float | None = None
    duration: float = 0.05


Serve = Callable[..., Server]
Open = Callable[..., Any]


@pytest.fixture
def serve(make: Any) -> Iterator[Serve]:
    servers: list[Server] = []

    def start(*faults: Fault, **options: Any) -> Server:
        bench = make()
        servers.append(Server(bench.smu, faults=faults, **options).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture
def visa() -> Iterator[Open]:
    manager = pyvisa.ResourceManager("@py")

    def connect(server: Server, timeout: float = 2000.0) -> Any:
        return manager.open_resource(
            f"TCPIP0::127.0.0.1::{server.port}::SOCKET",
            read_termination="\n",
            write_termination="\n",
            timeout=timeout,
        )

    yield connect
    manager.close()


def test_pymeasure_drives_it(serve: Serve) -> None:
    keithley = pytest.importorskip("pymeasure.instruments.keithley")
    server = serve()
    smu = keithley.Keithley2450(
        f"TCPIP0::127.0.0.1::{server.port}::SOCKET",
        visa_library="@py",
        read_termination="\n",
        write_termination="\n",
    )
    assert smu.id == "KEITHLEY INSTRUMENTS,MODEL 2450,04123456,1.7.12b"
    smu.reset()
    smu.apply_voltage(compliance_current=0.1)
    assert smu.source_mode == "voltage"
    smu.measure_current(nplc=0.1)
    smu.source_voltage = 0.5
    smu.enable_source()
    assert smu.source_enabled
    assert smu.current == pytest.approx(5e-4)
    smu.current_range = 1e-3
    assert (smu.current_range, smu.current_nplc) == (1e-3, 0.1)
    assert smu.compliance_current == pytest.approx(0.1)
    smu.measure_voltage()
    assert smu.voltage == pytest.approx(0.5)
    smu.wires = 4
    assert (smu.wires, smu.source_enabled) == (4, False)
    smu.apply_current(compliance_voltage=2)
    smu.source_current = 1e-3
    smu.enable_source()
    assert smu.voltage == pytest.approx(1.0)
    smu.write("NONSENSE 1")
    assert smu.check_errors()[0][0] == -113
    smu.shutdown()
    assert not smu.source_enabled
    assert smu.check_errors() == []
    smu.adapter.close()
    smu.adapter.manager.close()


def test_several_clients_see_one_instrument(serve: Serve, visa: Open) -> None:
    server = serve()
    first, second = visa(server), visa(server)
    first.write(":SOUR:VOLT 1.5")
    assert first.query("*OPC?") == "1"
    assert second.query(":SOUR:VOLT?") == "1.500000E+00"
    first.write(":SOUR:VO")  # a session's half line is its own
    assert second.query("*OPC?") == "1"
    second.write("NONSENSE")
    assert second.query("*OPC?") == "1"
    first.clear()
    assert first.query(":SYST:ERR:COUN?") == "2"


def test_traps_of_pyvisa(serve: Serve, visa: Open) -> None:
    server = serve()
    client = visa(server)
    client.timeout = 100
    with pytest.raises(pyvisa.VisaIOError):
        client.query("FOO?")
    client.timeout = 2000
    assert client.query(":SYST:ERR:CODE?") == "-113"
    client.write_termination = "\r\n"
    assert client.query("*OPC?") == "1"
    long = ":SOUR:LIST:VOLT " + ",".join(["1.234567890123"] * 100)
    assert client.query(long + ";:SOUR:LIST:VOLT:POIN?") == "100"


def test_a_wait_holds_the_reply_back(serve: Serve, visa: Open) -> None:
    client = visa(serve())
    client.write(":SOUR:VOLT:ILIM 1;:SOUR:SWE:VOLT:LIN 0,1,11,0,1,AUTO,ON,OFF,'defbuffer1'")
    client.write(":TRAC:CLE 'defbuffer1';:INIT")
    client.write("*WAI")
    values = client.query_ascii_values(":TRACe:DATA? 1, 11, 'defbuffer1'")
    assert len(values) == 11
    client.write(":FORM REAL")
    client.write(":TRAC:DATA? 1,11")
    binary = client.read_bytes(2 + 11 * 8 + 1)  # a block of no stated length
    assert struct.unpack("<11d", binary[2:-1]) == pytest.approx(values)


def test_the_dead_socket_port_drops_all_sessions(serve: Serve) -> None:
    server = serve(dead_socket=0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(b"*OPC?\n")
        assert client.recv(10) == b"1\n"
        assert server.dead_socket
        socket.create_connection(("127.0.0.1", server.dead_socket), timeout=5).close()
        assert client.recv(10) == b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(b"*OPC?\n")
        assert client.recv(10) == b"1\n"


def test_spoilt_replies(serve: Serve) -> None:
    server = serve(Fault("garbage", 1), Fault("truncate", 2), Fault("slow", 3))
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        replies = []
        for _ in range(4):
            client.sendall(b"*IDN?\n")
            replies.append(client.recv(4096))
    good = b"KEITHLEY INSTRUMENTS,MODEL 2450,04123456,1.7.12b\n"
    assert replies == [good, replies[1], good[: len(good) // 2], good]
    assert replies[1].endswith(good) and len(replies[1]) > len(good)


def test_silence(serve: Serve, visa: Open) -> None:
    client = visa(serve(Fault("silence", 1, duration=0.3)), timeout=100)
    assert client.query("*OPC?") == "1"
    with pytest.raises(pyvisa.VisaIOError):
        client.query("*OPC?")


@pytest.mark.parametrize(
    ("kind", "level"), [("unplug", "1.500000E+00"), ("reboot", "0.000000E+00")]
)
def test_gone_and_back(serve: Serve, kind: str, level: str) -> None:
    server = serve(Fault(kind, 1))
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(b":SOUR:VOLT 1.5;*OPC?\n")
        assert client.recv(10) == b"1\n"
        client.sendall(b"*OPC?\n")
        assert client.recv(10) in (b"", b"1\n")
        assert client.recv(10) == b""
    with again(server.port) as client:
        client.sendall(b":SOUR:VOLT?\n")
        assert client.recv(20).decode() == level + "\n"


def again(port: int) -> socket.socket:
    """Connect as soon as somebody listens."""
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except ConnectionRefusedError:
            continue


def test_closing_ends_a_reading_that_waits_for_ever(make: Any) -> None:
    bench = make()
    smu: Smu = bench.smu
    with Server(smu) as server:
        bench.ask(":OUTP ON")
        bench.port.gate.clear()
        client = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        client.sendall(b":READ?\n")
        assert bench.port.waiting.wait(5)
    client.close()


def test_a_power_cut_ends_a_reading_that_waits_for_ever(serve: Serve) -> None:
    server = serve()
    smu = server.instrument
    assert isinstance(smu, Smu)
    smu.port.gate.clear()  # type: ignore[attr-defined]
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(b":OUTP ON;:READ?\n")
        assert smu.port.waiting.wait(5)  # type: ignore[attr-defined]
        server.reboot(0.01)
        assert client.recv(10) == b""
    smu.port.gate.set()  # type: ignore[attr-defined]
    with again(server.port) as client:
        client.sendall(b":OUTP ON;:READ?\n")
        assert client.recv(20) == b"0.000000E+00\n"
