"""Names of devices, channels and terminals as NI writes them."""

import re
from collections.abc import Iterable

from simulators.instruments.nidaqmx.errors import CardError, Code

_RANGE = re.compile(r"^(.*?)(\d+):(?:.*?)(\d+)$")


def expand(text: str) -> list[str]:
    """`Dev1/ai0:2, Dev1/ai5` -> the four names."""
    names: list[str] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        if match := _RANGE.match(part):
            stem, first, last = match[1], int(match[2]), int(match[3])
            step = 1 if last >= first else -1
            names += [f"{stem}{k}" for k in range(first, last + step, step)]
        else:
            names.append(part)
    return names


def flatten(names: Iterable[str]) -> str:
    """The list form NI returns."""
    return ", ".join(names)


def on_device(name: str, device: str) -> str:
    """Strip the device from `Dev1/ai0` or `/Dev1/PFI0`."""
    head, _, tail = name.lstrip("/").partition("/")
    if not tail or head.lower() != device.lower():
        raise CardError(Code.INVALID_DEVICE_ID, f"Device Specified: {head}")
    return tail


def local_terminal(name: str, device: str, known: Iterable[str]) -> str:
    """`/Dev1/PFI0` or `PFI0` -> `PFI0`, spelt as the card spells it."""
    bare = name.lstrip("/")
    head, _, tail = bare.partition("/")
    wanted = tail if head.lower() == device.lower() else bare
    for terminal in known:
        if terminal.lower() == wanted.lower():
            return terminal
    raise CardError(
        Code.INVALID_ROUTING_SOURCE_TERMINAL_NAME_ROUTING,
        "Property: Source",
        f"Source Terminal: {name}",
        f"Source Device: {device}",
    )
