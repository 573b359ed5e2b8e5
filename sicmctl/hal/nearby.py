"""Servers that live in this process: whoever would connect to one may call it directly.

A virtual laboratory in the same process serves its instruments at an address like any other. Going
to it through the network would only cost time.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_CHANNELS: dict[str, Any] = {}


@contextmanager
def nearby(channels: Mapping[str, Any]) -> Iterator[None]:
    """While inside, servers can be called directly. channels: by address (host:port)."""
    _CHANNELS.update(channels)
    try:
        yield
    finally:
        for address in channels:
            del _CHANNELS[address]


def channel_to(address: str) -> Any | None:
    """Return the direct channel to a server in this process; None if there is none."""
    return _CHANNELS.get(address)


def any_nearby() -> bool:
    """Whether instruments are served in this process: then no time is spent waiting for them."""
    return bool(_CHANNELS)
