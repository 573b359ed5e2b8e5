"""A small laboratory to experiment on: flat sample, no noise, no drift, unless asked for."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.config import NoiseConfig, SampleConfig, SimConfig
from simulators.world import World

Drive = Callable[..., NDArray[np.float64]]


@pytest.fixture
def quiet() -> SimConfig:
    """A flat mirror of a sample, an ideal stage, no noise."""
    flat = SampleConfig(kind="flat", rq=0.0, points=16)
    config = SimConfig(sample=flat, noise=NoiseConfig.off())
    exact = config.amplifier.model_copy(update={"gain_error": 0.0, "offset": 0.0})
    return config.ideal_stage().model_copy(update={"amplifier": exact})


@pytest.fixture
def make() -> Callable[..., World]:
    """A world from a configuration with some sections replaced."""

    def build(config: SimConfig, seed: int = 1, **sections: Any) -> World:
        return World(config.model_copy(update=sections), seed)

    return build


@pytest.fixture
def drive() -> Drive:
    """Commands for 0.7 V bias and heights z (m), x and y in the middle."""

    def commands(z: Any, bias: float = 0.7) -> NDArray[np.float64]:
        heights = np.atleast_1d(np.asarray(z, dtype=float))
        out = np.zeros((heights.size, 4))
        out[:, 0] = bias / 0.1
        out[:, 3] = heights / 38e-6 * 20 - 10
        return out

    return commands
