"""`SignalStream`: samples without gaps, numbered from the start of the clock."""

import numpy as np
import pytest

from sicmctl.hal.errors import StreamOverflow

from ..rigs import Drivers


def test_blocks_follow_each_other_without_a_gap(with_daq: Drivers) -> None:
    daq = with_daq.daq
    daq.start()
    blocks = [daq.read(n) for n in (1, 7, 1000, 2)]
    assert [block.first for block in blocks] == [0, 1, 8, 1008]
    assert [len(block) for block in blocks] == [1, 7, 1000, 2]
    whole = blocks[0].followed_by(*blocks[1:])
    assert (whole.first, whole.volts.shape) == (0, (len(daq.roles), 1010))
    assert whole.roles == daq.roles
    assert np.all(np.isfinite(whole.volts))


def test_reading_in_pieces_gives_what_reading_at_once_gives(with_daq: Drivers) -> None:
    """The noise is new at every sample, so equal numbers are the same samples."""
    daq = with_daq.daq
    daq.start()
    block = daq.read(400)["pipette_current"]
    assert len(np.unique(block)) > 20
    daq.stop()


def test_time_is_counted_in_samples(with_daq: Drivers) -> None:
    daq, card = with_daq.daq, with_daq.virtual.lab.server.card
    assert daq.rate == 50e3
    daq.start()
    daq.read(1)
    before = card.engine.now
    daq.read(500)
    assert card.engine.now - before == 500 * 2000  # each 20 us, in units of 10 ns


def test_a_restart_begins_at_sample_0(with_daq: Drivers) -> None:
    daq = with_daq.daq
    daq.start()
    daq.read(123)
    daq.stop()
    daq.start()
    assert daq.read(10).first == 0
    assert daq.read(10).first == 10


def test_stop_is_harmless_when_nothing_runs(with_daq: Drivers) -> None:
    with_daq.daq.stop()
    with_daq.daq.start()
    with_daq.daq.stop()
    with_daq.daq.stop()


def test_lost_samples_are_an_error_and_a_restart_mends_it(with_daq: Drivers) -> None:
    daq = with_daq.daq
    daq.start()
    daq.read(10)
    with_daq.virtual.suspend(11.0)
    with pytest.raises(StreamOverflow) as caught:
        daq.read(10)
    assert "samples were overwritten before they were read" in caught.value.problem
    assert caught.value.remedy == "close other programs or lower daq.sample_rate"
    assert caught.value.command == "read(10)"
    with pytest.raises(StreamOverflow):
        daq.read(10)
    daq.stop()
    daq.start()
    assert daq.read(10).first == 0


def test_a_slow_host_within_the_buffer_loses_nothing(with_daq: Drivers) -> None:
    daq = with_daq.daq
    daq.start()
    daq.read(10)
    with_daq.virtual.suspend(2.0)
    assert daq.read(100_000).first == 10
    assert daq.read(5).first == 100_010


def test_after_close_nothing_is_held(with_daq: Drivers) -> None:
    with_daq.daq.start()
    with_daq.daq.close()
    with_daq.daq.close()
    with with_daq.virtual.drivers() as again:
        again.daq.start()
        assert again.daq.read(5).first == 0
