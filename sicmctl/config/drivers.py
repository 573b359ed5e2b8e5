"""Drivers, found by their entry points; no driver is named in the program."""

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

_GROUP = "sicmctl.drivers"


class Installed(Mapping[str, type[Any]]):
    """The installed drivers by name; a driver's module is imported when it is looked up.

    Looking one up raises KeyError if there is none, and whatever its import raises if it is broken.
    """

    def __init__(self) -> None:
        self._points: dict[str, EntryPoint] = {p.name: p for p in entry_points(group=_GROUP)}

    def __getitem__(self, name: str) -> type[Any]:
        return self._points[name].load()

    def __contains__(self, name: object) -> bool:
        return name in self._points  # without importing it

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)


def known() -> tuple[str, ...]:
    """Return the names of the installed drivers, in alphabetical order."""
    return tuple(sorted(Installed()))


def find(name: str) -> type[Any]:
    """Return the driver class of that name. Raises KeyError if none is installed."""
    return Installed()[name]
