"""PalmSens potentiostats that speak MethodSCRIPT: EmStat4, EmStat Pico, Sensit, Nexus.

A program becomes a script that the instrument runs by itself: steps, repeats and end conditions
without the host, which only listens. Times are the instrument's own, from its timer; the moment at
which it started is known to half the round trip of the last line of the script.
"""

import re
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Self

from sicmctl.hal.capabilities import Identity
from sicmctl.hal.cell import CellProgram, CellRest, Impedance, Walk
from sicmctl.hal.cellcheck import check
from sicmctl.hal.errors import InstrumentError, NoAnswer, NotConnected, UnexpectedState
from sicmctl.hal.potentiostat import CellData, CellLimits, Now
from sicmctl.hal.timeline import Stamp

from .compiler import UNKNOWN, Script, State, hold_lines
from .connection import Options, connect, plain
from .device import OFF, Device, ScriptFailed, fault
from .kinds import Mode
from .numbers import literal, package
from .reader import Reader
from .script import compile_program
from .spans import flat

_LISTEN = 0.2
"""Seconds for which the link is listened to at a time, while others may want it."""
_SIGN_OF_LIFE = 0.5
"""Seconds after which something is yielded, if only samples of no length."""
_PAUSE = 0.1
"""Seconds between attempts to connect again."""
_PATIENCE = 30.0
"""Seconds that an abort waits at most for a measurement under way."""
_SIGN = re.compile(r"t.*|.\*")
"""The two lines that answer a ping."""
_WRONG_MODE = 0x0023
_READ = ("var p", "var c", "meas 100m p ab", "meas 100m c ba",
         "pck_start", "pck_add p", "pck_add c", "pck_end")  # fmt: skip


