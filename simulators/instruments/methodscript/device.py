"""The communication layer: lines in, replies out."""

import threading
import time
from collections.abc import Callable

from simulators.cellport import CellPort
from simulators.instruments.methodscript.cell import Cell
from simulators.instruments.methodscript.errors import Code, Refused, ScriptError
from simulators.instruments.methodscript.kinds import KINDS, Kind
from simulators.instruments.methodscript.loader import LONGEST_LINE, load
from simulators.instruments.methodscript.program import Program
from simulators.instruments.methodscript.registers import Registers
from simulators.instruments.methodscript.registry import COMMANDS
from simulators.instruments.methodscript.runtime import Runtime

DEAF = 0.05
"""Seconds for which input is ignored after an error, in real time."""

BITS = {
    "t": 1, "CC": 32, "CM": 33, "S": 34, "G": 35, "l": 36, "r": 37, "e": 38, "Fmscr": 43,
    "Lmscr": 44, "i": 48, "v": 49, "h": 96, "H": 97, "Z": 98, "Y": 99, "R": 101,
}  # fmt: skip
"""The communication commands and their places in the answer to `CC`."""

WHILE_RUNNING = frozenset(("t", "h", "H", "Z", "Y", "R"))


class Device:
    """One instrument. `receive` takes what a client sends; replies go to what `attach` was given.

    realtime: whether the instrument is deaf for a moment after an error, as real ones are.
    """

    def __init__(
        self, port: CellPort, kind: Kind | str, serial: str = "VIRTUAL001", realtime: bool = False
    ) -> None:
        if isinstance(kind, str) and kind not in KINDS:
            raise ValueError(f"{kind!r} speaks no MethodSCRIPT; those that do: {', '.join(KINDS)}")
        self.kind = KINDS[kind] if isinstance(kind, str) else kind
        self.cell = Cell(port, self.kind)
        self.runtime = Runtime(self.cell, self._line)
        self.registers = Registers(serial)
        self._serial = serial
        self._realtime = realtime
        self._send: Callable[[bytes], None] = lambda data: None
        self._writing = threading.RLock()
        self._program: Program | None = None
        self._flash: Program | None = None
        self._commands: dict[str, Callable[[str], str | None]] = {
            "t": self._firmware,
            "i": self._serial_number,
            "v": self._script_version,
            "CC": self._capabilities,
            "CM": self._script_capabilities,
            "G": self._read_register,
            "S": self._write_register,
            "r": self._run,
            "Fmscr": self._store,
            "Lmscr": self._restore,
            "Z": self._abort,
            "Y": self._abort_loop,
            "h": self._halt,
            "H": self._resume,
            "R": self._reverse,
        }
        self._restart()

    def attach(self, send: Callable[[bytes], None]) -> None:
        """Send replies there from now on."""
        self._send = send

    @property
    def time(self) -> float:
        """On the cell's clock, s."""
        return self.cell.time

    def power_cycle(self) -> None:
        """Off and on again: what runs is lost, the cell is off; the flash keeps its script."""
        self.runtime.stop()
        self.cell.reset()
        self._program = None
        self._restart()

    def close(self) -> None:
        """End for good."""
        self._send = lambda data: None
        self.runtime.stop()

    def overload(self, duration: float) -> None:
        """Report currents beyond the range for that long."""
        self.cell.overloaded_until = self.cell.time + duration

    def _restart(self) -> None:
        self._partial = bytearray()
        self._script: list[str] | None = None
        self._loading = ""
        self._refused: Code | None = None
        self._deaf_until = 0.0

    # -- input

    def receive(self, data: bytes) -> None:
        """Bytes from a client, however they are cut."""
        for byte in data:
            if byte == 0x0A:
                line, self._partial = self._partial, bytearray()
                if self._realtime and time.monotonic() < self._deaf_until:
                    continue
                self._take(line.decode("latin-1"))
            elif (byte >= 0x20 or byte == 0x09) and len(self._partial) <= 4 * LONGEST_LINE:
                self._partial.append(byte)

    def _take(self, line: str) -> None:
        if self._script is not None:
            self._collect(line)
            return
        if not line:
            if not self.runtime.running:
                self._line("")
            return
        try:
            if len(line) > LONGEST_LINE:
                raise Refused(Code.LINE_TOO_LONG)
            reply = self._command(line)
        except Refused as refusal:
            self._fail(line[0], f"!{refusal.code:04X}")
            return
        if reply is not None:
            self._line(line[0] + reply)

    def _fail(self, first: str, text: str) -> None:
        self._line(first + text)
        self._deaf_until = time.monotonic() + DEAF

    def _line(self, text: str) -> None:
        with self._writing:
            self._send(text.encode("latin-1", "replace") + b"\n")

    # -- commands

    def _command(self, line: str) -> str | None:
        """The reply after the echo; None if it has been or will be sent otherwise."""
        name, argument = _parse(line)
        running = self.runtime.running
        if name in ("e", "l"):
            self._script, self._loading = [], name
            self._refused = Code.MODE_INVALID if running else None
            return None
        if running and name not in WHILE_RUNNING:
            raise Refused(Code.MODE_INVALID)
        return self._commands[name](argument)

    def _firmware(self, _: str) -> str:
        return f"{self.kind.firmware}\nR*"

    def _serial_number(self, _: str) -> str:
        return self._serial

    def _script_version(self, _: str) -> str:
        return self.kind.script_version

    def _capabilities(self, _: str) -> str:
        return "C" + _bit_field(list(BITS.values()))

    def _script_capabilities(self, _: str) -> str:
        known = (c.bit for c in COMMANDS.values() if self.kind.galvanostat or not c.galvanostat)
        return "M" + _bit_field(list(known))

    def _read_register(self, argument: str) -> str:
        return self.registers.read(argument)

    def _write_register(self, argument: str) -> str:
        self.registers.write(argument)
        return ""

    def _run(self, _: str) -> None:
        if self._program is None:
            raise Refused(Code.NO_SCRIPT)
        self._line("r")
        self.runtime.start(self._program)

    def _store(self, _: str) -> str:
        if self._program is None:
            raise Refused(Code.NO_SCRIPT)
        self._flash = self._program
        return ""

    def _restore(self, _: str) -> str:
        if self._flash is None:
            raise Refused(Code.NO_SCRIPT)
        self._program = self._flash
        return ""

    def _abort(self, _: str) -> None:
        self._require_running()
        self._line("Z")
        self.cell.requests.abort()

    def _abort_loop(self, _: str) -> None:
        self._require_running()
        if not self.cell.requests.measuring:
            raise Refused(Code.MODE_INVALID)
        self._line("Y")
        self.cell.requests.abort_loop()

    def _halt(self, _: str) -> str:
        self._require_running()
        self.cell.requests.halt()
        return ""

    def _resume(self, _: str) -> str:
        self._require_running()
        self.cell.requests.resume()
        return ""

    def _reverse(self, _: str) -> str:
        self._require_running()
        self.cell.requests.reverse()
        return ""

    def _require_running(self) -> None:
        if not self.runtime.running:
            raise Refused(Code.MODE_INVALID)

    # -- scripts

    def _collect(self, line: str) -> None:
        """A line of a script; an empty one ends it."""
        assert self._script is not None
        if line.strip():
            if sum(map(len, self._script)) <= self.kind.script_size:
                self._script.append(line)
            return
        lines, self._script = self._script, None
        try:
            if self._refused is not None:
                raise Refused(self._refused)
            program = load(lines, self.kind, self.cell.on)
        except Refused as refusal:
            self._fail(self._loading, f"!{refusal.code:04X}")
        except ScriptError as error:
            self._fail(self._loading, error.reply)
        else:
            self._program = program
            self._line(self._loading)
            if self._loading == "e":
                self.runtime.start(program)


def _parse(line: str) -> tuple[str, str]:
    """Name and argument of a command."""
    if line[0] in "GS" and len(line) > 1:
        return line[0], line[1:]
    if line not in BITS or line in "GS":
        raise Refused(Code.UNKNOWN_COMMAND)
    return line, ""


def _bit_field(bits: list[int]) -> str:
    return f"{sum(1 << bit for bit in set(bits)):064X}"
