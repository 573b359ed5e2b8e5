"""Whole runs on a potentiostat alone: SIM.toml and experiment.toml in, arrays out."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from sicmctl import client
from sicmctl.data.echemdata import EchemData, collect
from sicmctl.data.runfile import RunFile
from simulators.config import SimConfig
from simulators.lab import Lab


class Laboratory(Protocol):
    """Runs the steps of an experiment.toml on the rig of a SIM.toml."""

    def __call__(
        self, sim: str, *steps: str, inspect: Callable[[Lab], None] = ...
    ) -> list[EchemData]: ...


@pytest.fixture
def measure(tmp_path: Path) -> Laboratory:
    """Each step is the text of its `echem` table. inspect: looks at the lab after the run."""

    def run(
        sim: str, *steps: str, inspect: Callable[[Lab], None] = lambda lab: None
    ) -> list[EchemData]:
        experiment, out = tmp_path / "experiment.toml", tmp_path / "run.h5"
        text = 'schema = 1\ntitle = "Test"\n'
        text += "".join(f"[[step]]\nechem = {{ {step} }}\n" for step in steps)
        experiment.write_text(text, encoding="utf-8")
        with Lab(SimConfig.parse(sim), rig=tmp_path / "rig.toml") as lab:
            result = client.run(lab.rig, experiment, out)
            inspect(lab)
        assert result.outcome.outcome == "done", result.outcome
        with RunFile(out) as file:
            return [collect(technique) for technique in file.echem.values()]

    return run
