"""The analog side: ranges, the converter that sets the potential, electrodes."""

from simulators.cellport import CellPort, Control, Interrupted, Reading
from simulators.instruments.rodeostat.errors import Refused

VOLT_RANGES = {"1V": 1.0, "2V": 2.0, "5V": 5.0, "10V": 10.0}
CURR_RANGES = {"1uA": 1e-6, "10uA": 1e-5, "100uA": 1e-4, "1000uA": 1e-3}
"""Names and full scales (V, A) of the variant with microamperes."""

ELECTRODES: tuple[str, ...] = ("Ref", "Ctr", "Wrk")
_STEPS = 4095
_SETTLING = 1e-3
"""s that a reading on command takes."""


class Analog:
    """The cell as the firmware sees it. Potentials in V, currents in uA."""

    def __init__(self, port: CellPort) -> None:
        self.port = port
        self.overload_until = -1.0
        self.reset()

    def reset(self) -> None:
        """As after power-on: 0 V, smallest ranges, no electrode connected."""
        self.volt_range, self.ref_range, self.curr_range = "1V", "1V", "1uA"
        self.connected: dict[str, bool] = dict.fromkeys(ELECTRODES, False)
        self._code = _STEPS // 2
        self.set_curr_range(self.curr_range)
        self.hold()

    @property
    def volt(self) -> float:
        """The potential that is set: a whole number of the converter's steps."""
        full = VOLT_RANGES[self.volt_range]
        return self._code / _STEPS * 2 * full - full

    def set_volt(self, volt: float, at: float | None = None) -> None:
        """Set the potential, now or at a time (s); the converter cuts off what it cannot do."""
        full = VOLT_RANGES[self.volt_range]
        self._code = min(max(int(_STEPS / (2 * full) * (full + volt)), 0), _STEPS)
        self.hold(at)

    def hold(self, at: float | None = None) -> None:
        """Keep the cell at the potential that is set, if its electrodes are connected."""
        if all(self.connected.values()):
            self.port.control(Control.POTENTIAL, self.volt, at=at)
        else:
            self.port.control(Control.OPEN, at=at)

    def ramp(self, volt: float, slope: float, at: float) -> None:
        """Go through `volt` at a time (s) with a slope in V/s, as the converter in fine steps."""
        if slope == 0:
            self.set_volt(volt, at)
            return
        full = VOLT_RANGES[self.volt_range]
        self._code = min(max(int(_STEPS / (2 * full) * (full + volt)), 0), _STEPS)
        if all(self.connected.values()):
            self.port.control(Control.POTENTIAL, min(max(volt, -full), full), slope, at)

    def connect(self, value: bool, *which: str) -> None:
        """Connect or disconnect electrodes."""
        self.connected |= dict.fromkeys(which or ELECTRODES, value)
        self.hold()

    def set_volt_range(self, name: str) -> None:
        """Choose the range of the potential. The converter keeps its code, not its voltage."""
        if name not in VOLT_RANGES:
            raise Refused(f"voltRange, {name}, not found")
        self.volt_range = name
        self.hold()

    def set_ref_range(self, name: str) -> None:
        """Choose the range in which the reference electrode is measured."""
        if name not in VOLT_RANGES:
            raise Refused(f"voltRange, {name}, not found")
        self.ref_range = name

    def set_curr_range(self, name: str) -> None:
        """Choose the current range."""
        if name not in CURR_RANGES:
            raise Refused(f"currRange, {name}, not found")
        self.curr_range = name
        self.port.set_current_range(CURR_RANGES[name])

    def fit(self, low: float, high: float) -> None:
        """Take the smallest range that holds both; none if there is none."""
        fitting = (name for name, full in VOLT_RANGES.items() if -full <= low and high <= full)
        name = next(fitting, self.volt_range)
        self.set_volt_range(name)
        self.set_ref_range(name)

    def read(self, at: float | None = None, average: float = 0.0) -> Reading:
        """Read the cell at a time (s), or soon. An old interrupt does not end it."""
        when = self.port.time + _SETTLING if at is None else at
        try:
            return self.port.read(when, average)
        except Interrupted:
            return self.port.read(when, average)

    def current(self, reading: Reading) -> tuple[float, bool]:
        """uA, and whether it is beyond the range, where it stays at the end of it."""
        full = CURR_RANGES[self.curr_range] * 1e6
        if reading.time < self.overload_until or reading.overload:
            return (full if reading.current >= 0 else -full), True
        return min(max(reading.current * 1e6, -full), full), False
