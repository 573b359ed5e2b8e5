"""Setting a test's parameters as the firmware does: what is good is taken, the rest is named."""

from typing import Any

from simulators.instruments.rodeostat.errors import Refused
from simulators.instruments.rodeostat.techniques import MOST_STEPS

_TOP = 2**32


def change(values: dict[str, Any], wanted: Any, accepted: dict[str, Any]) -> None:
    """Change `values` to what is wanted; what was taken goes into `accepted`.

    Raises Refused that names all that could not be taken.
    """
    if not isinstance(wanted, dict):
        raise Refused("param not JsonObject")
    problems: list[str] = []
    for name, old in values.items():
        try:
            if name == "step":
                values[name] = accepted[name] = _steps(wanted)
            elif name in wanted:
                values[name] = accepted[name] = _number(name, wanted[name], old)
        except Refused as refused:
            problems.append(str(refused))
    if problems:
        raise Refused(", ".join(problems))


def is_whole(value: Any) -> bool:
    """Whether it is an unsigned 32-bit number on the wire."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _TOP


def is_number(value: Any) -> bool:
    """Whether it is a number on the wire."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30


def _number(name: str, value: Any, old: float) -> float:
    if isinstance(old, int):
        if not is_whole(value):
            raise Refused(f"{name} not uint32")
        return max(value, 1) if name == "period" else value
    if not is_number(value):
        raise Refused(f"{name} not a float")
    return _tamed(name, float(value))


def _tamed(name: str, value: float) -> float:
    """Sizes have no sign, a window and a shift are fractions."""
    if name == "shift" and not 0 <= value <= 1:
        raise Refused("shift out of range")
    if name == "window":
        return min(abs(value), 1.0)
    return abs(value) if name == "stepValue" else value


def _steps(wanted: dict[str, Any]) -> list[list[float]]:
    if "step" not in wanted:
        raise Refused("step key not found")
    steps = wanted["step"]
    if not isinstance(steps, list):
        raise Refused("step not a JsonArray")
    if len(steps) > MOST_STEPS:
        raise Refused("step array too large")
    for step in steps:
        if not isinstance(step, list):
            raise Refused("step item not JsonArary")
        if len(step) != 2:
            raise Refused("step item size!=2")
        if not is_whole(step[0]):
            raise Refused("step item[0] not uint32")
        if not (is_number(step[1]) and isinstance(step[1], float)):
            raise Refused("step item[1] not float")
    return [list(step) for step in steps]
