"""Messages survive the wire, and nothing else passes for one."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sicmctl.messages import Alarm, Array, Note, Progress, RunEnded, decode, encode

MESSAGES = [
    Alarm(time=1.5, level="error", source="stage", text="no power"),
    Note(time=2.0, text="electrolyte added", author="MB", uncertainty=0.1),
    Progress(time=3.0, scan=0, done=1, total=9, eta=8.0, hops_per_second=1.0, counts={"ok": 1}),
    RunEnded(time=4.0, outcome="done", safe=("retract: done",)),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_comes_back_as_it_was(message: Alarm) -> None:
    again = decode(encode(message))
    assert again == message
    assert type(again) is type(message)


def test_an_array_is_little_endian_and_keeps_its_shape() -> None:
    values = np.arange(6, dtype=">f8").reshape(2, 3)
    packed = Array.of(values)
    assert packed.dtype == "<f4"
    np.testing.assert_array_equal(packed.numpy(), values)
    assert Array.of(np.array([-1, 2]), "<i4").numpy().tolist() == [-1, 2]


def test_an_array_must_fit_its_shape() -> None:
    with pytest.raises(ValueError, match="reshape"):
        Array("<f4", (3,), b"\0" * 8).numpy()


@given(st.binary(max_size=64))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, msgspec.ValidationError)):
        decode(data)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.msgpack.encode({"type": "surprise", "time": 0.0}))
