"""Arrays that go into NI's messages whole: the same messages as number by number."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest
from nidaqmx._stubs.nidaqmx_pb2 import WriteAnalogF64Request

from drivers import ni_arrays
from drivers.ni_arrays import Readings, Waveform


@pytest.fixture
def found_anew() -> Iterator[None]:
    ni_arrays._field.cache_clear()
    yield
    ni_arrays._field.cache_clear()


@pytest.mark.parametrize("shape", [(1, 2), (3, 5), (3, 700), (4, 3000)])
def test_a_waveform_makes_the_same_message(shape: tuple[int, int]):
    volts = np.random.default_rng(1).normal(size=shape)
    volts[0, :2] = np.inf, -0.0
    told = WriteAnalogF64Request(write_array=volts.view(Waveform).flat)
    assert told == WriteAnalogF64Request(write_array=volts.ravel().tolist())
    assert len(told.write_array) == volts.size


def test_number_by_number_where_the_message_is_not_known(
    monkeypatch: pytest.MonkeyPatch, found_anew: None
):
    monkeypatch.setitem(sys.modules, "nidaqmx._stubs.nidaqmx_pb2", None)
    volts = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert volts.view(Waveform).flat == [1.0, 2.0, 3.0, 4.0]


def test_readings_are_put_where_they_belong():
    volts = np.zeros((2, 3))
    volts.view(Readings).flat[:48] = np.arange(6.0)  # NI's package counts bytes here
    assert volts.tolist() == [[0, 1, 2], [3, 4, 5]]
