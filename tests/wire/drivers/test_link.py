"""The line-based link: sockets, serial ports, and their end."""

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.link import Link, _address, _port
from simulators.cellconfig import PotentiostatConfig, ResistorCell
from simulators.clocks import FreeClock
from simulators.frontend import FrontEnd
from simulators.instruments.methodscript import serve
from simulators.world.cell import make_cell


class Peer:
    """The other end of one connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.link = Link(f"socket://127.0.0.1:{self._listener.getsockname()[1]}", timeout=2)
        opening = threading.Thread(target=self.link.open)
        opening.start()
        self.end, _ = self._listener.accept()
        opening.join()

    def close(self) -> None:
        self.link.close()
        self.end.close()
        self._listener.close()


@pytest.fixture
def peer() -> Iterator[Peer]:
    found = Peer()
    yield found
    found.close()


def test_lines_come_whole_however_they_are_cut(peer: Peer) -> None:
    peer.end.sendall(b"abc\r\nd\x13e")
    assert peer.link.line(5) == b"abc"
    assert peer.link.line(0.01) is None
    peer.end.sendall(b"f\n\ng")
    assert [peer.link.line(5), peer.link.line(5), peer.link.line(0)] == [b"def", b"", None]


def test_what_is_written_arrives(peer: Peer) -> None:
    peer.link.write(b"t\n")
    assert peer.end.recv(10) == b"t\n"


def test_lines_that_came_before_the_end_are_still_read(peer: Peer) -> None:
    peer.end.sendall(b"last\nhalf")
    assert peer.link.line(5) == b"last"
    peer.end.close()
    with pytest.raises(OSError, match="closed the connection"):
        peer.link.line(5)


def test_text_without_end_is_no_text(peer: Peer) -> None:
    sender = threading.Thread(target=_flood, args=(peer.end,))
    sender.start()
    with pytest.raises(OSError, match="without a line end"):
        while True:
            peer.link.line(5)
    peer.link.close()
    sender.join()


def _flood(end: socket.socket) -> None:
    try:
        end.sendall(b"x" * (1 << 21))
    except OSError:
        return  # nobody listens any more


def test_a_closed_link_says_so(peer: Peer) -> None:
    peer.link.close()
    peer.link.close()
    assert not peer.link.is_open
    with pytest.raises(OSError, match="the link is closed"):
        peer.link.write(b"x")


def test_opening_finds_out_whether_anybody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError):
        Link(f"TCPIP0::127.0.0.1::{port}::SOCKET").open()
    with pytest.raises(OSError, match="no-such-port"):
        Link("/dev/no-such-port").open()


@pytest.mark.parametrize(
    ("resource", "address"),
    [
        ("socket://127.0.0.1:5025", ("127.0.0.1", 5025)),
        ("tcp://rig.local:7", ("rig.local", 7)),
        ("socket://[::1]:7", ("::1", 7)),
        ("TCPIP0::10.0.0.2::5025::SOCKET", ("10.0.0.2", 5025)),
        ("tcpip::10.0.0.2::5025::socket", ("10.0.0.2", 5025)),
        ("ASRL/dev/ttyACM0::INSTR", None),
        ("/dev/ttyUSB0", None),
        ("COM3", None),
    ],
)
def test_resources_of_the_network(resource: str, address: tuple[str, int] | None) -> None:
    assert _address(resource) == address
    assert Link(resource).is_serial == (address is None)


@pytest.mark.parametrize(
    ("resource", "port"),
    [
        ("ASRL/dev/ttyACM0::INSTR", "/dev/ttyACM0"),
        ("ASRLCOM3::INSTR", "COM3"),
        ("ASRLCOM3", "COM3"),
        ("ASRL3::INSTR", "COM3" if sys.platform == "win32" else "3"),
        ("/dev/ttyUSB0", "/dev/ttyUSB0"),
        ("COM3", "COM3"),
    ],
)
def test_serial_ports(resource: str, port: str) -> None:
    assert _port(resource) == port


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
def test_a_serial_port_and_its_unplugging(tmp_path: Path) -> None:
    config = PotentiostatConfig(pty=tmp_path / "tty")
    front = FrontEnd(make_cell(ResistorCell()), config, FreeClock())
    with serve(front, config) as server:
        link = Link(f"ASRL{server.pty}::INSTR", baud_rate=230_400, xonxoff=True, timeout=2)
        link.open()
        link.write(b"i\n")
        assert link.line(5) == b"iVIRTUAL001"
        assert link.line(0.01) is None
        server.link.unplug(0.05)
        with pytest.raises(OSError):
            while link.line(5) is not None:
                pass
        link.close()
