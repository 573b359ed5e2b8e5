"""Every driver against its simulator. A new driver joins by a line in one of the tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..rigs import Drivers, sim_text, virtual

AXOPATCH = sim_text()
FEMTO = sim_text(more='[amplifier]\nmodel = "femto-dlpca-200"\ngain = "1 V/nA"\n')

DAQS = {"nidaqmx": AXOPATCH}
AMPLIFIERS = {"axopatch-200b": AXOPATCH, "femto-dlpca-200": FEMTO}
STAGES = {"analog-piezo": AXOPATCH}
EVERY = {
    "nidaqmx": ("daq", AXOPATCH),
    "axopatch-200b": ("amplifier", AXOPATCH),
    "femto-dlpca-200": ("amplifier", FEMTO),
    "analog-piezo": ("stage", AXOPATCH),
}


def _open(tmp_path: Path, sim: str) -> Iterator[Drivers]:
    with virtual(tmp_path / "lab", sim, network=True) as rig, rig.drivers() as drivers:
        yield drivers


@pytest.fixture(params=DAQS)
def with_daq(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Drivers]:
    yield from _open(tmp_path, DAQS[request.param])


@pytest.fixture(params=AMPLIFIERS)
def with_amplifier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Drivers]:
    yield from _open(tmp_path, AMPLIFIERS[request.param])


@pytest.fixture(params=STAGES)
def with_stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Drivers]:
    yield from _open(tmp_path, STAGES[request.param])
