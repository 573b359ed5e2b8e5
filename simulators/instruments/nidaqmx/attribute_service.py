"""The attribute calls: Get, Set and Reset for each family and type, made from one pattern."""

from collections.abc import Callable
from typing import Any

from nidaqmx._stubs import nidaqmx_pb2 as pb

from simulators.instruments.nidaqmx import attributes, channel_attributes, device
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.rpc import Calls, Context, choice, rpc

TYPES = (
    "Bool", "Double", "Int32", "String", "UInt32", "UInt64",
    "DoubleArray", "Int32Array", "UInt32Array",
)  # fmt: skip


class AttributeCalls(Calls):
    """Filled below."""


def _answer(family: str, type_: str, value: Any) -> Any:
    """A Get response; enum numbers go into both of its fields."""
    response = getattr(pb, f"Get{family}Attribute{type_}Response")
    fields = response.DESCRIPTOR.fields_by_name
    return response(**{name: value for name in ("value", "value_raw") if name in fields})


def _value(request: Any) -> Any:
    """The value of a Set request, whichever way it was sent."""
    return choice(request, "value") if hasattr(request, "value_raw") else request.value


def _task_getter(family: str, type_: str) -> Callable[..., Any]:
    def get(self: Calls, request: Any, context: Context) -> Any:
        task = self.task(request)
        attribute = attributes.find(family, choice(request, "attribute"), task)
        return _answer(family, type_, attribute.get(self.card, task))

    return rpc(get)


def _task_setter(family: str, type_: str) -> Callable[..., Any]:
    def put(self: Calls, request: Any, context: Context) -> Any:
        task = self.task(request)
        attribute = attributes.find(family, choice(request, "attribute"), task)
        if attribute.set is None:
            raise CardError(
                Code.ATTRIBUTE_NOT_SUPPORTED_IN_TASK_CONTEXT,
                f"Property: 0x{choice(request, 'attribute'):04X}",
                f"Task Name: {task.name}",
            )
        attribute.set(self.card, task, _value(request))
        return getattr(pb, f"Set{family}Attribute{type_}Response")()

    return rpc(put)


def _task_resetter(family: str) -> Callable[..., Any]:
    def reset(self: Calls, request: Any, context: Context) -> Any:
        task = self.task(request)
        attribute = attributes.find(family, choice(request, "attribute"), task)
        if attribute.set is not None:
            attribute.set(self.card, task, attribute.default)
        return getattr(pb, f"Reset{family}AttributeResponse")()

    return rpc(reset)


def _channel_getter(type_: str) -> Callable[..., Any]:
    def get(self: Calls, request: Any, context: Context) -> Any:
        value = channel_attributes.channel_attribute(
            self.card, self.task(request), request.channel, choice(request, "attribute")
        )
        return _answer("Chan", type_, value)

    return rpc(get)


def _channel_setter(type_: str) -> Callable[..., Any]:
    def put(self: Calls, request: Any, context: Context) -> Any:
        channel_attributes.set_channel_attribute(
            self.card,
            self.task(request),
            request.channel,
            choice(request, "attribute"),
            _value(request),
        )
        return getattr(pb, f"SetChanAttribute{type_}Response")()

    return rpc(put)


def _device_getter(family: str, type_: str) -> Callable[..., Any]:
    def get(self: Calls, request: Any, context: Context) -> Any:
        board, number = self.card.board, choice(request, "attribute")
        if family == "SystemInfo":
            value = device.system_attribute(board, number)
        elif family == "Device":
            value = device.device_attribute(board, request.device_name, number)
        else:
            value = device.physical_attribute(board, request.physical_channel, number)
        return _answer(family, type_, value)

    return rpc(get)


def _fill() -> None:
    """Add every attribute call that the protocol has to `AttributeCalls`."""

    def add(verb: str, family: str, type_: str, handler: Callable[..., Any]) -> None:
        if hasattr(pb, f"{verb}{family}Attribute{type_}Request"):
            setattr(AttributeCalls, f"{verb}{family}Attribute{type_}", handler)

    for family in attributes.TABLES:
        add("Reset", family, "", _task_resetter(family))
        for type_ in TYPES:
            add("Get", family, type_, _task_getter(family, type_))
            add("Set", family, type_, _task_setter(family, type_))
    for type_ in TYPES:
        add("Get", "Chan", type_, _channel_getter(type_))
        add("Set", "Chan", type_, _channel_setter(type_))
        for family in ("SystemInfo", "Device", "PhysicalChan"):
            add("Get", family, type_, _device_getter(family, type_))


_fill()
