"""NI's own package on a card in the same process: the same answers without a network."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import nidaqmx
import numpy as np
import pytest
from nidaqmx.errors import DaqError, DaqReadError, RpcError
from nidaqmx.stream_readers import AnalogSingleChannelReader

from sicmctl import client
from sicmctl.data.runfile import RunFile
from sicmctl.hal.nearby import any_nearby, channel_to, nearby
from simulators.config import SimConfig
from simulators.instruments.nidaqmx import DirectChannel
from simulators.lab import Lab

from ...rigs import experiment_text, quick_sim, virtual
from .conftest import Bench


@pytest.fixture
def direct(bench: Bench) -> Iterator[Bench]:
    bench.options = nidaqmx.GrpcSessionOptions(DirectChannel(bench.server.service), "")  # pyright: ignore[reportArgumentType]
    yield bench


def test_samples_and_outputs(direct: Bench) -> None:
    ai, ao = direct.ai("ai0", "ai3", samples=50), direct.ao("ao0", rate=None)
    ao.write(1.5)
    volts, clock = np.array(ai.read(number_of_samples_per_channel=50))  # pyright: ignore[reportArgumentType]
    np.testing.assert_allclose(volts, 1.5, atol=3e-4)
    np.testing.assert_allclose(np.diff(clock), 20e-6, atol=1e-9 + 10 / 32768)


def test_an_error_carries_ni_s_code_and_counts(direct: Bench) -> None:
    ai = direct.ai("ai0")
    ai.start()
    with pytest.raises(DaqError) as refused:
        ai.start()
    assert refused.value.error_code == -200479
    reader = AnalogSingleChannelReader(ai.in_stream)
    with pytest.raises(DaqReadError) as late:
        reader.read_many_sample(np.empty(10), 10, timeout=0.0)
    assert late.value.error_code == -200284
    assert late.value.samps_per_chan_read == 0


def test_what_the_card_does_not_know_and_events_are_not_implemented(direct: Bench) -> None:
    with pytest.raises(RpcError, match="not supported") as unknown:
        direct.device.reserve_network_device()
    assert unknown.value.rpc_code == grpc.StatusCode.UNIMPLEMENTED
    ai = direct.ai("ai0")
    with pytest.raises(RpcError, match="not supported"):
        ai.register_every_n_samples_acquired_into_buffer_event(10, lambda *_: 0)


def test_only_a_lockstep_laboratory_is_called_directly_and_only_while_it_lasts() -> None:
    with Lab(SimConfig()) as lab:
        assert not any_nearby()
        with nearby(lab.channels):
            assert channel_to(lab.address) is not None
            assert any_nearby()
        assert channel_to(lab.address) is None
    with Lab(SimConfig(), clock="realtime") as lab:
        assert lab.channels == {}


def test_a_scan_gives_the_same_bits_with_and_without_network(tmp_path: Path) -> None:
    experiment = tmp_path / "experiment.toml"
    experiment.write_text(experiment_text("comparator", 3), encoding="utf-8")
    frames = []
    for network in (True, False):
        folder = tmp_path / str(network)
        with virtual(folder, quick_sim(), "0.5 ms", network=network) as rig:
            client.run(rig.rig, experiment, folder / "run.h5")
        with RunFile(folder / "run.h5") as run:
            frames.append(run.scan().frame())
    assert np.isfinite(frames[0]).all()
    np.testing.assert_array_equal(frames[0], frames[1])
