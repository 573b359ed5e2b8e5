"""The exact calls that the card's driver sends, and what it makes of a server that is not there."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nidaqmx.errors import DaqNotFoundError
from nidaqmx.system import System
from nidaqmx.system.device import Device

from drivers.nidaqmx import NidaqmxDaq, Options
from sicmctl.hal.capabilities import Pause
from sicmctl.hal.errors import InstrumentError, NotConnected, NotSupported

from ...rigs import LabProcess
from .conftest import INPUTS, Call, Wire

UNRESERVE, ABORT = 5, 6
"""DAQmx_Val_Task_Unreserve, DAQmx_Val_Task_Abort."""
HYSTERESIS, LEVEL = 0x1368, 0x1369
"""DAQmx_AnlgLvl_PauseTrig_Hyst, DAQmx_AnlgLvl_PauseTrig_Lvl."""

Sent = tuple[Any, ...]


ARGUMENTS = {
    "CreateAIVoltageChan": ("physical_channel", "min_val", "max_val"),
    "CreateAOVoltageChan": ("physical_channel", "min_val", "max_val"),
    "CreateDOChan": ("lines",),
    "CfgSampClkTiming": ("source", "rate", "samps_per_chan"),
    "ReadAnalogF64": ("num_samps_per_chan",),
    "WriteAnalogF64": ("num_samps_per_chan", "auto_start"),
    "WriteDigitalLines": ("write_array",),
    "TaskControl": ("action_raw",),
    "SetTrigAttributeDouble": ("attribute_raw", "value"),
    "SetTrigAttributeInt32": ("attribute_raw", "value_raw"),
    "SetTrigAttributeString": ("attribute_raw", "value"),
}
"""The arguments that matter."""


def said(call: Call) -> Sent:
    """A call with the arguments that matter."""
    return call.name, *(getattr(call.request, name) for name in ARGUMENTS.get(call.name, ()))


def options(**given: Any) -> Options:
    """Options of the driver, as from a file."""
    return Options.model_validate({"inputs": INPUTS, **given})


def commands(wire: Wire) -> list[Sent]:
    """All that was sent since the last look, but for questions."""
    return [said(call) for call in wire.sent() if not call.name.startswith("Get")]


def questions(wire: Wire) -> int:
    """How many calls only asked for something."""
    return sum(call.name.startswith("Get") for call in wire.sent())


def wave(samples: int) -> np.ndarray:
    return np.linspace(0, 1, samples)[None]


def test_open_reserves_the_inputs_and_moves_nothing(wire: Wire) -> None:
    assert commands(wire) == [
        ("CreateTask",),
        ("CreateAIVoltageChan", "Dev1/ai0", -10, 10),
        ("CreateAIVoltageChan", "Dev1/ai1", -10, 10),
        ("CfgSampClkTiming", "", 50e3, 500_000),
    ]


def test_a_block_is_one_call(wire: Wire) -> None:
    wire.sent()
    wire.daq.start()
    assert commands(wire) == [("StartTask",)]
    wire.daq.read(25)
    wire.daq.read(40)
    calls = wire.sent()
    assert [said(call) for call in calls] == [("ReadAnalogF64", 25), ("ReadAnalogF64", 40)]
    assert calls[0].request.array_size_in_samps == 50
    assert calls[0].request.timeout == pytest.approx(5 + 25 / 50e3)
    wire.daq.stop()
    assert commands(wire) == [("StopTask",)]


def test_a_waveform_is_timed_written_and_started(wire: Wire) -> None:
    wire.daq.start()
    wire.sent()
    z = wire.daq.generator(["ao3", "ao1"])
    assert commands(wire) == [
        ("CreateTask",),
        ("CreateAOVoltageChan", "Dev1/ao3", -10, 10),
        ("CreateAOVoltageChan", "Dev1/ao1", -10, 10),
    ]
    both = np.array([[0.0, 0.5, 1.0], [0.0, -0.5, -1.0]])
    z.play(both)
    calls = wire.sent()
    assert [said(call) for call in calls] == [
        ("CfgSampClkTiming", "/Dev1/ai/SampleClock", 50e3, 3),
        ("WriteAnalogF64", 3, True),
    ]
    assert list(calls[1].request.write_array) == both.ravel().tolist()  # channel by channel
    z.generated()
    assert questions(wire) == 1
    z.halt()
    assert commands(wire) == [("StopTask",)]
    z.halt()
    assert wire.sent() == []


def test_a_waveform_of_the_same_length_is_not_timed_again(wire: Wire) -> None:
    z = wire.daq.generator(["ao3"])
    wire.daq.start()
    z.play(wave(50))
    z.halt()
    wire.sent()
    z.play(wave(50))
    assert commands(wire) == [("WriteAnalogF64", 50, True)]
    z.halt()
    z.play(wave(60))
    assert ("CfgSampClkTiming", "/Dev1/ai/SampleClock", 50e3, 60) in commands(wire)


def test_a_pause_is_armed_once_and_then_only_moved(wire: Wire) -> None:
    z = wire.daq.generator(["ao3"])
    wire.daq.start()
    z.play(wave(50))
    z.halt()
    wire.sent()

    z.play(wave(50), Pause("pipette_current", -1.0, 0.1))
    assert commands(wire) == [
        ("TaskControl", UNRESERVE),
        ("SetTrigAttributeInt32", 0x1366, 10101),  # DAQmx_PauseTrig_Type: AnlgLvl
        ("SetTrigAttributeString", 0x1370, "APFI0"),  # DAQmx_AnlgLvl_PauseTrig_Src
        ("SetTrigAttributeInt32", 0x1371, 10107),  # DAQmx_AnlgLvl_PauseTrig_When: BelowLvl
        ("SetTrigAttributeDouble", HYSTERESIS, 0.1),
        ("SetTrigAttributeDouble", LEVEL, -1.0),
        ("WriteAnalogF64", 50, True),
    ]
    z.halt()
    wire.sent()

    z.play(wave(50), Pause("pipette_current", -1.1, 0.105))  # a tenth more is the same
    assert commands(wire) == [
        ("SetTrigAttributeDouble", LEVEL, -1.1),
        ("WriteAnalogF64", 50, True),
    ]
    z.halt()
    wire.sent()

    z.play(wave(50))  # the way up: the level is where no signal comes
    assert commands(wire)[0] == ("SetTrigAttributeDouble", LEVEL, -10.0)
    z.halt()
    wire.sent()

    z.play(wave(50), Pause("pipette_current", 1.0, 0.1, inverted=True))
    sent = commands(wire)
    assert sent[0] == ("TaskControl", UNRESERVE)
    assert ("SetTrigAttributeInt32", 0x1371, 10093) in sent  # AboveLvl
    z.halt()
    wire.sent()
    z.play(wave(50))
    assert commands(wire)[0] == ("SetTrigAttributeDouble", LEVEL, 10.0)


def test_a_refused_waveform_is_thrown_out_of_the_task(wire: Wire) -> None:
    z = wire.daq.generator(["ao3"])
    wire.daq.start()
    wire.sent()
    with pytest.raises(InstrumentError, match=r"nidaqmx Dev1: play: NI-DAQmx error -200561"):
        z.play(np.array([[0.0, 20.0]]))
    assert commands(wire) == [
        ("CfgSampClkTiming", "/Dev1/ai/SampleClock", 50e3, 2),
        ("WriteAnalogF64", 2, True),
        ("TaskControl", ABORT),
        ("TaskControl", UNRESERVE),
    ]
    z.play(wave(2))  # timed anew, since nobody knows what is left
    assert commands(wire)[0] == ("CfgSampClkTiming", "/Dev1/ai/SampleClock", 50e3, 2)


def test_a_single_sample_is_doubled(wire: Wire) -> None:
    z = wire.daq.generator(["ao3"])
    wire.daq.start()
    wire.sent()
    z.play(np.array([[0.25]]))
    written = next(call for call in wire.sent() if call.name == "WriteAnalogF64")
    assert list(written.request.write_array) == [0.25, 0.25]


def test_host_timed_outputs_and_lines(wire: Wire) -> None:
    wire.sent()
    output = wire.daq.output("ao0")
    assert commands(wire) == [("CreateTask",), ("CreateAOVoltageChan", "Dev1/ao0", -10, 10)]
    output.write(1.5)
    call = next(call for call in wire.sent() if call.name.startswith("Write"))
    assert said(call) == ("WriteAnalogF64", 1, True)
    assert list(call.request.write_array) == [1.5]

    lines = wire.daq.lines(["port0/line0", "port0/line2"])
    assert commands(wire) == [
        ("CreateTask",),
        ("CreateDOChan", "Dev1/port0/line0, Dev1/port0/line2"),
    ]
    lines.write([True, False])
    assert commands(wire) == [("WriteDigitalLines", b"\x01\x00")]


def test_close_clears_every_task_it_made_and_no_other(wire: Wire) -> None:
    wire.daq.generator(["ao3"])
    wire.daq.output("ao0")
    wire.sent()
    wire.daq.close()
    assert commands(wire) == [("ClearTask",)] * 3
    assert wire.virtual.lab.server.card.tasks == {}


def test_safe_state_sends_nothing_when_nothing_runs(wire: Wire) -> None:
    wire.daq.generator(["ao3"])
    wire.sent()
    wire.daq.safe_state()
    assert wire.sent() == []


# -- no server, no card, no driver ----------------------------------------------------------------


def test_a_comparator_that_the_card_lacks_is_refused(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Device, "anlg_trig_supported", property(lambda device: False))
    wired = {"server": wire.virtual.lab.address, "comparator": {"pipette_current": "APFI0"}}
    with pytest.raises(NotSupported) as caught:
        NidaqmxDaq.open(options(**wired))
    assert str(caught.value) == (
        "nidaqmx Dev1: probe comparator: a PCIe-6363 has no analog trigger (leave "
        "[daq.comparator] out of rig.toml and hop with the streamed engine, or use a card with "
        "analog triggers)"
    )
    NidaqmxDaq.open(options(server=wire.virtual.lab.address)).close()


def test_an_unknown_device_lists_those_that_there_are(wire: Wire) -> None:
    asked = options(server=wire.virtual.lab.address, device="Dev7")
    with pytest.raises(NotConnected) as caught:
        NidaqmxDaq.open(asked)
    assert str(caught.value) == (
        'nidaqmx Dev7: connect: no card is named "Dev7"; found Dev1 '
        "(set daq.device in rig.toml to one of those)"
    )


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port on which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_server_that_is_not_there(unused_port: int) -> None:
    server = f"127.0.0.1:{unused_port}"
    with pytest.raises(NotConnected) as caught:
        NidaqmxDaq.open(options(server=server))
    assert caught.value.instrument == "nidaqmx Dev1"
    assert caught.value.command == "connect"
    assert caught.value.problem.startswith(f"no answer from the gRPC server {server}: ")
    assert caught.value.remedy == "check that the server runs and that daq.server names it"


def test_no_driver_and_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> System:
        raise DaqNotFoundError("Could not find an installation of NI-DAQmx.")

    monkeypatch.setattr(System, "local", staticmethod(missing))
    with pytest.raises(NotConnected) as caught:
        NidaqmxDaq.open(options())
    assert str(caught.value) == (
        "nidaqmx Dev1: connect: NI-DAQmx is not installed on this computer "
        "(install it, or set daq.server to an NI gRPC Device Server)"
    )


def test_a_server_that_dies_is_told_by_every_command(tmp_path: Path) -> None:
    with LabProcess(tmp_path / "lab") as lab:
        daq = NidaqmxDaq.open(options(server=lab.address))
        z, output = daq.generator(["ao3"]), daq.output("ao0")
        daq.start()
        z.play(wave(1000))
        daq.read(10)
        lab.kill()
        acts = {
            "read(10)": lambda: daq.read(10),
            "generated": z.generated,
            "halt": z.halt,
            "output 1 V": lambda: output.write(1.0),
            "stop": daq.stop,
            "identify": daq.identify,
        }
        for command, act in acts.items():
            with pytest.raises(NotConnected) as caught:
                act()
            assert caught.value.command == command
            assert f"no answer from the gRPC server {lab.address}" in caught.value.problem
            assert caught.value.remedy == "check that the server runs and that daq.server names it"
        daq.close()


def test_a_channel_that_the_card_lacks_is_told_with_nis_words(wire: Wire) -> None:
    asked = options(server=wire.virtual.lab.address, inputs={"current": "ai77"})
    with pytest.raises(InstrumentError) as caught:
        NidaqmxDaq.open(asked)
    assert caught.value.command == "configure inputs"
    assert caught.value.problem.startswith("NI-DAQmx error -200170: ")
