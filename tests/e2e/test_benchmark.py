"""The hop benchmark runs, and judges both ways of hopping by the truth."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def rows(*arguments: str) -> list[list[str]]:
    """The rows of the table that the benchmark prints, in words."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.hop", *arguments, "--hops", "3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split() for line in done.stdout.splitlines()[2:]]


@pytest.mark.timeout(300)
def test_a_row_for_each_engine() -> None:
    ours, polled = rows(
        "--engines", "comparator", "polled", "--speeds", "30", "--amplitudes", "0.5"
    )
    assert [ours[:3], polled[:3]] == [["comparator", "30", "0.5"], ["polled", "30", "0.5"]]
    rate, duty, below, most, _, clean, contacts, breaks = (float(w.rstrip("%")) for w in ours[3:])
    assert rate > 10
    assert 0 < duty < 1
    assert 0 < below <= most < 20
    assert (clean, contacts, breaks) == (100, 0, 0)
    assert float(polled[5]) > below + 15  # 30 nm in the millisecond that a host takes to react
