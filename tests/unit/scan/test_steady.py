"""A reference current that many hops know better than one, and jumps that begin it anew."""

import numpy as np
import pytest

from sicmctl.scan.steady import SteadyReference

LEVEL, SD, HOP = 3.2e-9, 3.2e-13, 0.03


def test_the_first_hop_knows_what_it_measured() -> None:
    assert SteadyReference().see(5.0, LEVEL, SD) == (LEVEL, SD)


def test_many_hops_know_it_better_and_as_well_as_they_say() -> None:
    rng = np.random.default_rng(1)
    walk = LEVEL * np.exp(np.cumsum(rng.normal(0, 1.3e-4 * HOP**0.5, 4000)))
    steady = SteadyReference()
    off, said = [], []
    for k, level in enumerate(walk):
        known, sd = steady.see(k * HOP, level + rng.normal(0, SD), SD)
        off.append((known - level) / sd)
        said.append(sd)
    assert np.mean(said[20:]) < 0.55 * SD
    assert np.std(off[20:]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("step", [-0.01, -0.001, 0.001, 0.01])
def test_a_jump_is_believed_at_once(step: float) -> None:
    """A clog, a wall beside the tip, or another bias: its own reference alone counts."""
    steady = SteadyReference()
    for k in range(30):
        steady.see(k * HOP, LEVEL, SD)
    assert steady.see(30 * HOP, LEVEL * (1 + step), SD) == (LEVEL * (1 + step), SD)


def test_after_a_pause_the_own_reference_counts_most() -> None:
    steady = SteadyReference()
    for k in range(30):
        steady.see(k * HOP, LEVEL, SD)
    known, sd = steady.see(30 * HOP + 600, LEVEL + 2 * SD, SD)
    assert known == pytest.approx(LEVEL + 2 * SD, abs=0.01 * SD)
    assert sd == pytest.approx(SD, rel=0.01)
