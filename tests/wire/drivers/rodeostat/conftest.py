"""The driver on a recorded dialogue, and what all dialogues have in common."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import drivers.rodeostat.instrument
from drivers.rodeostat import Rodeostat

from ..tape import OPENED, Tape


def ask(command: str, response: dict[str, Any] | None = None, **values: Any) -> list[str]:
    """A command as it is sent, and the reply to it."""
    sent = json.dumps({"command": command} | values, separators=(",", ":"))
    pad = " " if (len(sent) + 1) % 64 == 0 else ""
    reply = {"success": True, "response": {"command": command} | (response or {})}
    return [f"> {pad}{sent}", "< " + json.dumps(reply, separators=(",", ":"))]


def sample(t: int, v: float, i: float, more: str = "") -> str:
    return f'< {{"t":{t},"v":{v},"i":{i}{more}}}'


HELLO = [
    '> {"command":"getVariant"}',
    '< {"success":true,"response":{"command":"getVariant","variant":"10V_microAmpV0.2"}}',
    '> {"command":"getVersion"}',
    '< {"success":true,"response":{"command":"getVersion","version":"FW0.1.0"}}',
    '> {"command":"getDeviceId"}',
    '< {"success":true,"response":{"command":"getDeviceId","deviceId":7}}',
]
IS_OFF = ask("getAllElectConnected", {"connected": False})
IS_ON = ask("getAllElectConnected", {"connected": True})
CONNECT = [OPENED, *HELLO, *IS_OFF]
STOP = [*ask("stopTest"), "< {}"]
OFF = [
    *STOP,
    *ask("setAllElectConnected", {"connected": False}, connected=False),
    *ask("getCtrElectConnected", {"connected": False}),
]
LISTEN = [
    *ask("setRefElectConnected", {"connected": True}, connected=True),
    *ask("setWrkElectConnected", {"connected": True}, connected=True),
]

Replay = Callable[..., Rodeostat]


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    """Open the driver on a dialogue that begins after the connection; all of it must happen."""
    tapes: list[Tape] = []

    def play(*dialogue: str, connect: list[str] = CONNECT, **options: str) -> Rodeostat:
        tape = Tape(*connect, *dialogue)
        tapes.append(tape)
        monkeypatch.setattr(drivers.rodeostat.instrument, "Link", lambda resource: tape)
        given = {"resource": "tape", "timeout": "0.05 s"} | options
        return Rodeostat.open(Rodeostat.Options.model_validate(given))

    yield play
    for tape in tapes:
        assert not tape.left
