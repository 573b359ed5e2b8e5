"""The firmware: JSON lines in, JSON lines out."""

import json
import logging
from collections.abc import Callable
from copy import deepcopy
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from simulators.cellport import CellPort, Interrupted
from simulators.instruments.rodeostat.analog import Analog
from simulators.instruments.rodeostat.commands import COMMANDS
from simulators.instruments.rodeostat.errors import Refused
from simulators.instruments.rodeostat.run import Run, Sample
from simulators.instruments.rodeostat.techniques import TECHNIQUES, Technique

LONGEST_LINE = 2000
"""Bytes that the firmware keeps of a line."""

FILTERED, OPEN = 200.0, 10e3
"""Bandwidth (Hz) of the current in a test, and of readings on command."""

_log = logging.getLogger(__name__)


class Device:
    """One instrument. `receive` takes what a client sends; replies go to what `attach` was given.

    Commands are executed by a thread of the device's own, a test by another.
    """

    variant = "10V_microAmpV0.2"
    version = "FW0.1.0"
    hardware = "V0.2"

    def __init__(self, port: CellPort) -> None:
        self.analog = Analog(port)
        self._send: Callable[[bytes], None] = lambda data: None
        self._partial = bytearray()
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._writing = Lock()
        self._run: Run | None = None
        self._tester: Thread | None = None
        self._last: Sample = {"t": 0, "v": 0.0, "i": 0.0}
        self.device_id = 0
        self._defaults()
        self._worker = Thread(target=self._work, name="rodeostat", daemon=True)
        self._worker.start()

    def _defaults(self) -> None:
        self.parameters = {name: deepcopy(dict(t.defaults)) for name, t in TECHNIQUES.items()}
        self.sample_period = 10
        self.auto_connect = True

    def attach(self, send: Callable[[bytes], None]) -> None:
        """Send replies there from now on."""
        self._send = send

    @property
    def time(self) -> float:
        """On the cell's clock, s."""
        return self.analog.port.time

    def overload(self, duration: float) -> None:
        """Show currents at the end of the range for `duration` s."""
        self.analog.overload_until = self.time + duration

    def power_cycle(self) -> None:
        """Off and on again: the test is lost, all settings but the identity too."""
        self._halt()
        self._partial.clear()
        self.analog.reset()
        self._defaults()

    def close(self) -> None:
        """End for good."""
        self._send = lambda data: None
        self._lines.put(None)
        self._halt()
        self.analog.port.interrupt()
        self._worker.join()

    def receive(self, data: bytes) -> None:
        """Bytes from a client, however they are cut."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._lines.put(bytes(self._partial + line)[:LONGEST_LINE])
            self._partial.clear()
        self._partial += rest
        del self._partial[LONGEST_LINE:]

    def _work(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._execute(line)
            except Interrupted:
                continue
            except Exception:
                _log.exception("%r failed", line)

    def _execute(self, line: bytes) -> None:
        reply: dict[str, Any] = {}
        outcome: dict[str, Any] = {"success": True}
        after: Callable[[], None] | None = None
        try:
            message = _parse(line)
            name = _command(message)
            reply["command"] = message["command"]
            after = COMMANDS[name](self, message, reply)
        except Refused as refused:
            outcome = {"success": False, "message": str(refused)}
        self._say(outcome | {"response": reply})
        if after is not None:
            after()

    def _say(self, message: dict[str, Any]) -> None:
        with self._writing:
            self._send(json.dumps(message, separators=(",", ":")).encode() + b"\r\n")

    @property
    def running(self) -> bool:
        """Whether a test is under way."""
        return self._tester is not None and self._tester.is_alive()

    def current(self) -> float:
        """Current now, uA; during a test that of its last sample."""
        if self.running:
            return self._last["i"]
        return self.analog.current(self.analog.read())[0]

    def potential(self) -> float:
        """Potential now, V; during a test that of its last sample."""
        return self._last["v"] if self.running else self.analog.read().potential

    def start(self, technique: Technique) -> None:
        """Run a test from now on; one that runs is over."""
        self._halt()
        values = deepcopy(self.parameters[technique.name])
        self.analog.fit(*technique.bounds(values))
        self.analog.set_volt(technique.at(values, 0.0))
        if self.auto_connect:
            self.analog.connect(True)
        self.analog.port.set_bandwidth(FILTERED)
        self._run = Run(technique, values, self.sample_period, self.analog, self._emit)
        self._tester = Thread(target=self._test, args=(self._run,), name="rodeostat test")
        self._tester.daemon = True
        self._tester.start()

    def stop(self) -> None:
        """End the test under way, if any; the end of the samples is announced."""
        self._halt()
        self._finish()

    def _halt(self) -> None:
        """End the test's thread without a word."""
        while self.running and self._run is not None and self._tester is not None:
            self._run.stopping = True
            self.analog.port.interrupt()
            self._tester.join(0.05)
        self._tester = self._run = None

    def _test(self, run: Run) -> None:
        try:
            run.perform()
        except Interrupted:
            return
        if not run.stopping:
            self._finish()

    def _emit(self, sample: Sample) -> None:
        self._last = sample
        self._say(sample)

    def _finish(self) -> None:
        self.analog.port.set_bandwidth(OPEN)
        if self.auto_connect:
            self.analog.connect(False)
        self._say({})


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line.decode())
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise Refused("unable to parse json")
    return message


def _command(message: dict[str, Any]) -> str:
    if "command" not in message:
        raise Refused("CommandTable: command not found")
    wanted = message["command"]
    name = wanted.strip() if isinstance(wanted, str) else ""
    if name not in COMMANDS:
        raise Refused(f"command, {name}, not found")
    return name
