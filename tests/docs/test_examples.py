"""What the documentation shows works: its programs run on a virtual rig, its files are valid."""

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sicmctl.config import load_experiment, load_rig
from sicmctl.config.drivers import Installed
from sicmctl.engine.rig import Rig
from sicmctl.hal.capabilities import CurrentAmplifier
from sicmctl.hal.errors import LimitExceeded
from simulators.config import SampleConfig, SimConfig
from simulators.lab import Lab

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / "examples" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _toml(page: Path) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(SimConfig(sample=SampleConfig(kind="flat"))) as lab:
        yield lab


@pytest.fixture
def bench(lab: Lab, tmp_path: Path) -> Iterator[Rig]:
    """The virtual rig, its amplifier run by the driver of the documentation."""
    section = next(text for text in _toml(DOCS / "drivers.md") if text.startswith("[amplifier]"))
    text = re.sub(
        r"\[amplifier\]\n.*?\n\n", section + "\n", lab.rig.read_text("utf-8"), flags=re.DOTALL
    )
    rig = tmp_path / "rig.toml"
    rig.write_text(text, encoding="utf-8")
    drivers = {**Installed(), "bench-amplifier": _load("bench_amplifier").BenchAmplifier}
    with Rig.open(load_rig(rig, drivers)) as opened:
        yield opened


def test_the_driver_is_a_current_amplifier(bench: Rig) -> None:
    assert isinstance(bench.amplifier, CurrentAmplifier)
    assert bench.identities()["amplifier"] == "bench amplifier"


def test_the_driver_biases_and_measures(bench: Rig) -> None:
    bench.wake()
    bench.amplifier.set_bias(0.7)
    bench.daq.read(2000)  # the edge of the bias
    current = bench.amplifier.current(bench.daq.read(5000))
    assert np.mean(current) == pytest.approx(3.2e-9, rel=0.05)
    bench.amplifier.safe_state()
    bench.daq.read(2000)
    assert abs(np.mean(bench.amplifier.current(bench.daq.read(5000)))) < 0.1e-9


def test_no_bias_beyond_the_limit(bench: Rig) -> None:
    with pytest.raises(LimitExceeded, match=r"1\.5 V"):
        bench.amplifier.set_bias(1.5)


def test_the_script_runs(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    experiment = tmp_path / "experiment.toml"
    experiment.write_text(
        'schema = 1\ntitle = "three hops"\n[[step]]\n'
        'scan = { pattern = "point", repeats = 3, hop = { amplitude = "2 um" } }\n',
        encoding="utf-8",
    )
    height = _load("first_script").measure(lab.rig, experiment, tmp_path / "run.h5")
    assert height == pytest.approx(8e-6, abs=0.3e-6)
    assert capsys.readouterr().out.startswith("done: {'ok': 3}")


PAGES = (
    "README.md",
    "docs/experiment-toml.md",
    "docs/quickstart.md",
    "docs/safety.md",
    "docs/simulated-rig.md",
    "docs/techniques.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_toml_in_the_pages_is_valid(page: str, tmp_path: Path) -> None:
    blocks = _toml(ROOT / page)
    assert blocks
    for text in blocks:
        table = tomllib.loads(text)
        path = tmp_path / "file.toml"
        path.write_text(text, encoding="utf-8")
        if "step" in table:
            load_experiment(path)
        elif table.keys() & {"sample", "event", "cell"}:
            SimConfig.load(path)
        elif table.keys() & {"daq", "potentiostat"}:
            load_rig(path)
        else:
            assert not text.startswith("schema"), f"{page}: a file of no known kind"