class MethodScript:
    """The instrument as a `Potentiostat`.

    Any thread may call. `safe_state` and `rest` abort a program that runs; its iterator then
    raises.
    """

    Options = Options

    def __init__(self, options: Options, device: Device) -> None:
        self._options, self._device = options, device
        self.limits: CellLimits = device.kind.limits
        self._identity = device.identity
        self._lock = threading.RLock()
        self._state = UNKNOWN
        self._program: object | None = None
        self._slowest = 0.0

    @classmethod
    def open(cls, options: Options) -> Self:
        """Connect and identify. Changes nothing, unless a running script is to be aborted.

        Raises NotConnected, NoAnswer, NotSupported, or UnexpectedState if a script is running.
        """
        return cls(options, connect(options))

    def identify(self) -> Identity:
        return self._identity

    def run(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        """As `Potentiostat.run`; refuses at once what the instrument cannot do."""
        check(program, self.limits, self._identity.model)
        compile_program(program, self._device.kind)
        return self._running(program, now)

    def read(self) -> tuple[float, float]:
        """Return potential (V) and current (A) now, each averaged over 0.1 s."""
        with self._exchange("read"):
            try:
                return self._numbers(self._device.execute(_READ))
            except ScriptFailed as failure:
                if failure.code != _WRONG_MODE:
                    raise
            # no mode was chosen since it was switched on, so the cell is off
            mode = self._device.kind.modes[-1].number
            self._state = State(mode, on=False)
            return self._numbers(self._device.execute((f"set_pgstat_mode {mode}", *_READ)))

    def hold(self, potential: float) -> None:
        """Switch the cell on at a potential, V, and leave it so; without a gap if it was held."""
        self.limits.potential.check(potential, "potential", self._identity.model, "hold")
        text = literal(potential)
        with self._exchange("hold"):
            mode = self._holding
            if mode is not None and mode.allows(potential, potential):
                self._execute((f"set_range_minmax da {text} {text}", f"set_e {text}"), self._state)
            else:
                mode = self._device.kind.modes[-1]
                script = hold_lines(self._device.kind, mode, text)
                self._execute(script, State(mode.number, on=True))

    def rest(self, how: CellRest) -> None:
        """Bring the cell into a rest state. OCP and OFF are one: potential is measured in both."""
        with self._lock:
            if how is not CellRest.HOLD or self._program is not None:
                self.safe_state()
            if how is CellRest.HOLD and self._holding is None:
                potential, _ = self.read()
                self.hold(potential)

    def safe_state(self) -> None:
        """Abort what runs and switch the cell off. Raises NotConnected if that cannot be known."""
        self._program = None
        with self._lock:
            try:
                self._require_link()
                self._switch_off()
            except (OSError, NoAnswer) as error:
                self._recover("switch the cell off", error)

    def close(self) -> None:
        """Let go of the instrument, leaving the cell as it is."""
        self._program = None
        with self._lock:
            self._device.close()

    # -- a program

    def _running(self, program: CellProgram, now: Now) -> Generator[CellData, None, None]:
        token = object()
        with self._exchange("run"):
            scripts = compile_program(program, self._device.kind, self._state)
            self._program, self._slowest = token, _slowest(program)
        reader = Reader(Walk(program), self._device.kind, self._identity.model)
        try:
            for script in scripts:
                yield from self._play(script, reader, token, now)
                if reader.done:
                    break
            self._end(reader)
        except (OSError, NoAnswer) as error:
            if self._program is not token:
                raise self._aborted() from error
            self._program = None
            with self._lock:
                raise self._lost("run", error) from error
        finally:
            if self._program is token:
                self.safe_state()

    def _play(
        self, script: Script, reader: Reader, token: object, now: Now
    ) -> Generator[CellData, None, None]:
        """Run one script, yielding what comes, or a sign of life."""
        with self._lock:
            self._require(token)
            self._state = UNKNOWN
            reader.begin(self._start(script.lines, now))
        shown = heard = monotonic()
        signs = 0
        while (line := self._listen(token)) != "":
            if line is not None:
                heard = monotonic()
            elif monotonic() - heard > 2 * self._options.timeout:
                raise ConnectionError(f"no sign of life for {2 * self._options.timeout:g} s")
            elif not signs and monotonic() - heard > self._options.timeout:
                self._ping(token)
                signs = 2
            if line and signs and _SIGN.fullmatch(line):
                signs -= 1
            elif line:
                for data in self._take(line, reader, script):
                    shown = monotonic()
                    yield data
            if monotonic() - shown > _SIGN_OF_LIFE:
                shown = monotonic()
                yield reader.flush()
        self._state = UNKNOWN if reader.done and not script.last else script.state

    def _start(self, script: Sequence[str], now: Now) -> Stamp:
        """Start a script; return when that was."""
        self._device.upload(script)
        before = now()
        self._device.start(script)
        half = (now().time - before.time) / 2
        return Stamp(before.time + half, half + before.uncertainty)

    def _listen(self, token: object) -> str | None:
        with self._lock:
            self._require(token)
            return self._device.line(_LISTEN)

    def _ping(self, token: object) -> None:
        with self._lock:
            self._require(token)
            self._device.ping()

    def _take(self, line: str, reader: Reader, script: Script) -> Iterable[CellData]:
        found = fault(line)
        if found is not None:
            raise self._device.failed(found, script.lines)
        return reader.read(line)

    def _end(self, reader: Reader) -> None:
        """All scripts have ended, or those that a condition let run."""
        if not reader.done:
            raise InstrumentError(
                self._device.name,
                "run",
                "its script ended before the program did",
                "see whether someone aborted it at the instrument",
            )
        self._program = None

    def _require(self, token: object) -> None:
        if self._program is not token:
            raise self._aborted()

    def _aborted(self) -> UnexpectedState:
        return UnexpectedState(
            self._device.name,
            "run",
            "the program was aborted meanwhile, and the cell switched off",
            "start it again",
        )

    # -- the cell

    @property
    def _holding(self) -> Mode | None:
        """The mode in which a potential is held; None if none is, or that is not known."""
        modes = self._device.kind.modes
        on = bool(self._state.on)
        return next((mode for mode in modes if on and mode.number == self._state.mode), None)

    def _switch_off(self) -> None:
        """Abort and switch off, whatever runs."""
        mode, self._state = self._state.mode, UNKNOWN
        self._device.abort(self._slowest)
        self._device.execute(OFF)
        self._state = State(mode, on=False)

    def _execute(self, script: Sequence[str], state: State) -> None:
        """Run a short script after which the state is this; after an error the cell is off."""
        self._state = UNKNOWN
        try:
            self._device.execute(script)
        except ScriptFailed:
            self._switch_off()
            raise
        self._state = state

    def _numbers(self, said: Sequence[str]) -> tuple[float, float]:
        try:
            (line,) = (line for line in said if line[:1] == "P")
            potential, current = package(line[1:])
        except ValueError as error:
            raise NoAnswer(
                self._device.name, "read", f"it answered `{' '.join(said)[:80]}`", "check the cable"
            ) from error
        return potential.number, current.number

    # -- the link

    @contextmanager
    def _exchange(self, command: str) -> Iterator[None]:
        """Have the instrument to oneself, with its link in order; no program may be running."""
        with self._lock:
            if self._program is not None:
                raise UnexpectedState(
                    self._device.name, command, "a program is running", "end the program first"
                )
            if not self._device.is_open:
                self._recover(command, ConnectionError("the link was lost before"))
            try:
                yield
            except (OSError, NoAnswer) as error:
                raise self._lost(command, error) from error

    def _require_link(self) -> None:
        if not self._device.is_open:
            raise ConnectionError("the link was lost before")

    def _lost(self, command: str, cause: Exception) -> NotConnected:
        """What to raise when the link has failed, after all that can be done was done."""
        self._recover(command, cause)
        return NotConnected(
            self._device.name,
            command,
            f"the link was lost ({plain(cause)}); it is back, to the same instrument, "
            "and the cell is switched off",
            "check the cable, then start again; nothing was resumed",
        )

    def _recover(self, command: str, cause: Exception) -> None:
        """Reconnect once, see that it is the same instrument, and switch its cell off.

        Raises NotConnected, which says what is known, if that fails.
        """
        name, state = self._device.name, self._state
        self._state = UNKNOWN
        what = f"the link was lost ({plain(cause)})"
        known = "the cell is off" if state.on is False else "the cell may still be on"
        remedy = "switch the instrument off or disconnect the cell, then check the cable"
        try:
            self._reconnect()
            self._device.abort(self._slowest)
            self._device.learn_serial()
            found = self._device.identity
            if found == self._identity:
                self._switch_off()
                return
        except (OSError, InstrumentError) as error:
            self._device.close()
            what += f" and could not be restored within {self._options.reconnect:g} s"
            raise NotConnected(
                name, command, f"{what} ({plain(error)}); {known}", remedy
            ) from cause
        self._device.close()
        what += f"; another instrument answers there now: {found.model} {found.serial}"
        raise NotConnected(name, command, f"{what}; {known}", remedy) from cause

    def _reconnect(self) -> None:
        """Open the link again as soon as it can be. Raises OSError or NoAnswer if it cannot."""
        deadline = monotonic() + self._options.reconnect
        while True:
            self._device.close()
            try:
                self._device.connect()
                return
            except (OSError, NoAnswer):
                if monotonic() >= deadline:
                    raise
            sleep(_PAUSE)


def _slowest(program: CellProgram) -> float:
    """How long one measurement may take that cannot be interrupted, s."""
    spectra = (step for step in flat(program.steps) if isinstance(step, Impedance))
    slowest = max((5 / f for step in spectra for f in step.frequencies), default=0.0)
    return min(slowest, _PATIENCE)
