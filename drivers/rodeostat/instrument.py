"""What the instrument does on command; and how the cell is seen to be disconnected."""

from collections.abc import Callable
from time import monotonic, sleep

from drivers.link import Link
from sicmctl.hal.capabilities import Identity
from sicmctl.hal.errors import (
    InstrumentError,
    NoAnswer,
    NotConnected,
    NotSupported,
    UnexpectedState,
)
from sicmctl.hal.timeline import Stamp

from .messages import Garbled, Message, Messages, Sample, number, sample
from .variants import MICRO, Variant, variant
from .waveforms import Waveform

_END = 0.5
"""s within which the end of a stopped test is announced."""
_PATIENCE = 3
"""Times the time of an answer in which it is tried to connect again ..."""
_AGAIN = 0.1
"""... and s between the attempts."""
_ATTEMPTS = 8
"""Readings of a potential, at most, until one is good."""
_HELD_UP = 4e-3
"""s that a reading may take: the conversion, and the way there and back."""
_SMALL = 0.9
"""Share of the next smaller range below which a potential is read on that one."""


class Instrument:
    """A Rodeostat whose electrodes can be disconnected."""

    def __init__(self, resource: str, timeout: float) -> None:
        self._timeout = timeout
        self.messages = Messages(Link(resource), f"rodeostat {resource}", timeout)
        self._closed = False
        try:
            self.messages.open()
            self.identity, self.variant = self._recognise()
            self._reference = tuple(self.variant.volts)[-1]
        except BaseException:
            self.messages.close()
            raise

    def is_on(self) -> bool:
        """Whether the cell is under control: all its electrodes are connected."""
        return self.messages.value("getAllElectConnected", "connected") is True

    def rest(self, measuring: bool) -> None:
        """End any test and disconnect the cell; `measuring` leaves working and reference on."""
        self.stop()
        self.messages.ask("setAllElectConnected", connected=False)
        if self.messages.value("getCtrElectConnected", "connected") is not False:
            raise UnexpectedState(
                self.messages.name,
                "disconnect",
                "the counter electrode stays connected: the cell is still driven",
                "take the cable off the cell",
            )
        if measuring:
            for electrode in ("Ref", "Wrk"):
                self.messages.ask(f"set{electrode}ElectConnected", connected=True)

    def hold(self, potential: float) -> None:
        """Connect the cell at a potential, V.

        It is disconnected while its range is chosen: the converter would keep its code, which is
        another potential on another range.
        """
        name = self.variant.volt_range(potential)
        if self.messages.value("getVoltRange", "voltRange") != name:
            self.rest(measuring=False)
            self.messages.ask("setVoltRange", voltRange=name)
        self.messages.ask("setVolt", v=float(potential))
        self.messages.ask("setAllElectConnected", connected=True)
        if not self.is_on():
            raise UnexpectedState(
                self.messages.name, "hold", "it does not connect the cell", "check its hardware"
            )

    def read(self) -> tuple[float, float]:
        """Return potential (V) and current (A); reference and working are connected for it."""
        if not self.is_on():
            for electrode in ("Ref", "Wrk"):
                self.messages.ask(f"set{electrode}ElectConnected", connected=True)
        return self.potential(), self._number("getCurr", "i") * MICRO

    def potential(self) -> float:
        """Return the potential of the reference input, V, on the range that suits it."""
        return self.timed_potential(lambda: Stamp(0.0))[1]

    def timed_potential(self, now: Callable[[], Stamp]) -> tuple[Stamp, float, Stamp]:
        """Return the potential of the reference input, V, and the times before and after.

        A reading is repeated on another range if that suits it better, and a few times if it was
        held up on its way, so that it is not known well enough when it was taken.
        """
        before, found, after = now(), 0.0, now()
        for _ in range(_ATTEMPTS):
            self.messages.ask("setRefElectVoltRange", voltRange=self._reference)
            before = now()
            found = self._number("getRefVolt", "r")
            after = now()
            better = self.variant.volt_range(found / _SMALL)
            if better == self._reference and after.time - before.time < _HELD_UP:
                break
            self._reference = better
        return before, found, after

    def choose(self, current: float) -> float:
        """Choose the range for a current, A; return its full scale."""
        name = self.variant.current_range(current)
        self.messages.ask("setCurrRange", currRange=name)
        return self.variant.currents[name]

    def prepare(self) -> None:
        """End any test; from now on a test connects the cell, and disconnects it at its end."""
        self.stop()
        self.messages.ask("setElectAutoConnect", autoConnect=True)

    def start(self, test: Waveform) -> None:
        """Start a test."""
        self.messages.ask("setSamplePeriod", samplePeriod=test.sample_period)
        self.messages.ask("setParam", test=test.name, param=test.parameters)
        self.messages.ask("runTest", test=test.name)

    def stop(self) -> None:
        """End the test, if one runs, and wait for its last word."""
        self.messages.ask("stopTest")
        deadline = monotonic() + _END
        while (left := deadline - monotonic()) > 0:
            message = self.messages.hear("stopTest", left)
            if message is not None and self.sample(message) is None:
                break

    def sample(self, message: Message) -> Sample | None:
        """Return the sample that a message is; None at the end of a test."""
        try:
            return sample(message, MICRO)
        except ValueError as error:
            raise self.messages.garbled("run a test", str(message)[:60]) from error

    def _number(self, command: str, key: str) -> float:
        value = self.messages.value(command, key)
        try:
            return number(value)
        except ValueError as error:
            raise self.messages.garbled(command, repr(value)) from error

    def _recognise(self) -> tuple[Identity, Variant]:
        name = str(self.messages.value("getVariant", "variant"))
        found = variant(name)
        if found is None:
            raise NotSupported(
                self.messages.name,
                "connect",
                f"its variant {name!r} is not known",
                "this driver runs nanoAmp, microAmp and milliAmp variants",
            )
        firmware = str(self.messages.value("getVersion", "version"))
        serial = str(self.messages.value("getDeviceId", "deviceId"))
        try:
            self.is_on()
        except (NotConnected, NoAnswer, Garbled):
            raise
        except InstrumentError as error:
            raise NotSupported(
                self.messages.name,
                "connect",
                "its hardware cannot disconnect the cell",
                "hardware 0.2 or later is needed, with firmware 0.0.5 or later",
            ) from error
        return Identity("IO Rodeo", f"Rodeostat {name}", serial, firmware), found

    def close(self) -> None:
        """Let go of it for good."""
        self._closed = True
        self.messages.close()

    # -- after an error

    def secured(self, error: InstrumentError) -> InstrumentError:
        """Disconnect the cell after an error; return the error with what is known of the cell."""
        if not isinstance(error, NotConnected | NoAnswer | Garbled):
            try:
                self.rest(measuring=False)
            except (NotConnected, NoAnswer, Garbled) as worse:
                error = worse
            except InstrumentError as worse:
                return worse
            else:
                return error
        return self._reconnected(error)

    def _reconnected(self, error: InstrumentError) -> NotConnected:
        """Connect once more; disconnect the same one's cell."""
        problem, deadline = error.problem, monotonic() + _PATIENCE * self._timeout
        known = (
            "it could not be reached again: THE CELL MAY STILL BE ON, "
            "until the end of the step if one ran"
        )
        remedy = "take the cable off the cell; then connect again"
        while not self._closed:
            try:
                self.messages.open()
                found = self._recognise()[0]
                if found != self.identity:
                    problem += f"; {found.model} {found.serial} answers in its place"
                    self.messages.close()
                    break
                was = "connected" if self.is_on() else "disconnected"
                self.rest(measuring=False)
                known = f"connected again: the cell was {was}, and the cell is disconnected now"
                remedy = "the program was ended; check the cable before the next"
                break
            except InstrumentError:
                self.messages.close()
                if monotonic() > deadline:
                    break
                sleep(_AGAIN)
        return NotConnected(self.messages.name, error.command, f"{problem}; {known}", remedy)
