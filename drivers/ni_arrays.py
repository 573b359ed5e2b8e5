"""Arrays that go into NI's messages, and come out of them, whole.

NI's package hands over the `flat` of an array, over gRPC, and numbers are taken from it, or put
into it, one by one. These arrays have a `flat` that is taken at once: a twentieth of the time.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from sicmctl.hal.capabilities import F64


class Waveform(np.ndarray):
    """Volts to be written."""

    @property
    def flat(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """All of them as the message has them."""
        return _field()(np.asarray(self))


class Readings(np.ndarray):
    """Room for volts that are read, without gaps."""

    @property
    def flat(self) -> F64:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The same room with one axis."""
        return np.asarray(self).reshape(-1)


@cache
def _field() -> Callable[[F64], Any]:
    """What makes the message's field of numbers."""
    try:
        from google.protobuf.wrappers_pb2 import BytesValue  # noqa: PLC0415  needed over gRPC only
        from nidaqmx._stubs.nidaqmx_pb2 import WriteAnalogF64Request  # noqa: PLC0415
    except ImportError:  # not where they were: one by one, then
        return lambda volts: volts.ravel().tolist()

    tag = bytes([WriteAnalogF64Request.WRITE_ARRAY_FIELD_NUMBER << 3 | 2])

    def packed(volts: F64) -> Any:
        numbers = BytesValue(value=volts.astype("<f8", copy=False).tobytes())
        # a field of bytes differs from one of packed numbers by its tag alone
        return WriteAnalogF64Request.FromString(tag + numbers.SerializeToString()[1:]).write_array

    return packed
