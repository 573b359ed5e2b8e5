"""The source-measure unit: settings, output, buffers and trigger model behind one lock."""

from collections.abc import Callable
from datetime import datetime, timedelta

from simulators.cellport import CellPort, Interrupted
from simulators.instruments.keithley import commands
from simulators.instruments.keithley.blocks import Blocks, Timer, run_blocks
from simulators.instruments.keithley.buffers import Buffers, Reading
from simulators.instruments.keithley.meter import Meter, protects
from simulators.instruments.keithley.models import MODELS, Function
from simulators.instruments.keithley.output import Output, Wiring
from simulators.instruments.keithley.settings import defaults
from simulators.instruments.keithley.sweep import run
from simulators.instruments.keithley.trigger import Plan, TriggerModel
from simulators.instruments.scpi import Command, Device, ScpiError, Session
from simulators.instruments.scpi.errors import Kind as EventKind

EPOCH = datetime(2026, 1, 1)
"""Date and time at time 0 of the port's clock: the same run gives the same stamps."""


class Smu(Device):
    """A Keithley 2450, 2460 or 2461 with a cell on its terminals.

    line: mains frequency, Hz. language: of the command set; the instrument understands only its
    common commands unless it is `SCPI`.
    """

    def __init__(
        self,
        port: CellPort,
        model: str = "2450",
        wiring: Wiring | None = None,
        *,
        serial: str = "04123456",
        firmware: str = "1.7.12b",
        line: float = 50.0,
        language: str = "SCPI",
        epoch: datetime = EPOCH,
    ) -> None:
        self.port, self.model, self.line = port, MODELS[model], line
        self.language, self.next_language = language, language
        self.identity = f"KEITHLEY INSTRUMENTS,MODEL {model},{serial},{firmware}"
        self.epoch = epoch
        super().__init__(commands.of(self.model))
        self._closing = self._was_on = False
        self.output = Output(port, wiring or Wiring(), self._is_stopping)
        self.settings = defaults(self.model)
        self.meter = Meter(self.model, self.output, lambda: self.settings, line)
        self.buffers = Buffers()
        self.active_buffer = "defbuffer1"
        self.timers = _timers()
        self.triggers = TriggerModel(self.lock, self._run)

    def session(self, send: Callable[[bytes], None]) -> Session:
        """A new client."""
        return Session(self, send)

    @property
    def time(self) -> float:
        """On the instrument's clock, s."""
        return self.port.time

    def overload(self, duration: float) -> None:
        """Let readings be beyond the range for `duration` s."""
        self.meter.overload_until = self.port.time + duration

    def now(self) -> datetime:
        return self.epoch + timedelta(seconds=self.port.time)

    def accept(self, command: Command) -> None:
        if self.language != "SCPI" and not command.pattern.startswith("*"):
            raise ScpiError(-285)
        super().accept(command)

    def refuse_if_busy(self) -> None:
        if self.triggers.running:
            raise ScpiError(-221, "the trigger model is running")

    def wait(self) -> None:
        self.triggers.wait()

    def when_done(self, then: Callable[[], None]) -> None:
        self.triggers.when_done(then)

    def trigger(self) -> None:
        """Nothing waits for `*TRG`: the trigger models built here have no wait block."""

    def reset(self) -> None:
        """As after `*RST`: output off, default settings, no readings, no buffers of one's own."""
        self.switch(False)
        self.settings = defaults(self.model)
        self.buffers = Buffers()
        self.active_buffer = "defbuffer1"
        self.triggers.load(None)
        self.timers = _timers()
        self.meter.forget_level()

    def power_cycle(self) -> None:
        """Switched off and on again: the relay opens, everything is forgotten."""
        self._end_reading()
        with self.lock:
            self._closing = False
            self.reset()
            self._was_on = False
            self.output.release("HIMP")
            self.log.clear()
            self.language = self.next_language
            self.status.events = 0x80

    def close(self) -> None:
        """End whatever is under way, for good."""
        self._end_reading()
        with self.lock:
            self.abort()

    def _end_reading(self) -> None:
        """Let whoever waits for a reading go, and with it the lock."""
        self._closing = True
        self.port.interrupt()

    def _is_stopping(self) -> bool:
        return self._closing or self.triggers.stopping

    def abort(self) -> None:
        """End the trigger model; the output stays as it is."""
        self.triggers.abort(self.port.interrupt)

    def switch(self, on: bool) -> None:
        """Output on or off; off ends the trigger model too."""
        if not on:
            self.abort()
        if on:
            self.close_relay()
        else:
            self.settings.output = False
            self.rest()

    def close_relay(self) -> None:
        """Output on: source what the settings say."""
        self.settings.output = self._was_on = True
        self.meter.forget_level()
        self.apply()

    def apply(self) -> None:
        """Make the output source what the settings say, if it is on."""
        settings = self.settings
        if not settings.output:
            return
        level, limit = settings.source.level, settings.source.limit
        if settings.protection != "NONE":
            top = float(settings.protection.removeprefix("PROT"))
            if settings.source_function == "VOLT":
                level = min(max(level, -top), top)
            else:
                limit = min(limit, top)
        self.output.drive(settings.source_function, level, limit)

    def set_level(self, function: Function, level: float) -> None:
        """Give a source another level; auto range follows it."""
        source = self.settings.sources[function]
        source.level = level
        if source.auto_range:
            source.range = self.model.quantity(function).range_for(level)
        if function == self.settings.source_function:
            self.apply()

    def rest(self) -> None:
        """Put the switched-off output into its off mode, unless the relay never closed."""
        if not self.settings.output and self._was_on:
            self.output.release(self.settings.source.off_mode)

    @property
    def protecting(self) -> bool:
        """Whether overvoltage protection keeps the output below what is asked for."""
        return protects(self.settings)

    def note(self, text: str, kind: int) -> None:
        """A line of the client's own for the event log."""
        self.log.post(1, text, EventKind(kind))

    def measure(self, buffer: str) -> Reading:
        """As many measurements as `:COUNt` says into a buffer; the last of them.

        Raises ScpiError if the trigger model is running.
        """
        self.refuse_if_busy()
        into = self.buffers[buffer]
        at = self.port.time + self.meter.delay()
        try:
            reading = self.meter.measure(at)
            into.append(reading)
            for _ in range(1, self.settings.count):
                reading = self.meter.measure(reading.time, first=False)
                into.append(reading)
        except Interrupted:
            raise ScpiError(-200, "the reading was interrupted") from None
        return reading

    def initiate(self) -> None:
        """Start the trigger model. ScpiError -213 if it runs, -221 if there is none."""
        if self.triggers.running:
            raise ScpiError(-213)
        if self.triggers.plan is None:
            raise ScpiError(-221, "the trigger model is empty")
        for buffer in self.triggers.plan.buffers:
            if self.buffers[buffer].style.startswith(("WRIT", "FULLWRIT")):
                raise ScpiError(-221, "writable buffers take no measurements")
        self.triggers.start()

    def _run(self, plan: Plan | Blocks) -> None:
        if isinstance(plan, Blocks):
            run_blocks(self, plan)
        else:
            run(self, plan)


def _timers() -> dict[str, Timer]:
    return {f"TIM{number}": Timer() for number in range(1, 5)}
