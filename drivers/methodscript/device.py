"""Talks to one instrument: commands, scripts, and what comes back."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.link import Link
from sicmctl.hal.capabilities import Identity
from sicmctl.hal.errors import InstrumentError, NoAnswer, NotSupported, UnexpectedState

from .kinds import KINDS, Kind
from .meanings import meaning

_DEAF = 0.1
"""Seconds for which an instrument ignores what it is told after an error, and a little more."""
_BUSY = 0x0006
_ERROR = re.compile(r"(?P<first>.?)!(?P<code>[0-9A-Fa-f]{4})(?:: ?(?P<where>.*))?")
OFF = ("cell_off",)
"""The script that opens the cell."""
_LINE = re.compile(r"Line (\d+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """An error line. line: of the script, from 1; 0 if it does not say."""

    code: int
    where: str = ""

    @property
    def line(self) -> int:
        match = _LINE.search(self.where)
        return int(match[1]) if match else 0


def fault(line: str) -> Fault | None:
    """Read an error line such as `e!4001: Line 3, Col 10`; None if it is none."""
    match = _ERROR.fullmatch(line)
    return Fault(int(match["code"], 16), match["where"] or "") if match else None


class ScriptFailed(InstrumentError):
    """The instrument refused a script, or ended it with an error. code: its error number."""

    def __init__(self, name: str, found: Fault, script: Sequence[str], running: bool) -> None:
        self.code = found.code
        what = meaning(found.code)
        if 0 < found.line <= len(script):
            what += f" at line {found.line}, `{script[found.line - 1]}`"
        problem = f"it stopped: {what}" if running else f"it refused the script: {what}"
        remedy = "lower the current or choose a higher range" if found.code == 0x0032 else ""
        super().__init__(name, "run a script", problem, remedy)


class Device:
    """One instrument at the end of a link. Not thread-safe.

    timeout: s in which an answer must come. A link that is lost raises OSError from any method.
    """

    def __init__(self, link: Link, timeout: float) -> None:
        self._link, self._timeout = link, timeout
        self.kind: Kind = KINDS["es4_lr"]
        self.identity = Identity("PalmSens", "MethodSCRIPT potentiostat")

    @property
    def name(self) -> str:
        """As the operator knows it."""
        return f"{self.identity.model} at {self._link.resource}"

    def connect(self) -> None:
        """Open the link and learn who is there. Changes nothing on the instrument.

        Raises OSError if nothing is there, NoAnswer if what is there does not answer.
        """
        self._link.open()
        # Were half a script waiting for its rest, this would spoil it rather than start it.
        self._link.write(b"?\n")
        time.sleep(_DEAF)
        self._link.write(b"\n")
        firmware = self._firmware()
        code = firmware[:6]
        if code not in KINDS:
            raise NotSupported(
                self._link.resource,
                "connect",
                f"it says it is `{firmware}`, which is no instrument known here",
                f"known are those whose answer to t begins with {', '.join(KINDS)}",
            )
        self.kind = KINDS[code]
        self.identity = Identity("PalmSens", self.kind.name, "", firmware[6:].replace("#", " "))

    def learn_serial(self) -> None:
        """Complete the identity. Raises UnexpectedState if a script is running."""
        reply = self.ask("i")
        found = fault(reply)
        if found is not None and found.code == _BUSY:
            raise UnexpectedState(
                self.name,
                "connect",
                "a script is running on it, so the cell may be on",
                "wait until it has ended, or set abort_running = true to abort it",
            )
        if found is not None:
            raise InstrumentError(self.name, "ask for the serial number", meaning(found.code))
        version = self.ask("v")
        script = "" if fault(version) else f", MethodSCRIPT {version[1:]}"
        self.identity = Identity(
            "PalmSens", self.kind.name, reply[1:], self.identity.firmware + script
        )

    def close(self) -> None:
        self._link.close()

    @property
    def is_open(self) -> bool:
        return self._link.is_open

    # -- exchanges

    def ask(self, command: str) -> str:
        """Send a one-line command; return its reply with the echoed first letter.

        What a running script says meanwhile is lost.
        """
        self._link.write(command.encode() + b"\n")
        reply = self._reply(command)
        if fault(reply):
            time.sleep(_DEAF)
        return reply

    def ping(self) -> None:
        """Ask for a sign of life, which a running script does not prevent; it comes as a line."""
        self._link.write(b"t\n")

    def line(self, timeout: float) -> str | None:
        """The next line, None if none came within `timeout` s."""
        line = self._link.line(timeout)
        return None if line is None else line.decode("latin-1")

    def upload(self, script: Sequence[str]) -> None:
        """Send a script but for the empty line that starts it."""
        self._link.write("".join(f"{line}\n" for line in ("e", *script)).encode())

    def start(self, script: Sequence[str]) -> None:
        """Start the script that was sent. Raises ScriptFailed if it is refused: nothing runs."""
        self._link.write(b"\n")
        reply = self._reply("e")
        found = fault(reply)
        if found is not None:
            time.sleep(_DEAF)
            raise ScriptFailed(self.name, found, script, running=False)
        if reply != "e":
            raise NoAnswer(self.name, "start a script", f"it answered `{reply}`", "check the cable")

    def execute(self, script: Sequence[str]) -> list[str]:
        """Run a short script to its end; return what it said. Raises ScriptFailed."""
        self.upload(script)
        self.start(script)
        said = list[str]()
        deadline = self._deadline()
        while line := self._wait("run a script", deadline):
            found = fault(line)
            if found is not None:
                raise self.failed(found, script)
            said.append(line)
        return said

    def failed(self, found: Fault, script: Sequence[str]) -> ScriptFailed:
        """What to raise for an error line of a running script, which that has ended."""
        time.sleep(_DEAF)
        return ScriptFailed(self.name, found, script, running=True)

    def abort(self, patience: float = 0.0) -> bool:
        """End a running script through its on_finished; return whether one was running.

        patience: s that the measurement under way may take beyond the timeout.
        """
        self._link.write(b"\n")
        try:
            reply = self.ask("Z")
        except NoAnswer:
            reply = self.ask("Z")  # it may have been deaf, after an error
        found = fault(reply)
        if found is not None and found.code != _BUSY:
            raise InstrumentError(self.name, "abort", f"it answered: {meaning(found.code)}")
        if found is not None:
            return False
        deadline = self._deadline(patience)
        while True:
            line = self._wait("abort", deadline)
            if not line or fault(line):
                return True

    def _firmware(self) -> str:
        """The first of the two lines that answer `t`, without its echo."""
        self._link.write(b"t\n")
        firmware = self._reply("t")[1:]
        deadline = self._deadline()
        while not self._wait("t", deadline).endswith("*"):
            pass  # a running script may speak in between
        return firmware

    def _reply(self, command: str) -> str:
        """The next line that begins as the reply to a command does."""
        deadline = self._deadline()
        while True:
            line = self._wait(command, deadline)
            if line[:1] == command[0]:
                return line

    def _deadline(self, patience: float = 0.0) -> float:
        """Until when an answer must have come, whatever else is said meanwhile."""
        return time.monotonic() + self._timeout + patience

    def _wait(self, command: str, deadline: float) -> str:
        left = deadline - time.monotonic()
        line = self.line(left) if left > 0 else None
        if line is None:
            raise NoAnswer(
                self.name,
                command,
                "no answer in time",
                "check the cable, and that no other program uses the instrument",
            )
        return line
