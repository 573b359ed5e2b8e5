"""The maker's own client over a pseudo-terminal, TCP, faults and random input."""

import json
import socket
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.instruments.rodeostat import Server, serve
from simulators.instruments.rodeostat.commands import COMMANDS
from simulators.instruments.rodeostat.techniques import TECHNIQUES

RELAXED = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong before the sample with the number `after`."""

    kind: str
    after: int
    at: float | None = None
    duration: float = 0.05


@dataclass(frozen=True)
class Config:
    """Where to listen."""

    pty: Path | None = None
    faults: tuple[Fault, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0


@pytest.fixture
def served(bench: Any, tmp_path: Path) -> Iterator[Server]:
    pty = tmp_path / "rodeostat" if sys.platform != "win32" else None
    with serve(bench.port, Config(pty)) as server:
        yield server


def connect(server: Server) -> socket.socket:
    port = int(server.address.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def lines(client: socket.socket) -> Iterator[Any]:
    with client.makefile("rb") as file:
        for line in file:
            yield json.loads(line)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_the_makers_client(served: Server) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        potentiostat = pytest.importorskip("potentiostat")
    client = potentiostat.Potentiostat(str(served.pty))
    assert client.hardware_variant == "10V_microAmpV0.2"
    assert client.get_all_curr_range() == ["1uA", "10uA", "100uA", "1000uA"]
    assert client.set_curr_range("1000uA") == "1000uA"
    client.set_sample_rate(100)
    assert client.get_sample_period() == 10
    client.set_all_elect_connected(True)
    assert client.set_volt(0.5) == pytest.approx(0.5, abs=1e-3)
    assert client.get_curr() == pytest.approx(500, abs=1)
    param = {
        "quietValue": 0.0,
        "quietTime": 50,
        "amplitude": 0.5,
        "offset": 0.0,
        "period": 1000,
        "numCycles": 2,
        "shift": 0.0,
    }
    times, potentials, currents = client.run_test("cyclic", param=param, display=None)
    assert len(times) == 205
    assert times[0] == pytest.approx(0.01)
    assert max(potentials) == pytest.approx(0.5)
    assert currents[10:] == pytest.approx([1e3 * e for e in potentials[10:]], abs=0.01)
    with pytest.raises(OSError, match="test not found"):
        client.get_param("nothing")
    client.close()


def test_over_tcp(served: Server) -> None:
    with connect(served) as client:
        client.sendall(
            b'{"command":"setParam","test":"constant","param":{"value":0.5,"duration":20}}\n'
            b'{"command":"runTest","test":"constant"}\n'
        )
        replies = lines(client)
        assert next(replies)["success"] and next(replies)["success"]
        assert [next(replies).get("t") for _ in range(3)] == [10, 20, None]


@pytest.mark.parametrize(("kind", "good"), [("garbage", 2), ("truncate", 2)])
def test_spoilt_samples(bench: Any, kind: str, good: int) -> None:
    config = Config(faults=(Fault(kind, 1),))
    with serve(bench.port, config) as server, connect(server) as client:
        client.sendall(
            b'{"command":"setParam","test":"constant","param":{"value":0.5,"duration":40}}\n'
            b'{"command":"runTest","test":"constant"}\n'
        )
        with client.makefile("rb") as file:
            said = b""
            while not said.endswith(b"{}\r\n"):
                said += file.readline()
    read = [json.loads(line) for line in said.splitlines()[2:] if is_json(line)]
    assert sum("t" in sample for sample in read) >= good
    assert len(read) < 5


def is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def test_reboot_forgets(bench: Any) -> None:
    with serve(bench.port, Config(faults=(Fault("reboot", 2),))) as server:
        with connect(server) as client:
            client.sendall(
                b'{"command":"setCurrRange","currRange":"100uA"}\n'
                b'{"command":"runTest","test":"constant"}\n'
            )
            while client.recv(4096):
                pass
        with again(server) as client:
            client.sendall(b'{"command":"getCurrRange"}\n')
            assert next(lines(client))["response"]["currRange"] == "1uA"


def again(server: Server) -> socket.socket:
    """Connect as soon as somebody listens."""
    while True:
        try:
            return connect(server)
        except ConnectionRefusedError:
            continue


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**33),
    st.floats(),
    st.sampled_from(["1V", "10uA", *TECHNIQUES]),
    st.lists(st.lists(st.integers(0, 50), max_size=3), max_size=3),
)
KEYS = ["v", "voltRange", "currRange", "test", "param", "samplePeriod", "connected", "deviceId"]
PARAMETERS = st.dictionaries(
    st.sampled_from(["quietTime", "amplitude", "offset", "shift", "step", "window", "value"]),
    VALUES,
)
MESSAGES = st.builds(
    lambda name, rest, param: {"command": name} | rest | param,
    st.sampled_from([name for name in COMMANDS if name not in ("runTest", "stopTest")]),
    st.dictionaries(st.sampled_from(KEYS), VALUES),
    st.one_of(st.just({}), PARAMETERS.map(lambda values: {"param": values})),
)


@RELAXED
@given(data=st.binary(max_size=300))
def test_random_bytes(bench: Any, data: bytes) -> None:
    bench.device.receive(data + b"\n")
    for _ in range(data.count(b"\n") + 1):
        bench.hear()
    assert bench.ask("getVersion")["success"]


@RELAXED
@given(message=MESSAGES)
def test_random_commands(bench: Any, message: dict[str, Any]) -> None:
    bench.send(json.dumps(message).encode())
    assert bench.hear()["response"]["command"] == message["command"]
