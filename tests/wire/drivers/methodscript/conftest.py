"""A recorded dialogue: what the driver must send, and what the instrument then says."""

from collections.abc import Callable, Iterator
from time import sleep
from typing import cast

import pytest

import drivers.methodscript.device
from drivers.link import Link
from drivers.methodscript import MethodScript, Options
from drivers.methodscript.device import Device

LOST = "the link is lost"
REOPENED = "the link is opened"
REFUSED = "the link cannot be opened"

HELLO = ["> ?", "< ?!0003", "> ", "< ", "> t", "< tes4_lr1500#Mar 12 2026 14:28:01", "< R*"]
WHO = ["> i", "< iES4LR20B0008", "> v", "< v01.09.00"]
CONNECT = [REOPENED, *HELLO, *WHO]
ABORT_IDLE = ["> ", "> Z", "< Z!0006"]
OFF = ["> e", "> cell_off", "> ", "< e", "< "]


def sending(script: str) -> list[str]:
    """The host's part of sending a script, and the instrument's consent."""
    return ["> e", *(f"> {line}" for line in script.split("\n")), "> ", "< e"]


def saying(text: str) -> list[str]:
    return [f"< {line}" for line in text.split("\n")]


class Tape:
    """A link on which only the recorded dialogue can take place.

    `> ` begins a line that the driver must send next, `< ` one that it is sent.
    """

    is_serial = False
    resource = "tape"

    def __init__(self, *dialogue: str) -> None:
        self._left = list(dialogue)
        self._said: list[str] = []  # but not read yet
        self._open = False

    @property
    def is_open(self) -> bool:
        return self._open

    def open(self) -> None:
        self.close()
        assert self._left, "opened when the dialogue was over"
        what = self._left.pop(0)
        if what == REFUSED:
            raise ConnectionRefusedError(111, "Connection refused")
        assert what == REOPENED
        self._open = True

    def write(self, data: bytes) -> None:
        assert data.endswith(b"\n")
        self._hear()
        for line in data.decode().split("\n")[:-1]:
            assert self._left, f"sent {line!r} when the dialogue was over"
            assert self._left.pop(0) == f"> {line}"

    def line(self, timeout: float) -> bytes | None:
        if not self._said:
            self._hear()
        if self._said:
            return self._said.pop(0).encode("latin-1")
        sleep(min(timeout, 0.01))
        return None

    def _hear(self) -> None:
        """Take in what the instrument says before the driver speaks again."""
        if not self._open:
            raise ConnectionError("the link is closed")
        while self._left and self._left[0].startswith("< "):
            self._said.append(self._left.pop(0)[2:])
        if self._left and self._left[0] == LOST and not self._said:
            self._left.pop(0)
            self.close()
            raise ConnectionResetError(104, "Connection reset by peer")

    def close(self) -> None:
        self._open = False
        self._said.clear()

    @property
    def over(self) -> bool:
        return not self._left and not self._said


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., MethodScript]]:
    """Open the driver on a dialogue that begins after the connection; all of it must happen."""
    monkeypatch.setattr(drivers.methodscript.device, "_DEAF", 0.0)
    tapes: list[Tape] = []

    def play(*dialogue: str, timeout: float = 0.1, reconnect: float = 0.0) -> MethodScript:
        tape = Tape(*CONNECT, *dialogue)
        tapes.append(tape)
        device = Device(cast(Link, tape), timeout)
        device.connect()
        device.learn_serial()
        options = {"resource": "tape", "timeout": f"{timeout} s", "reconnect": f"{reconnect} s"}
        return MethodScript(Options.model_validate(options), device)

    yield play
    for tape in tapes:
        assert tape.over, f"left over: {tape._left}, {tape._said}"
