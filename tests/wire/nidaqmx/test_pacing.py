"""How time passes: lockstep with its modelled host, and real time."""

import threading
import time
from typing import Any

import numpy as np
import pytest

from simulators.instruments.nidaqmx import Host, Lockstep, Realtime

SHARED = "/Dev1/ai/SampleClock"
TICKS = 100_000_000


def now(bench: Any) -> float:
    """Card time, s."""
    return bench.card.engine.now / TICKS


def spent(bench: Any, call: Any, *args: Any) -> float:
    """Seconds of card time that a call takes."""
    before = now(bench)
    call(*args)
    return now(bench) - before


def test_first_command_after_data_costs_a_reaction_and_others_a_call(bench: Any) -> None:
    ai, ao = bench.ai("ai0"), bench.ao("ao0", rate=None)
    assert spent(bench, ai.start) == pytest.approx(100e-6)
    ai.read(10)
    assert spent(bench, ao.write, 1.0) == pytest.approx(1e-3)
    assert spent(bench, ao.write, 2.0) == pytest.approx(100e-6)
    assert ai.in_stream.avail_samp_per_chan == 60  # 1.1 ms of samples piled up, and one call


def test_the_time_passes_before_the_command_takes_effect(bench: Any) -> None:
    ai, ao = bench.ai("ai0"), bench.ao("ao0", rate=None)
    ai.start()
    ai.read(10)
    ao.write(1.0)
    data = np.array(ai.read(60))
    assert (data[:50] < 0.5).all() and (data[50:] > 0.5).all()


def test_reaction_times_scatter_but_never_vanish(benches: Any) -> None:
    with benches(Lockstep(Host(reaction=1e-3, jitter=1e-3, call=0.0), seed=3)) as bench:
        ai, ao = bench.ai("ai0"), bench.ao("ao0", rate=None)
        ai.start()
        times = []
        for _ in range(100):
            ai.read(100)
            times.append(spent(bench, ao.write, 0.0))
    assert min(times) > 0
    assert len(set(times)) > 30
    assert 0.8e-3 < np.mean(times) < 1.7e-3  # the truncated normal's mean is 1.29 ms


def hop(bench: Any, ai: Any, ao: Any) -> tuple[list[float], int]:
    """Approach to a level, stop, step back."""
    ao.write(np.linspace(0, 2, 400))
    ao.start()
    seen: list[float] = []
    while not seen or seen[-1] < 1.0:
        seen += ai.read(50)
    ao.stop()
    generated = ao.out_stream.total_samp_per_chan_generated
    ao.write(np.linspace(seen[-1], 0, 50))
    ao.start()
    ao.wait_until_done()
    ao.stop()
    return seen, generated


def test_same_seed_and_calls_give_the_same_bits(benches: Any) -> None:
    records = []
    for seed in (1, 1, 2):
        with benches(Lockstep(seed=seed)) as bench:
            ai, ao = bench.ai("ai0"), bench.ao("ao0", samples=400, source=SHARED)
            ai.start()
            records.append([hop(bench, ai, ao) for _ in range(3)])
    assert records[0] == records[1]
    assert records[0] != records[2]


def test_lockstep_stands_still_between_calls(bench: Any) -> None:
    ai = bench.ai("ai0")
    ai.start()
    before = now(bench)
    threading.Event().wait(0.02)
    assert now(bench) == before


def test_slow_clocks_do_not_stretch_calls(bench: Any) -> None:
    ai = bench.ai("ai0", rate=100.0)
    ai.start()
    assert spent(bench, bench.ao("ao0", rate=None).write, 1.0) == pytest.approx(100e-6)


def test_real_time_follows_the_wall_clock(benches: Any) -> None:
    with benches(Realtime()) as bench:
        ai = bench.ai("ai0")
        ai.start()
        started, first = time.monotonic(), now(bench)
        ai.read(10_000)
        wall, card = time.monotonic() - started, now(bench) - first
        assert card == pytest.approx(wall, abs=0.05)
        assert 0.15 < wall < 1.0
        ao = bench.ao("ao0", samples=1000)
        ao.write(np.zeros(1000), auto_start=True)
        ao.wait_until_done(5.0)


def test_nothing_is_left_running(benches: Any) -> None:
    before = set(threading.enumerate())
    for pacing in (Realtime(), Lockstep()):
        with benches(pacing) as bench:
            ai = bench.ai("ai0")
            ai.register_every_n_samples_acquired_into_buffer_event(100, lambda *a: 0)
            ai.start()
            ai.close()
    left = {t for t in threading.enumerate() if t not in before and "grpc" not in repr(t).lower()}
    assert {t.name for t in left if "card" in t.name} == set()
