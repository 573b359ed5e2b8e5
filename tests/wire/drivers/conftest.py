"""The card's driver, with every call that it sends on record."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

import drivers.nidaqmx
from drivers.nidaqmx import NidaqmxDaq

from ...rigs import Virtual, virtual

INPUTS = {"pipette_current": "ai0", "z_sensor": "ai1"}


@dataclass(frozen=True)
class Call:
    """One call: its name without the service, and the request."""

    name: str
    request: Any


class Recording(grpc.UnaryUnaryClientInterceptor):
    """Keeps every call in the order in which it is sent."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def intercept_unary_unary(
        self, continuation: Any, client_call_details: Any, request: Any
    ) -> Any:
        self.calls.append(Call(client_call_details.method.rsplit("/", 1)[1], request))
        return continuation(client_call_details, request)

    def take(self) -> list[Call]:
        """What was sent since the last look."""
        calls, self.calls = self.calls, []
        return calls


@dataclass
class Wire:
    """An open driver and what it sends."""

    virtual: Virtual
    daq: NidaqmxDaq
    recording: Recording

    def sent(self) -> list[Call]:
        return self.recording.take()


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> Recording:
    found = Recording()
    connect = drivers.nidaqmx._connect

    class Channel:
        """An intercepted channel that can be closed like the one beneath."""

        def __init__(self, server: str) -> None:
            self._bare = connect(server)
            self._channel = grpc.intercept_channel(self._bare, found)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._channel, name)

        def close(self) -> None:
            self._bare.close()

    monkeypatch.setattr(drivers.nidaqmx, "_connect", Channel)
    return found


@pytest.fixture
def wire(tmp_path: Path, recording: Recording) -> Iterator[Wire]:
    with virtual(tmp_path / "lab", network=True) as rig:
        given = {"server": rig.lab.address, "inputs": INPUTS}
        comparator = {"pipette_current": "APFI0"}
        options = NidaqmxDaq.Options.model_validate({**given, "comparator": comparator})
        daq = NidaqmxDaq.open(options)
        try:
            yield Wire(rig, daq, recording)
        finally:
            daq.close()
