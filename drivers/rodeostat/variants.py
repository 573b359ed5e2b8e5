"""What the variants of the hardware can measure and apply."""

from dataclasses import dataclass

MICRO = 1e-6
"""Unit of all currents on the wire, A."""


@dataclass(frozen=True)
class Variant:
    """currents (A), volts (V): full scales by name on the wire, rising."""

    currents: dict[str, float]
    volts: dict[str, float]

    def current_range(self, wanted: float) -> str:
        """Return the smallest range that holds a current (A), or the greatest there is."""
        return _smallest(self.currents, wanted)

    def volt_range(self, wanted: float) -> str:
        """Return the smallest range that holds a potential (V), or the greatest there is."""
        return _smallest(self.volts, wanted)


def _smallest(ranges: dict[str, float], wanted: float) -> str:
    fitting = (name for name, full in ranges.items() if abs(wanted) <= full * (1 + 1e-9))
    return next(fitting, tuple(ranges)[-1])


_VOLTS = {"1V": 1.0, "2V": 2.0, "5V": 5.0, "10V": 10.0}
_VOLTS_AD8251 = {"1V": 1.0, "2V": 2.0, "4V": 4.0, "8V": 8.0}
_CURRENTS = {
    "nanoAmp": {"60nA": 60e-9, "100nA": 100e-9, "1uA": 1e-6, "10uA": 10e-6},
    "microAmp": {"1uA": 1e-6, "10uA": 10e-6, "100uA": 100e-6, "1000uA": 1e-3},
    "milliAmp": {"100uA": 100e-6, "1000uA": 1e-3, "12000uA": 12e-3, "24000uA": 24e-3},
}


def variant(name: str) -> Variant | None:
    """Return what a variant such as `10V_microAmpV0.2` can do; None if it is not known."""
    for word, currents in _CURRENTS.items():
        if word in name:
            return Variant(currents, _VOLTS_AD8251 if name.startswith("AD8251") else _VOLTS)
    return None
