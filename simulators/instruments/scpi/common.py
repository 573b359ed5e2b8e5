"""The common commands of IEEE 488.2 and the reading of errors, the same for every device."""

from simulators.instruments.scpi.device import Device
from simulators.instruments.scpi.errors import NO_ERROR, Kind
from simulators.instruments.scpi.kinds import Maybe, Whole
from simulators.instruments.scpi.status import OPERATION_COMPLETE
from simulators.instruments.scpi.tree import Command, setting

_BYTE = Whole(0, 255)


def _clear(device: Device) -> None:
    device.log.clear()
    device.status.events = 0


def _operation_complete(device: Device) -> None:
    device.when_done(lambda: device.status.event(OPERATION_COMPLETE))


def _is_complete(device: Device) -> str:
    device.wait()
    return "1"


def _next(device: Device, kinds: int = Kind.ERROR) -> str:
    return str(device.log.pop(Kind(kinds)) or NO_ERROR)


def _next_code(device: Device) -> str:
    event = device.log.pop()
    return str(event.code) if event else "0"


def _set_event_mask(device: Device, mask: int) -> None:
    device.status.event_mask = mask


def _set_request_mask(device: Device, mask: int) -> None:
    device.status.request_mask = mask & ~0x40


COMMON = (
    Command("*IDN", ask=lambda device: device.identity),
    Command("*RST", do=lambda device: device.reset()),
    Command("*CLS", do=_clear),
    Command("*OPC", do=_operation_complete, ask=_is_complete),
    Command("*WAI", do=lambda device: device.wait()),
    Command("*TRG", do=lambda device: device.trigger()),
    Command("*TST", ask=lambda device: "0"),
    Command("*ESR", ask=lambda device: str(device.status.take_events())),
    setting("*ESE", _BYTE, _set_event_mask, lambda device: device.status.event_mask, idle=False),
    setting(
        "*SRE", _BYTE, _set_request_mask, lambda device: device.status.request_mask, idle=False
    ),
    Command("*STB", ask=lambda device: str(device.status.byte(device.log.count() > 0))),
    Command(":SYSTem:ERRor[:NEXT]", ask=_next),
    Command(":SYSTem:ERRor:CODE[:NEXT]", ask=_next_code),
    Command(":SYSTem:ERRor:COUNt", ask=lambda device: str(device.log.count())),
    Command(":SYSTem:EVENtlog[:NEXT]", ask=_next, asks=(Maybe(Whole(1, 7), Kind.ANY),)),
    Command(
        ":SYSTem:EVENtlog:COUNt",
        ask=lambda device, kinds: str(device.log.count(Kind(kinds))),
        asks=(Maybe(Whole(1, 7), Kind.ANY),),
    ),
    Command(":SYSTem:CLEar", do=lambda device: device.log.clear()),
    Command(":STATus:CLEar", do=_clear),
)
"""Commands that every device has."""
