"""Heights over samples with steps, edges and slopes."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from sicmctl.analysis.roughness import roughness

from .conftest import Measured

Measure = Callable[[str, str], Measured]

FOUND = {"ok", "edge", "touched"}


def raster(pixels: int, size: str, hop: str, prescan: str = "") -> str:
    return f'pattern = "raster"\nsize = "{size}"\npixels = {pixels}\n{prescan}\nhop = {{ {hop} }}'


def test_step_edges_of_hopg(measure: Measure):
    """10 nm between terraces, each averaged away from its edges."""
    hop = 'amplitude = "500 nm", fall_rate = "60 nm/ms", setpoint = "2 %"'
    found = measure('[sample]\nkind = "hopg"\n', raster(24, "10 um", hop))
    heights = found.column_of("height")
    drifted = heights - (found.true - found.truth.sample.height(found.x, found.y))
    true = found.truth.sample.height(found.x, found.y)
    # Pixels on a terrace: no higher or lower place within 400 nm.
    around = [
        found.truth.sample.height(found.x + 0.4e-6 * np.cos(a), found.y + 0.4e-6 * np.sin(a))
        for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ]
    flat = np.ptp(np.array([*around, true]), axis=0) < 2.5e-9
    levels = np.round((true - true[flat].min()) / 10e-9).astype(int)
    means = [
        (drifted[flat & (levels == k)].mean(), true[flat & (levels == k)].mean())
        for k in range(levels[flat].max() + 1)
        if np.count_nonzero(flat & (levels == k)) >= 8
    ]
    assert len(means) >= 2
    for (high, true_high), (low, true_low) in zip(means[1:], means[:-1], strict=True):
        assert high - low == pytest.approx(true_high - true_low, abs=1e-9)


@pytest.mark.timeout(900)
def test_graphite(measure: Measure):
    """A composite electrode with flakes, walls and a z-range of 8 um, on the default stage."""
    hop = 'amplitude = "2 um", fall_rate = "36 nm/ms", setpoint = "1 %"'
    prescan = 'prescan = { pixels = 12, amplitude = "6 um" }'
    found = measure('[sample]\nkind = "graphite"\n', raster(64, "20 um", hop, prescan))
    counts = Counter(found.status)
    assert sum(counts.values()) == 64 * 64
    assert sum(counts[s] for s in FOUND) >= 0.98 * 64 * 64
    assert counts["ok"] >= 0.7 * 64 * 64
    assert not any(contact["broke"] for contact in found.truth.contacts)

    ok = np.array([status == "ok" for status in found.status])
    error = np.abs(found.error()[ok])
    assert np.median(error) <= 1.5e-9
    assert np.percentile(error, 95) <= 6e-9

    height = found.scan.frame("height")
    y, x = found.scan.axes
    seen = found.truth.rq_seen(x, y, found.setpoint)
    assert roughness(height, y, x).rq == pytest.approx(seen, rel=0.02)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("pixels", "minutes"),
    [
        (64, 2.1),
        pytest.param(
            128,
            7.0,
            marks=pytest.mark.xfail(
                reason="one hop in some ten thousand presses on by more than 360 nm while the "
                "current falls on: docs/performance.md",
                raises=AssertionError,
                strict=True,  # the same bits in every run: whoever mends it is told
            ),
        ),
    ],
)
def test_a_fast_image_of_graphite_leaves_the_tip_whole(
    measure: Measure, pixels: int, minutes: float
):
    """Adaptive hops: more than 40 in a second of rig time, and the prescan beside them."""
    hop = 'amplitude = "1.6 um", fall_rate = "100 nm/ms", adaptive = true, setpoint = "1 %"'
    prescan = 'prescan = { pixels = 10, amplitude = "6 um" }'
    found = measure('[sample]\nkind = "graphite"\n', raster(pixels, "20 um", hop, prescan))
    time = np.asarray(found.scan.hops["time"])
    assert pixels**2 / (time[-1] - time[0]) >= 40
    assert time[-1] <= 60 * minutes
    contacts = found.truth.contacts
    deepest = [
        round(depth * 1e9) for depth in sorted(contact["depth"] for contact in contacts)[-3:]
    ]
    print(f"{time[-1]:.0f} s of rig time; {len(contacts)} contacts, the deepest (nm): {deepest}")
    assert not any(contact["broke"] for contact in contacts)
    deep = sum(contact["depth"] > 300e-9 for contact in contacts)  # there an edge may break a tip
    assert deep <= 2e-4 * pixels**2
    assert max(contact["depth"] for contact in contacts) < 360e-9
    counts = Counter(found.status)
    assert sum(counts[s] for s in FOUND) >= 0.98 * pixels**2
