"""The commands by name. Each gets the device, the message and the reply that it fills in."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators.instruments.rodeostat.analog import ELECTRODES
from simulators.instruments.rodeostat.errors import Refused
from simulators.instruments.rodeostat.parameters import change, is_number, is_whole
from simulators.instruments.rodeostat.run import tidy
from simulators.instruments.rodeostat.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from simulators.instruments.rodeostat.device import Device

Message = dict[str, Any]
Handler = Callable[["Device", Message, Message], Callable[[], None] | None]
"""Returns what is to happen after the reply, if anything. Raises Refused."""

LEAST_PERIOD, MOST_PERIOD = 1, 1000
"""Sample periods, ms."""


def _wanted(message: Message, key: str) -> Any:
    if key not in message:
        raise Refused(f"json does not contain key: {key}")
    return message[key]


def _flag(message: Message, key: str) -> bool:
    value = _wanted(message, key)
    if not isinstance(value, bool):
        raise Refused(f"unable to convert '{key}' to bool")
    return value


def _name(message: Message, key: str) -> str:
    value = _wanted(message, key)
    return value if isinstance(value, str) else ""


def _technique(message: Message, reply: Message, missing: str) -> Technique:
    if "test" not in message:
        raise Refused(missing)
    name = message["test"]
    reply["test"] = name
    if not isinstance(name, str) or name not in TECHNIQUES:
        raise Refused("test not found")
    return TECHNIQUES[name]


_NO_TEST = "json does not contain key: test"
_TEST_KEY = "test key not found"


def _run_test(device: "Device", message: Message, reply: Message) -> Callable[[], None]:
    return partial(device.start, _technique(message, reply, _NO_TEST))


def _stop_test(device: "Device", message: Message, reply: Message) -> Callable[[], None]:
    return device.stop


def _set_volt(device: "Device", message: Message, reply: Message) -> None:
    volt = _wanted(message, "v")
    if not is_number(volt):
        raise Refused("unable to convert volt to float")
    device.analog.set_volt(volt)
    _get_volt(device, message, reply)


def _get_volt(device: "Device", message: Message, reply: Message) -> None:
    reply["v"] = tidy(device.analog.volt)


def _get_curr(device: "Device", message: Message, reply: Message) -> None:
    reply["i"] = tidy(device.current())


def _get_ref_volt(device: "Device", message: Message, reply: Message) -> None:
    reply["r"] = tidy(device.potential())


def _set_param(device: "Device", message: Message, reply: Message) -> None:
    technique = _technique(message, reply, _TEST_KEY)
    if "param" not in message:
        raise Refused("key param missing")
    reply["param"] = {}
    change(device.parameters[technique.name], message["param"], reply["param"])


def _get_param(device: "Device", message: Message, reply: Message) -> None:
    reply["param"] = device.parameters[_technique(message, reply, _NO_TEST).name]


def _get_test_names(device: "Device", message: Message, reply: Message) -> None:
    reply["testNames"] = list(TECHNIQUES)


def _get_done_time(device: "Device", message: Message, reply: Message) -> None:
    technique = _technique(message, reply, _TEST_KEY)
    values = device.parameters[technique.name]
    reply["testDoneTime"] = int(technique.lasts(values, device.sample_period))


def _set_sample_period(device: "Device", message: Message, reply: Message) -> None:
    period = _wanted(message, "samplePeriod")
    if not is_whole(period):
        raise Refused("json samplePeriod value is not uin32_t")
    if period > MOST_PERIOD:
        raise Refused("json samplePeriod value is too large")
    if period < LEAST_PERIOD:
        raise Refused("json samplePeriod value is too small")
    device.sample_period = reply["samplePeriod"] = period


def _set_device_id(device: "Device", message: Message, reply: Message) -> None:
    number = _wanted(message, "deviceId")
    if not is_whole(number):
        raise Refused("deviceId is not integer")
    device.device_id = reply["deviceId"] = number


def _set_auto_connect(device: "Device", message: Message, reply: Message) -> None:
    device.auto_connect = reply["autoConnect"] = _flag(message, "autoConnect")


def _set_range(device: "Device", message: Message, reply: Message, *, key: str, of: str) -> None:
    """Choose a range by name; a wrong name leaves it, and the reply says what it is."""
    try:
        getattr(device.analog, f"set_{of}")(_name(message, key))
    finally:
        if key in message:
            reply[key] = getattr(device.analog, of)


def _set_connected(
    device: "Device", message: Message, reply: Message, *, which: tuple[str, ...]
) -> None:
    device.analog.connect(_flag(message, "connected"), *which)
    _get_connected(device, message, reply, which=which)


def _get_connected(
    device: "Device", message: Message, reply: Message, *, which: tuple[str, ...]
) -> None:
    reply["connected"] = all(device.analog.connected[one] for one in which)


def _no_mux(device: "Device", message: Message, reply: Message) -> None:
    raise Refused("multiplexer hardware not supported")


def _get_mux_enabled(device: "Device", message: Message, reply: Message) -> None:
    reply["muxEnabled"] = False


def _show(key: str, get: Callable[["Device"], Any]) -> Handler:
    def handler(device: "Device", message: Message, reply: Message) -> None:
        reply[key] = get(device)

    return handler


COMMANDS: dict[str, Handler] = {
    "runTest": _run_test,
    "stopTest": _stop_test,
    "getVolt": _get_volt,
    "setVolt": _set_volt,
    "getCurr": _get_curr,
    "getRefVolt": _get_ref_volt,
    "setParam": _set_param,
    "getParam": _get_param,
    "setVoltRange": partial(_set_range, key="voltRange", of="volt_range"),
    "getVoltRange": _show("voltRange", lambda device: device.analog.volt_range),
    "setCurrRange": partial(_set_range, key="currRange", of="curr_range"),
    "getCurrRange": _show("currRange", lambda device: device.analog.curr_range),
    "setRefElectVoltRange": partial(_set_range, key="voltRange", of="ref_range"),
    "getRefElectVoltRange": _show("voltRange", lambda device: device.analog.ref_range),
    "setDeviceId": _set_device_id,
    "getDeviceId": _show("deviceId", lambda device: device.device_id),
    "setSamplePeriod": _set_sample_period,
    "getSamplePeriod": _show("samplePeriod", lambda device: device.sample_period),
    "getTestDoneTime": _get_done_time,
    "getTestNames": _get_test_names,
    "getVersion": _show("version", lambda device: device.version),
    "getVariant": _show("variant", lambda device: device.variant),
    "getHardwareVersion": _show("version", lambda device: device.hardware),
    "setElectAutoConnect": _set_auto_connect,
    "getElectAutoConnect": _show("autoConnect", lambda device: device.auto_connect),
    "getMuxEnabled": _get_mux_enabled,
    "setMuxEnabled": _no_mux,
    "setEnabledMuxChannels": _no_mux,
    "getEnabledMuxChannels": _no_mux,
    "getMuxTestNames": _no_mux,
    "setAllElectConnected": partial(_set_connected, which=ELECTRODES),
    "getAllElectConnected": partial(_get_connected, which=ELECTRODES),
    **{
        f"{verb}{one}ElectConnected": partial(handler, which=(one,))
        for one in ELECTRODES
        for verb, handler in (("set", _set_connected), ("get", _get_connected))
    },
}
"""All that the firmware of hardware 0.2 knows, but for what moves a multiplexer."""
