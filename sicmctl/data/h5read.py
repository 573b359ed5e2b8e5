"""Typed reads from HDF5; what is missing or damaged is told as RunFileError."""

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .names import RunFileError

_BROKEN = (OSError, RuntimeError, ValueError)


def find(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
    """Return what is called `name`, None if there is nothing."""
    try:
        found = group.get(name)
    except _BROKEN as error:
        raise RunFileError(f"{group.file.filename}: {group.name}/{name} is damaged") from error
    return found if isinstance(found, h5py.Group | h5py.Dataset) else None


def subgroup(group: h5py.Group, name: str) -> h5py.Group:
    """Return a group that must be there."""
    found = find(group, name)
    if not isinstance(found, h5py.Group):
        raise RunFileError(f"{group.file.filename}: {group.name}/{name} is missing")
    return found


def dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    """Return a dataset that must be there."""
    found = find(group, name)
    if not isinstance(found, h5py.Dataset):
        raise RunFileError(f"{group.file.filename}: {group.name}/{name} is missing")
    return found


def keys(group: h5py.Group, name: str) -> list[str]:
    """Return the names in a group that may be missing."""
    found = find(group, name)
    return [str(key) for key in found] if isinstance(found, h5py.Group) else []


def groups(group: h5py.Group) -> Iterator[h5py.Group]:
    """Yield the groups in a group."""
    for key in group:
        if isinstance(found := find(group, str(key)), h5py.Group):
            yield found


def attribute(thing: h5py.Group | h5py.Dataset, name: str) -> str:
    """Return an attribute as text, "" if there is none."""
    value = thing.attrs.get(name, "")
    return value.decode() if isinstance(value, bytes) else str(value)


def names(thing: h5py.Group | h5py.Dataset, name: str = "names") -> list[str]:
    """Return an attribute that is a list of words."""
    return [str(word) for word in np.atleast_1d(np.asarray(thing.attrs.get(name, ()), object))]


def read(data: h5py.Dataset, part: Any = ()) -> NDArray[Any]:
    """Return the values of a dataset, or of a part of it; text as str objects."""
    try:
        if h5py.check_string_dtype(data.dtype):
            return np.asarray(data.asstr()[part], object)
        return np.asarray(data[part])
    except _BROKEN as error:
        raise RunFileError(f"{data.file.filename}: {data.name} is damaged: {error}") from error


def column(data: h5py.Dataset) -> NDArray[Any]:
    """Return a column of a table; numbers of words as the words, flags as bool."""
    values = read(data)
    if "names" in data.attrs:
        return np.array([*names(data), ""], object)[values]
    return values.astype(bool) if values.dtype == np.uint8 else values


def text(group: h5py.Group, name: str) -> str:
    """Return a text, "" if there is none."""
    found = find(group, name)
    return str(read(found)) if isinstance(found, h5py.Dataset) else ""


def texts(group: h5py.Group, name: str) -> tuple[str, ...]:
    """Return a list of texts, empty if there is none."""
    found = find(group, name)
    return tuple(map(str, read(found))) if isinstance(found, h5py.Dataset) else ()


def number(group: h5py.Group, name: str) -> float:
    """Return a number, NaN if there is none."""
    found = find(group, name)
    return float(read(found)) if isinstance(found, h5py.Dataset) else float("nan")


def numbers(group: h5py.Group, name: str) -> dict[str, float]:
    """Return a group of numbers, empty if there is none."""
    return {key: number(subgroup(group, name), key) for key in keys(group, name)}


def rows(group: h5py.Group, name: str) -> list[dict[str, Any]]:
    """Return a table as a list of rows."""
    table = {key: column(dataset(group, f"{name}/{key}")).tolist() for key in keys(group, name)}
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
