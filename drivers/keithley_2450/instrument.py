"""What the instrument does on command; and how its output is seen to be off."""

from collections.abc import Iterator
from contextlib import suppress
from time import monotonic, sleep

from sicmctl.hal.capabilities import Identity
from sicmctl.hal.errors import (
    InstrumentError,
    NoAnswer,
    NotConnected,
    NotSupported,
    UnexpectedState,
)

from . import commands
from .models import MODELS, Model
from .options import Options
from .passes import Function, Pass
from .readings import COLUMNS, ELEMENTS, OVERFLOW
from .scpi import Garbled, Scpi
from .wire import wire_to

_AT_ONCE = 500
"""Readings fetched with one query."""
_POLL = 0.05
"""s between looks at the buffer, at most."""
_SIGN_OF_LIFE = 0.5
"""s after which an empty list is yielded."""
_STALLED = 2.0
"""s for which no reading may come before that is an error; and ten intervals while it runs."""
_PATIENCE = 3
"""Times the time of an answer in which it is tried to connect again ..."""
_AGAIN = 0.1
"""... and s between the attempts."""
_CALM = 1.0
"""Interval (s) for whose settings single readings are taken."""


class Instrument:
    """A source-measure unit in its own signs: HI against LO."""

    def __init__(self, options: Options) -> None:
        self._options = options
        wire = wire_to(options.resource, options.timeout)
        self.scpi = Scpi(wire, f"keithley {options.resource}", options.timeout)
        self._closed = False
        try:
            self.scpi.open()
            self.identity, self.model = self._recognise()
            self.scpi.name = f"Keithley {self.identity.model}"
            self.line = self.scpi.numbers(":SYST:LFR?")[0][0]
        except BaseException:
            self.scpi.close()
            raise

    def is_on(self) -> bool:
        """Whether the output is on."""
        answer = self.scpi.ask(":OUTP?")
        if answer not in ("0", "1"):
            raise self.scpi.garbled(":OUTP?", answer)
        return answer == "1"

    def function(self) -> Function:
        """Return what it sources."""
        answer = self.scpi.ask(":SOUR:FUNC?")
        if answer not in ("VOLT", "CURR"):
            raise self.scpi.garbled(":SOUR:FUNC?", answer)
        return "VOLT" if answer == "VOLT" else "CURR"

    def stop(self) -> None:
        """Stop the trigger model; the output stays as it is."""
        self.scpi.send(":ABOR")

    def off(self) -> None:
        """Open the cell: output off, high impedance, seen to be so."""
        self.scpi.send(":ABOR", *commands.off_modes(), ":OUTP OFF")
        if self.is_on():
            raise UnexpectedState(
                self.scpi.name,
                "output off",
                "its output stays on: the cell is still driven",
                "switch the output off at the instrument",
            )

    def ready(self, function: Function) -> None:
        """Prepare single readings beside a source; a change of source opens the cell."""
        if function != self.function():
            self.off()
        self.scpi.send(*commands.off_modes())
        self.scpi.send(*commands.wires(self._options.wires == 4, self._options.terminals))
        self.scpi.send(*commands.formats())
        self.scpi.send(*self.settings(function, _CALM))

    def settings(
        self, function: Function, interval: float, full_scale: float | None = None
    ) -> list[str]:
        """Return the settings of a source function. full_scale: of a fixed current range, A."""
        how = self.reading(function, interval, full_scale)
        volts, amperes = self._options.potential_limit, self._options.current_limit
        if function == "CURR":
            return commands.settings("CURR", how, volts, volts)
        limit = amperes if full_scale is None else min(amperes, 1.05 * full_scale)
        return commands.settings("VOLT", how, full_scale, limit)

    def reading(
        self, function: Function, interval: float, full_scale: float | None
    ) -> commands.Reading:
        """Return how readings are taken so many s apart."""
        if function == "VOLT" and full_scale is None:
            return commands.reading(interval, self.line, commands.AUTOMATIC)
        return commands.reading(interval, self.line)

    def source(self, function: Function, level: float) -> None:
        """Switch the output on, or keep it so, at a level, V or A, for single readings."""
        self.ready(function)
        self.scpi.send(
            f":SOUR:{function}:RANG:AUTO ON",
            f":SOUR:{function} {commands.number(level)}",
            ":OUTP ON",
        )
        self.scpi.check("output on")
        if not self.is_on():
            raise UnexpectedState(
                self.scpi.name, "output on", "its output does not go on", "is an interlock open?"
            )

    def read(self) -> tuple[float, float]:
        """Return voltage (V) and current (A) between its terminals; the output is on."""
        function = self.function()
        if self.scpi.ask(":SENS:FUNC?").strip('"').partition(":")[0] == function:
            self.scpi.send(*self.settings(function, _CALM))
        source, read = self.scpi.numbers(':READ? "defbuffer2",SOUR,READ', 2)[0]
        limits = {"VOLT": self._options.current_limit, "CURR": self._options.potential_limit}
        read = limits[function] if read > OVERFLOW else read
        self.scpi.check("read")
        return (source, read) if function == "VOLT" else (read, source)

    def set_up(self, one: Pass, full_scale: float | None) -> None:
        """Set up a pass; its levels are in the signs of the instrument."""
        if one.function != self.function():
            self.off()
        self.scpi.send(*self.settings(one.function, one.interval, full_scale))
        for line in commands.upload(one.function, one.levels):
            self.scpi.send(line)
        self.scpi.send(*commands.timer(one.interval))
        self.scpi.send(*commands.blocks(one))
        self.scpi.check("set up a step")

    def start(self) -> None:
        """Start the pass that was set up."""
        self.scpi.send(':TRAC:CLE "defbuffer1"', ":INIT")

    def rows(self, one: Pass) -> Iterator[list[list[float]]]:
        """Yield the readings of a pass as they come, now and then an empty list instead."""
        seen, moved, told = 0, monotonic(), monotonic()
        while seen < one.count:
            state, end = self._progress()
            if seen < end <= one.count:
                last = min(end, seen + _AT_ONCE)
                query = f':TRAC:DATA? {seen + 1},{last},"defbuffer1",{ELEMENTS}'
                rows = self.scpi.numbers(query, COLUMNS)
                if len(rows) != last - seen:
                    raise self.scpi.garbled(query, f"{len(rows)} readings")
                seen, moved, told = last, monotonic(), monotonic()
                yield rows
                continue
            running = state in ("RUNNING", "WAITING")
            patience = _STALLED + 10 * one.interval if running else _STALLED
            if monotonic() - moved > patience:
                raise self._stopped(state)
            if monotonic() - told > _SIGN_OF_LIFE:
                told = monotonic()
                yield []
            sleep(min(0.5 * one.interval, _POLL))

    def _progress(self) -> tuple[str, int]:
        """Return the state of the trigger model, and the number of readings."""
        query = ':TRIG:STAT?;:TRAC:ACT:END? "defbuffer1"'
        answer = self.scpi.ask(query)
        words = answer.split(";")
        if len(words) < 3 or not words[-1].isdecimal():
            raise self.scpi.garbled(query, answer)
        return words[0].strip().upper(), int(words[-1])

    def _stopped(self, state: str) -> InstrumentError:
        with suppress(NoAnswer):
            self.scpi.check("run a step")
        return UnexpectedState(
            self.scpi.name,
            "run a step",
            f"no more readings come; its trigger model is {state.lower()}",
            "did somebody press a key at the instrument?",
        )

    def _recognise(self) -> tuple[Identity, Model]:
        language = self.scpi.ask("*LANG?")
        if language != "SCPI":
            raise NotSupported(
                self.scpi.name,
                "connect",
                f"its command set is {language}",
                "send *LANG SCPI and switch it off and on, or choose SCPI in its system menu",
            )
        answer = self.scpi.ask("*IDN?")
        words = [word.strip() for word in answer.split(",")]
        if len(words) != 4:
            raise self.scpi.garbled("*IDN?", answer)
        maker, model, serial, firmware = words
        model = model.upper().removeprefix("MODEL ")
        found = next((known for known in MODELS if model.startswith(known)), None)
        if found is None or not maker.upper().startswith("KEITHLEY"):
            raise NotSupported(
                self.scpi.name,
                "connect",
                f"it is a {maker} {model}",
                f"this driver runs Keithley {', '.join(MODELS)}",
            )
        return Identity("Keithley", model, serial, firmware), MODELS[found]

    def close(self) -> None:
        """Let go of it for good."""
        self._closed = True
        self.scpi.close()

    # -- after an error

    def secured(self, error: InstrumentError) -> InstrumentError:
        """Open the cell after an error; return the error with what is known of the cell."""
        if not isinstance(error, NotConnected | NoAnswer | Garbled):
            try:
                self.off()
            except (NotConnected, NoAnswer, Garbled) as worse:
                error = worse
            except InstrumentError as worse:
                return worse
            else:
                return error
        return self._reconnected(error)

    def _reconnected(self, error: InstrumentError) -> NotConnected:
        """Connect once more; open the cell of the same instrument."""
        problem, deadline = error.problem, monotonic() + _PATIENCE * self._options.timeout
        known = "it could not be reached again: THE CELL MAY STILL BE ON"
        remedy = "see to the cell at the instrument; then check its cable and connect again"
        while not self._closed:
            try:
                self.scpi.open()
                found = self._recognise()[0]
                if found != self.identity:
                    problem += f"; {found.model} {found.serial} answers in its place"
                    self.scpi.close()
                    break
                was = "on" if self.is_on() else "off"
                self.off()
                known = f"connected again: its output was {was}, and the cell is open now"
                remedy = "the program was ended; check the cable before the next"
                break
            except InstrumentError:
                self.scpi.close()
                if monotonic() > deadline:
                    break
                sleep(_AGAIN)
        return NotConnected(self.scpi.name, error.command, f"{problem}; {known}", remedy)
