"""Named tuples laid out in memory as one record.

Compiled code reads a record through a plain pointer. Passing the named tuple itself would copy
and count references of every field at every call, which costs more than the physics. A record
passed from Python costs 6 us each time, an array that holds it next to nothing, provided that its
type is one object: types that are only equal are compared field by field at every call.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.void]
"""A structured array of one record."""
_LAYOUTS: dict[np.dtype, np.dtype] = {}
"""One type for all that are equal."""


def packed(fields: Any) -> Any:
    """The named tuple as a mutable record of the same field names, arrays copied into it."""
    return record(packed_row(fields))


def packed_row(fields: Any) -> Row:
    """The same record as the only element of an array, shape (1,)."""
    row = np.zeros(1, dtype=_layout(fields))
    _fill(row[0], fields)
    return row


def record(row: Row) -> Any:
    """The record in an array of one, by its field names; both share their memory."""
    return row.view(np.recarray)[0]


def _layout(fields: Any) -> np.dtype:
    kinds: list[Any] = []
    for name, value in zip(fields._fields, fields, strict=True):
        if hasattr(value, "_fields"):
            kinds.append((name, _layout(value)))
        else:
            array = np.asarray(value)
            kinds.append((name, array.dtype, array.shape))
    kind = np.dtype(kinds, align=True)
    return _LAYOUTS.setdefault(kind, kind)


def _fill(record: Any, fields: Sequence[Any]) -> None:
    for name, value in zip(fields._fields, fields, strict=True):  # type: ignore[attr-defined]
        if hasattr(value, "_fields"):
            _fill(record[name], value)
        else:
            record[name] = value
