"""The variables and arrays of a running script."""

from collections.abc import Callable
from dataclasses import dataclass

from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.program import Ref
from simulators.instruments.methodscript.values import Value

MOST_ELEMENTS = 100_000
"""Of all arrays of a script together."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that a value can be stored in."""

    get: Callable[[], Value]
    set: Callable[[Value], None]


class Variables:
    """By name."""

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._arrays: dict[str, list[Value]] = {}

    def declare(self, name: str) -> None:
        """A new variable; declared again in a loop, it starts afresh."""
        self._values[name] = Value(0.0)

    def declare_array(self, name: str, size: Value) -> None:
        """A new array of zeros."""
        count = index(size)
        used = sum(len(a) for key, a in self._arrays.items() if key != name)
        if count < 1:
            raise ScriptError(Code.NOT_POSITIVE)
        if used + count > MOST_ELEMENTS:
            raise ScriptError(Code.OUT_OF_MEMORY)
        self._arrays[name] = [Value(0.0)] * count

    def array(self, name: str) -> list[Value]:
        """The elements of an array."""
        if name not in self._arrays:  # its declaration was jumped over
            raise ScriptError(Code.NOT_DECLARED)
        return self._arrays[name]

    def value(self, operand: Value | Ref) -> Value:
        """What an operand is worth."""
        return operand if isinstance(operand, Value) else self.slot(operand).get()

    def slot(self, ref: Ref) -> Slot:
        """Where a variable or an element lives."""
        name = ref.name
        if ref.index is None:
            if name not in self._values:
                raise ScriptError(Code.NOT_DECLARED)
            return Slot(
                lambda: self._values[name], lambda value: self._values.__setitem__(name, value)
            )
        array = self.array(name)
        place = element(array, self.value(ref.index))
        return Slot(lambda: array[place], lambda value: array.__setitem__(place, value))


def index(value: Value) -> int:
    """A whole number, from an integer or a float that is one."""
    if value.number != value.number or abs(value.number) > 1e9:
        raise ScriptError(Code.OUT_OF_BOUNDS)
    return round(value.number)


def element(array: list[Value], place: Value) -> int:
    """A place in an array; ScriptError if there is none."""
    number = index(place)
    if not 0 <= number < len(array):
        raise ScriptError(Code.INDEX_OUT_OF_BOUNDS)
    return number
