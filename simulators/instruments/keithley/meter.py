"""One measurement: how long it takes, which range it ends in, what is recorded."""

from collections.abc import Callable

from simulators.instruments.keithley.buffers import Reading
from simulators.instruments.keithley.models import Model
from simulators.instruments.keithley.output import Output, Seen
from simulators.instruments.keithley.settings import Settings

OVERFLOW = 9.9e37
"""What a reading beyond its range is reported as."""

_OVERHEAD = 300e-6
"""s of each reading beside the integration."""
_DOWN = 0.09
"""Auto range goes down when the reading falls below this share of the range."""
_UNITS = {"VOLT": "VOLT", "CURR": "AMP", "RES": "OHM"}
_SLOW_RANGES = {1e-8: 50e-3, 1e-7: 20e-3, 1e-6: 10e-3}
"""Automatic source delay (s) by current range; 1 ms beyond."""

_PROTECTION, _READ_BACK, _LIMIT, _FOUR_WIRE, _OUTPUT = 0x02, 0x04, 0x10, 0x20, 0x40
_QUESTIONABLE, _FRONT, _START_OF_GROUP = 0x01, 0x08, 0x100


class Meter:
    """Measures what the settings say, through the output's eyes."""

    def __init__(
        self, model: Model, output: Output, settings: Callable[[], Settings], line: float
    ) -> None:
        self._model, self._output, self._settings, self._line = model, output, settings, line
        self.overload_until = -1.0
        self.range = model.curr.ranges[-1]
        self._delayed_level: float | None = None

    @property
    def aperture(self) -> float:
        """Integration time of one conversion, s."""
        return self._settings().sense.line_cycles / self._line

    @property
    def duration(self) -> float:
        """Time of one reading without delays and range changes, s.

        The source is read back before the measurement; auto zero takes two more conversions of
        each.
        """
        settings = self._settings()
        conversions = 2 if settings.source.read_back else 1
        conversions *= 3 if settings.sense.auto_zero else 1
        return conversions * self.aperture + _OVERHEAD

    def delay(self) -> float:
        """The source delay before the next reading, s: only after the level has changed."""
        settings = self._settings()
        source = settings.source
        if not settings.output or source.level == self._delayed_level:
            return 0.0
        self._delayed_level = source.level
        return _SLOW_RANGES.get(self.range, 1e-3) if source.auto_delay else source.delay

    def forget_level(self) -> None:
        """The next reading follows a change of the source."""
        self._delayed_level = None

    def measure(self, start: float, first: bool = True) -> Reading:
        """One reading that begins at `start` (s, the port's clock); averaged if that is on."""
        settings = self._settings()
        count = settings.sense.average_count if settings.sense.averages else 1
        at = start
        seen = []
        for _ in range(count):
            seen.append(self._in_range(at))
            at = seen[-1].time
        return self._record(settings, _mean(seen), first)

    def _in_range(self, start: float) -> Seen:
        """Read, changing the current range until the reading fits it."""
        self._choose(self._wanted())
        seen = self._output.read(start + self.duration, self.aperture)
        for _ in range(len(self._model.curr.ranges)):
            better = self._better(seen)
            if better == self.range:
                break
            up = better > self.range
            self._choose(better)
            seen = self._output.read(seen.time + self.duration, self.aperture)
            if not (up or seen.overload):
                break
        return seen

    def _choose(self, full_scale: float) -> None:
        if full_scale != self.range:
            self.range = full_scale
        self._output.port.set_current_range(full_scale)

    @property
    def _automatic(self) -> bool:
        settings = self._settings()
        return settings.sense_function != "CURR" or settings.senses["CURR"].auto_range

    def _wanted(self) -> float:
        """The range to begin with."""
        settings = self._settings()
        if settings.source_function == "CURR":
            return settings.sources["CURR"].range
        return self.range if self._automatic else settings.senses["CURR"].range

    def _better(self, seen: Seen) -> float:
        """The range the reading asks for."""
        if not self._automatic or self._settings().source_function == "CURR":
            return self.range
        ranges = self._model.curr.ranges
        place = ranges.index(self.range)
        if seen.overload:
            return ranges[min(place + 1, len(ranges) - 1)]
        if abs(seen.curr) < _DOWN * self.range:
            return self._model.curr.range_for(seen.curr * 1.1)
        return self.range

    def _record(self, settings: Settings, seen: Seen, first: bool) -> Reading:
        function, source = settings.source_function, settings.source
        if settings.sense_function == "CURR" and self._automatic:
            settings.senses["CURR"].range = self.range
        if settings.sense_function == "VOLT" and settings.senses["VOLT"].auto_range:
            settings.senses["VOLT"].range = self._model.volt.range_for(seen.volt)
        read_back = source.read_back
        return Reading(
            value=self._value(settings, seen),
            source=seen.of(function) if read_back else source.level,
            time=seen.time,
            unit=_UNITS[settings.sense_function],
            source_unit=_UNITS[function],
            status=(_QUESTIONABLE if seen.compliance else 0)
            | (_FRONT if settings.terminals == "FRON" else 0)
            | (_START_OF_GROUP if first else 0),
            source_status=(_READ_BACK if read_back else 0)
            | (_LIMIT if self._output.tripped else 0)
            | (_FOUR_WIRE if settings.sense.four_wire else 0)
            | (_OUTPUT if settings.output else 0)
            | (_PROTECTION if protects(settings) else 0),
        )

    def _value(self, settings: Settings, seen: Seen) -> float:
        if seen.time < self.overload_until:
            return OVERFLOW
        if settings.sense_function == "VOLT":
            sense = settings.senses["VOLT"]
            inside = sense.auto_range or self._model.volt.range_for(seen.volt) <= sense.range
            return seen.volt if inside else OVERFLOW
        if seen.overload:
            return OVERFLOW
        if settings.sense_function == "CURR":
            return seen.curr
        return seen.volt / seen.curr if seen.curr else OVERFLOW


def protects(settings: Settings) -> bool:
    """Whether overvoltage protection keeps the output below what is asked for."""
    if settings.protection == "NONE" or not settings.output:
        return False
    source, top = settings.source, float(settings.protection.removeprefix("PROT"))
    return (source.level if settings.source_function == "VOLT" else source.limit) > top


def _mean(seen: list[Seen]) -> Seen:
    last = seen[-1]
    return Seen(
        last.time,
        sum(one.volt for one in seen) / len(seen),
        sum(one.curr for one in seen) / len(seen),
        any(one.overload for one in seen),
        any(one.compliance for one in seen),
    )
