"""An independent client over a pseudo-terminal, where it is installed."""

import sys
from pathlib import Path

import pytest

from simulators.cellconfig import PotentiostatConfig
from simulators.instruments.methodscript import serve

from .conftest import Resistor

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
@pytest.mark.parametrize(
    ("technique", "settings", "rows"),
    [
        ("CV", {"Eini": -0.2, "Ev1": 0.2, "Ev2": -0.2, "Efin": -0.2, "sr": 1, "dE": 0.01,
                "nSweeps": 2, "sens": 1e-6}, 81),
        ("LSV", {"Eini": -0.2, "Efin": 0.2, "sr": 1, "dE": 0.01, "sens": 1e-6}, 41),
        ("CA", {"Estep": 0.2, "dt": 0.01, "ttot": 0.5, "sens": 1e-6}, 50),
        ("OCP", {"dt": 0.1, "ttot": 0.5}, 5),
    ],
)  # fmt: skip
def test_hardpotato(tmp_path: Path, technique: str, settings: dict[str, float], rows: int) -> None:
    potentiostat = pytest.importorskip("hardpotato.potentiostat", exc_type=ImportError)
    tty = tmp_path / "tty"
    with serve(Resistor(), PotentiostatConfig(model="emstat-pico", pty=tty)):
        potentiostat.Setup("emstatpico", ".", str(tmp_path), port=str(tty))
        run = getattr(potentiostat, technique)(fileName="data", header="data", **settings)
        run.port = str(tty)  # it forgets the port it was given
        run.plot = lambda *args, **kwargs: None  # needs a module that is gone
        run.run()
    lines = (tmp_path / "data.txt").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) == rows
