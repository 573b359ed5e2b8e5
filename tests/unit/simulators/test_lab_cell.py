"""The laboratory with a potentiostat: alone, and beside the card."""

import json
import socket
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import AcquisitionType

from simulators.celltruth import cell_truth
from simulators.config import SimConfig
from simulators.lab import Lab, main

DUMMY = 'schema = 1\n[cell]\nkind = "resistor"\nresistance = "1 kohm"\n[potentiostat]\n'
WAIT = """e
set_pgstat_mode 2
set_e 100m
cell_on
wait 500m
cell_off

"""
"""A MethodSCRIPT that holds 0.1 V for half a second."""


def sim(model: str, more: str = "") -> SimConfig:
    return SimConfig.parse(f'{DUMMY}model = "{model}"\n{more}')


class Talk:
    """A client on a socket."""

    def __init__(self, lab: Lab) -> None:
        host, port = lab.served.address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=10)
        self._file = self._socket.makefile("rwb")

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def say(self, text: str) -> None:
        self._file.write(text.encode())
        self._file.flush()

    def hear(self) -> str:
        return self._file.readline().decode()


@pytest.mark.parametrize(
    ("model", "question", "answer", "driver", "resource"),
    [
        ("emstat4-hr", "t\n", "tes4_hr", "methodscript", "socket://"),
        ("keithley-2450", "*IDN?\n", "KEITHLEY", "keithley-2450", "TCPIP0::"),
        ("rodeostat", '{"command":"getVersion"}\n', '{"success"', "rodeostat", "socket://"),
    ],
)
def test_a_potentiostat_stands_alone(
    model: str, question: str, answer: str, driver: str, resource: str
) -> None:
    with Lab(sim(model)) as lab:
        rig = tomllib.loads(lab.rig.read_text(encoding="utf-8"))
        assert set(rig) == {"schema", "title", "potentiostat", "safety"}
        assert rig["potentiostat"]["driver"] == driver
        assert rig["potentiostat"]["resource"] == lab.resource
        assert lab.resource.startswith(resource)
        assert lab.addresses == {"potentiostat": lab.resource}
        with Talk(lab) as talk:
            talk.say(question)
            assert talk.hear().startswith(answer)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_pseudo_terminal_is_named_in_rig_toml(tmp_path: Path) -> None:
    link = tmp_path / "emstat"
    with Lab(sim("emstat4-lr", f"pty = {json.dumps(str(link))}")) as lab:
        rig = tomllib.loads(lab.rig.read_text(encoding="utf-8"))
        assert rig["potentiostat"]["resource"] == str(link)
        assert link.is_symlink()
        assert lab.addresses["potentiostat_tcp"] == lab.served.address
    assert not link.is_symlink()


def test_alone_and_in_lockstep_time_is_free(tmp_path: Path) -> None:
    truth = tmp_path / "truth.h5"
    with Lab(sim("emstat4-lr"), truth=truth) as lab, Talk(lab) as talk:
        talk.say(WAIT.replace("500m", "3600"))
        while talk.hear() != "\n":
            pass
    cell = cell_truth(truth)
    assert cell["time"][-1] == pytest.approx(3600, abs=1)
    assert cell["charge"][-1] == pytest.approx(0.36, rel=1e-3)
    assert cell["potential"][-1] == pytest.approx(0.1, abs=1e-4)
    assert np.all(np.diff(cell["time"]) >= 0.1)


def on_card(lab: Lab, seconds: float, while_it_runs: Callable[[], None]) -> None:
    """Read the card for so long."""
    with grpc.insecure_channel(lab.address) as channel:
        options = nidaqmx.GrpcSessionOptions(channel, "")
        reading: Any = nidaqmx.Task(grpc_options=options)
        with reading as task:
            task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
            task.timing.cfg_samp_clk_timing(50e3, sample_mode=AcquisitionType.CONTINUOUS)
            task.start()
            task.read(50)
            while_it_runs()
            for _ in range(round(seconds / 0.01)):
                task.read(500)


def test_beside_a_card_time_is_the_cards(tmp_path: Path) -> None:
    config = SimConfig.parse(
        DUMMY + 'model = "emstat4-lr"\n[sample]\nkind = "flat"\nsize = "2 um"\npoints = 16\n'
    )
    truth = tmp_path / "truth.h5"
    with Lab(config, truth=truth) as lab, Talk(lab) as talk:
        rig = tomllib.loads(lab.rig.read_text(encoding="utf-8"))
        assert {"daq", "amplifier", "piezo", "potentiostat"} <= set(rig)

        def start() -> None:
            talk.say(WAIT)
            assert talk.hear() == "e\n"  # its first wait is for the card

        on_card(lab, 0.3, start)
        assert 0.2 < lab.front.clock.time < 0.4
        on_card(lab, 0.4, lambda: None)
        assert talk.hear() == "\n"
    assert 0.4 < cell_truth(truth)["time"][-1] < 0.6


def test_the_program_announces_the_potentiostat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.lab._serve", lambda until_stdin_closes: None)
    path = tmp_path / "sim.toml"
    path.write_text(f'{DUMMY}model = "rodeostat"\n', encoding="utf-8")
    assert main([str(path), "--json"]) == 0
    ready = json.loads(capsys.readouterr().out)
    assert ready["potentiostat"].startswith("socket://127.0.0.1:")
    assert "daq" not in ready
    assert main([str(path)]) == 0
    assert "potentiostat" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scanner = false", "nothing in the rig"),
        ('[potentiostat]\nmodel = "analog"\n[sample]\n', "set daq.analog_outputs"),
        ('[potentiostat]\nmodel = "generic"\n', "generic"),
    ],
)
def test_rigs_that_cannot_be_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimConfig.parse(text)


@pytest.mark.parametrize(
    ("text", "scanner"),
    [
        ("", True),
        ('[cell]\nkind = "rc"', False),
        ("[potentiostat]", False),
        ("[potentiostat]\n[sample]", True),
        ("[potentiostat]\n[daq]", True),
        ('[potentiostat]\nmodel = "analog"\n[daq]', False),
        ("scanner = true\n[potentiostat]", True),
    ],
)
def test_a_scanner_is_there_if_it_is_spoken_of(text: str, scanner: bool) -> None:
    config = SimConfig.parse(text)
    assert config.scanner is scanner
    assert SimConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config
