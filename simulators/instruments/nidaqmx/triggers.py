"""Start and pause triggers, and the card's one analog comparator."""

from dataclasses import dataclass

from nidaqmx.constants import ActiveLevel, Edge, Level, Slope, TriggerType

from simulators.plant import Watch

NONE = TriggerType.NONE.value
ANALOG_EDGE, DIGITAL_EDGE = TriggerType.ANALOG_EDGE.value, TriggerType.DIGITAL_EDGE.value
ANALOG_LEVEL, DIGITAL_LEVEL = TriggerType.ANALOG_LEVEL.value, TriggerType.DIGITAL_LEVEL.value
"""NI's numbers of trigger types."""
_ABOVE, _HIGH = ActiveLevel.ABOVE.value, Level.HIGH.value


@dataclass
class StartTrigger:
    """What starts the sample clock of a running task. Levels and hysteresis in volts."""

    kind: int = NONE
    digital_source: str = ""
    digital_edge: int = Edge.RISING.value
    analog_source: str = ""
    analog_slope: int = Slope.RISING.value
    analog_level: float = 0.0
    analog_hysteresis: float = 0.0
    retriggerable: bool = False

    @property
    def rising(self) -> bool:
        """Whether the rising one of the two edges starts the task."""
        if self.kind == ANALOG_EDGE:
            return self.analog_slope == Slope.RISING.value
        return self.digital_edge == Edge.RISING.value


@dataclass
class PauseTrigger:
    """What gates the sample clock of a running task. Levels and hysteresis in volts."""

    kind: int = NONE
    digital_source: str = ""
    digital_when: int = Level.HIGH.value
    analog_source: str = ""
    analog_level: float = 0.0
    analog_hysteresis: float = 0.0
    analog_when: int = ActiveLevel.ABOVE.value

    @property
    def when_high(self) -> bool:
        """Whether a high level (digital) or a signal above the level (analog) pauses."""
        if self.kind == ANALOG_LEVEL:
            return self.analog_when == _ABOVE
        return self.digital_when == _HIGH


@dataclass
class Comparator:
    """The analog trigger circuit: high when the signal exceeds `high`, low below `low` (volts).

    X-series cards have one. Tasks may share it only with equal settings.
    """

    source: str
    output: int | None
    """Plant output it looks at; None for a terminal that nothing is wired to (0 V)."""
    low: float
    high: float
    is_high: bool

    def look(self, volts: float) -> bool:
        """Take a new value of the signal; True if the state changed."""
        was = self.is_high
        self.is_high = volts > self.high or (was and volts >= self.low)
        return self.is_high != was

    def watch(self) -> Watch | None:
        """The same comparator, for the plant."""
        if self.output is None:
            return None
        return Watch(self.output, self.low, self.high, self.is_high)


def band(trigger: StartTrigger | PauseTrigger) -> tuple[float, float]:
    """Low and high threshold of an analog trigger, in volts.

    Hysteresis lies on the side that the signal must leave before the trigger can act again.
    """
    upward = trigger.rising if isinstance(trigger, StartTrigger) else trigger.when_high
    level, hysteresis = trigger.analog_level, abs(trigger.analog_hysteresis)
    return (level - hysteresis, level) if upward else (level, level + hysteresis)


def initial_state(trigger: StartTrigger | PauseTrigger, volts: float) -> bool:
    """State of a comparator that wakes up at `volts`; inside the band it must not act at once."""
    low, high = band(trigger)
    if volts > high or volts < low:
        return volts > high
    if isinstance(trigger, StartTrigger):
        return trigger.rising
    return not trigger.when_high
