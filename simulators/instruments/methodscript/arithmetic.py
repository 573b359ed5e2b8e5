"""Script commands that compute."""

import math
from collections.abc import Callable
from dataclasses import replace

from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.machine import Machine
from simulators.instruments.methodscript.registry import command
from simulators.instruments.methodscript.slots import Slot, element
from simulators.instruments.methodscript.values import Value

WORD = 1 << 32


@command(3, "out num type")
def store_var(run: Machine, slot: Slot, value: Value, kind: str) -> None:
    slot.set(replace(value, kind=kind, status=None, range=None))


@command(4, "num out")
def copy_var(run: Machine, value: Value, slot: Slot) -> None:
    slot.set(value)


@command(92, "out type")
def alter_vartype(run: Machine, slot: Slot, kind: str) -> None:
    slot.set(replace(slot.get(), kind=kind))


def _binary(bit: int, name: str, work: Callable[[float, float], float]) -> None:
    def body(run: Machine, slot: Slot, value: Value) -> None:
        old = slot.get()
        integer = old.integer
        if integer != value.integer and integer and not value.number.is_integer():
            integer = False
        number = work(old.number, value.number)
        if math.isnan(number) or math.isinf(number):
            raise ScriptError(Code.NOT_A_NUMBER)
        slot.set(Value(math.trunc(number) if integer else number, old.kind, integer))

    command(bit, "out num", name=name)(body)


def _divide(a: float, b: float) -> float:
    if b == 0:
        raise ScriptError(Code.DIVIDED_BY_ZERO)
    return a / b


def _remainder(a: float, b: float) -> float:
    if b == 0:
        raise ScriptError(Code.DIVIDED_BY_ZERO)
    return math.fmod(a, b)


def _power(a: float, b: float) -> float:
    result = a**b if a or b >= 0 else math.nan
    return result if isinstance(result, float | int) else math.nan


_binary(5, "add_var", lambda a, b: a + b)
_binary(6, "sub_var", lambda a, b: a - b)
_binary(7, "mul_var", lambda a, b: a * b)
_binary(8, "div_var", _divide)
_binary(96, "mod_var", _remainder)
_binary(112, "pow_var", _power)


@command(114, "out")
def log_var(run: Machine, slot: Slot) -> None:
    """Base 10."""
    old = slot.get()
    if not old.number > 0:
        raise ScriptError(Code.NOT_A_NUMBER)
    slot.set(Value(math.log10(old.number), old.kind))


def _bits(value: Value) -> int:
    if not value.integer:
        raise ScriptError(Code.WRONG_NUMBER_TYPE)
    return int(value.number) % WORD


def _bitwise(bit: int, name: str, work: Callable[[int, int], int]) -> None:
    def body(run: Machine, slot: Slot, value: Value) -> None:
        number = work(_bits(slot.get()), _bits(value)) % WORD
        signed = number - WORD if number >= WORD // 2 else number
        slot.set(Value(signed, slot.get().kind, integer=True))

    command(bit, "out num", name=name)(body)


def _shift(a: int, b: int, left: bool) -> int:
    if b >= 32:
        return 0
    return a << b if left else a >> b


_bitwise(73, "bit_and_var", lambda a, b: a & b)
_bitwise(74, "bit_or_var", lambda a, b: a | b)
_bitwise(75, "bit_xor_var", lambda a, b: a ^ b)
_bitwise(76, "bit_lsl_var", lambda a, b: _shift(a, b, True))
_bitwise(77, "bit_lsr_var", lambda a, b: _shift(a, b, False))


@command(78, "out")
def bit_inv_var(run: Machine, slot: Slot) -> None:
    number = ~_bits(slot.get()) % WORD
    signed = number - WORD if number >= WORD // 2 else number
    slot.set(Value(signed, slot.get().kind, integer=True))


@command(71, "out")
def int_to_float(run: Machine, slot: Slot) -> None:
    slot.set(replace(slot.get(), number=float(slot.get().number), integer=False))


def _whole(slot: Slot, work: Callable[[float], int]) -> None:
    old = slot.get()
    if not math.isfinite(old.number):
        raise ScriptError(Code.NOT_A_NUMBER)
    if abs(old.number) >= WORD // 2:
        raise ScriptError(Code.OVERFLOW)
    slot.set(Value(work(old.number), old.kind, integer=True))


@command(72, "out")
def float_to_int(run: Machine, slot: Slot) -> None:
    """Cuts off what follows the point."""
    _whole(slot, math.trunc)


@command(138, "out")
def float_to_int_round(run: Machine, slot: Slot) -> None:
    _whole(slot, round)


@command(53, "arr num out")
def array_get(run: Machine, array: list[Value], place: Value, slot: Slot) -> None:
    slot.set(array[element(array, place)])


@command(54, "arr num num")
def array_set(run: Machine, array: list[Value], place: Value, value: Value) -> None:
    array[element(array, place)] = value


@command(116, "arr out")
def mean(run: Machine, array: list[Value], slot: Slot) -> None:
    slot.set(Value(math.fsum(v.number for v in array) / len(array), array[0].kind))


@command(115, "arr arr out out")
def linear_fit(
    run: Machine, xs: list[Value], ys: list[Value], slope: Slot, intercept: Slot
) -> None:
    """Least squares."""
    if len(xs) != len(ys):
        raise ScriptError(Code.ARRAY_SIZES_DIFFER)
    x_mean = math.fsum(x.number for x in xs) / len(xs)
    y_mean = math.fsum(y.number for y in ys) / len(ys)
    spread = math.fsum((x.number - x_mean) ** 2 for x in xs)
    shared = math.fsum(
        (x.number - x_mean) * (y.number - y_mean) for x, y in zip(xs, ys, strict=True)
    )
    steepness = _divide(shared, spread)
    slope.set(Value(steepness))
    intercept.set(Value(y_mean - steepness * x_mean))
