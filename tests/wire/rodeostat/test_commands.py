"""Commands and their exact replies."""

from typing import Any

import pytest

from simulators.cellport import Control


@pytest.mark.parametrize(
    ("command", "more", "reply"),
    [
        ("getVersion", "", '"version":"FW0.1.0"'),
        ("getVariant", "", '"variant":"10V_microAmpV0.2"'),
        ("getHardwareVersion", "", '"version":"V0.2"'),
        ("getVolt", "", '"v":-0.0002442'),
        ("setVolt", '"v":0.5', '"v":0.4998779'),
        ("setVolt", '"v":7', '"v":1.0'),
        ("getVoltRange", "", '"voltRange":"1V"'),
        ("setVoltRange", '"voltRange":"10V"', '"voltRange":"10V"'),
        ("setCurrRange", '"currRange":"1000uA"', '"currRange":"1000uA"'),
        ("getCurrRange", "", '"currRange":"1uA"'),
        ("getSamplePeriod", "", '"samplePeriod":10'),
        ("setSamplePeriod", '"samplePeriod":5', '"samplePeriod":5'),
        ("setDeviceId", '"deviceId":7', '"deviceId":7'),
        ("getMuxEnabled", "", '"muxEnabled":false'),
        ("getElectAutoConnect", "", '"autoConnect":true'),
        ("getAllElectConnected", "", '"connected":false'),
        ("getTestDoneTime", '"test":"cyclic"', '"test":"cyclic","testDoneTime":10000'),
        ("getTestDoneTime", '"test":"squareWave"', '"test":"squareWave","testDoneTime":2010'),
        (
            "getParam",
            '"test":"cyclic"',
            '"test":"cyclic","param":{"quietValue":0.0,"quietTime":0,"amplitude":1.0,'
            '"offset":0.0,"period":1000,"numCycles":10,"shift":0.0}',
        ),
        (
            "setParam",
            '"test":"cyclic","param":{"amplitude":0.5,"period":200}',
            '"test":"cyclic","param":{"amplitude":0.5,"period":200}',
        ),
        (
            "getTestNames",
            "",
            '"testNames":["cyclic","sinusoid","constant","squareWave","linearSweep",'
            '"chronoamp","multiStep"]',
        ),
    ],
)
def test_reply(bench: Any, command: str, more: str, reply: str) -> None:
    request = f'{{"command":"{command}"' + (f",{more}" if more else "") + "}"
    expected = f'{{"success":true,"response":{{"command":"{command}",{reply}}}}}\r\n'
    assert bench.raw(request.encode()) == expected.encode()


def test_blanks_do_not_matter(bench: Any) -> None:
    bench.send(b' { "command" : "getVersion " }\r')
    assert bench.hear()["response"] == {"command": "getVersion ", "version": "FW0.1.0"}


@pytest.mark.parametrize(
    ("line", "message", "response"),
    [
        (b"", "unable to parse json", {}),
        (b"nonsense", "unable to parse json", {}),
        (b"[1,2]", "unable to parse json", {}),
        (b"\xff\xfe", "unable to parse json", {}),
        (b"[" * 1999, "unable to parse json", {}),
        (b"{}", "CommandTable: command not found", {}),
        (b'{"command":"fly"}', "command, fly, not found", {}),
        (b'{"command":1}', "command, , not found", {}),
        (b'{"command":"setVolt"}', "json does not contain key: v", {"command": "setVolt"}),
        (
            b'{"command":"setVolt","v":"1"}',
            "unable to convert volt to float",
            {"command": "setVolt"},
        ),
        (
            b'{"command":"setCurrRange"}',
            "json does not contain key: currRange",
            {"command": "setCurrRange"},
        ),
        (
            b'{"command":"setCurrRange","currRange":"2uA"}',
            "currRange, 2uA, not found",
            {"command": "setCurrRange", "currRange": "1uA"},
        ),
        (
            b'{"command":"setSamplePeriod","samplePeriod":0}',
            "json samplePeriod value is too small",
            {"command": "setSamplePeriod"},
        ),
        (
            b'{"command":"setSamplePeriod","samplePeriod":1001}',
            "json samplePeriod value is too large",
            {"command": "setSamplePeriod"},
        ),
        (b'{"command":"runTest"}', "json does not contain key: test", {"command": "runTest"}),
        (
            b'{"command":"runTest","test":"x"}',
            "test not found",
            {"command": "runTest", "test": "x"},
        ),
        (
            b'{"command":"setParam","test":"cyclic"}',
            "key param missing",
            {"command": "setParam", "test": "cyclic"},
        ),
        (
            b'{"command":"setParam","test":"cyclic",'
            b'"param":{"period":1.5,"offset":"a","shift":0.5}}',
            "offset not a float, period not uint32",
            {"command": "setParam", "test": "cyclic", "param": {"shift": 0.5}},
        ),
        (
            b'{"command":"setParam","test":"multiStep","param":{"step":[[10,1]]}}',
            "step item[1] not float",
            {"command": "setParam", "test": "multiStep", "param": {}},
        ),
        (
            b'{"command":"setMuxEnabled","muxEnabled":true}',
            "multiplexer hardware not supported",
            {"command": "setMuxEnabled"},
        ),
    ],
)
def test_refusal(bench: Any, line: bytes, message: str, response: dict[str, Any]) -> None:
    bench.send(line)
    assert bench.hear() == {"success": False, "message": message, "response": response}


def test_electrodes_connect_the_cell(bench: Any) -> None:
    bench.ask("setCurrRange", currRange="1000uA")
    bench.ask("setVolt", v=0.5)
    assert bench.port.mode is Control.OPEN
    assert bench.ask("getCurr")["response"]["i"] == 0.0
    assert bench.ask("getRefVolt")["response"]["r"] == 0.25
    for electrode in ("Ref", "Ctr", "Wrk"):
        assert bench.ask(f"set{electrode}ElectConnected", connected=True)["success"]
    assert bench.ask("getAllElectConnected")["response"]["connected"]
    assert bench.ask("getCurr")["response"]["i"] == pytest.approx(499.8779)
    bench.ask("setAllElectConnected", connected=False)
    assert bench.port.mode is Control.OPEN


def test_a_current_beyond_the_range_stays_at_its_end(bench: Any) -> None:
    bench.ask("setAllElectConnected", connected=True)
    bench.ask("setVolt", v=-0.5)
    assert bench.ask("getCurr")["response"]["i"] == -1.0


def test_pieces_of_lines(bench: Any) -> None:
    for byte in b'{"command":"getVolt"}\n{"command":"getVariant"}\n':
        bench.device.receive(bytes([byte]))
    assert bench.hear()["response"]["command"] == "getVolt"
    assert bench.hear()["response"]["command"] == "getVariant"


def test_power_cycle(bench: Any) -> None:
    bench.ask("setCurrRange", currRange="100uA")
    bench.ask("setDeviceId", deviceId=3)
    bench.device.power_cycle()
    assert bench.ask("getCurrRange")["response"]["currRange"] == "1uA"
    assert bench.ask("getDeviceId")["response"]["deviceId"] == 3
