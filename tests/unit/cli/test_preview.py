"""`sicmctl preview`: what an experiment's techniques will do, told without a rig."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sicmctl.cli.app import app
from sicmctl.cli.preview import lasting

EXAMPLES = Path(__file__).parents[3] / "examples"
HEAD = 'schema = 1\ntitle = "T"\n[[step]]\n'


def preview(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["preview", *map(str, arguments)])


@pytest.fixture
def eis(tmp_path: Path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(
        HEAD + 'scan = { pattern = "point", repeats = 3 }\n[[step]]\ntitle = "Spectrum"\n'
        'echem = { technique = "eis", high = "1 kHz", low = "1 Hz" }\n'
    )
    return path


def test_a_table_for_each_technique_with_its_totals() -> None:
    result = preview(EXAMPLES / "gcpl.toml")
    assert result.exit_code == 0
    lines = [re.sub(r"[│┃]", " ", line).split() for line in result.stdout.splitlines()]
    assert ["repeat", "3", "times", "5", "d", "10", "h"] in lines
    assert ["discharge", "-19", "uA", "21", "h", "E", ">", "2", "V", "(ends", "all)"] in lines
    assert "duration  at most 5 d 10 h" in result.stdout
    assert "4.104 C (1.14 mAh) anodic" in result.stdout


def test_json_holds_the_course_and_null_where_the_cell_decides() -> None:
    result = preview(EXAMPLES / "cv.toml", "--json")
    ocp, cv = json.loads(result.stdout)
    assert (ocp["technique"], cv["technique"], cv["step"]) == ("ocp", "cv", 1)
    assert ocp["early"] and not cv["early"]
    assert cv["duration"] == pytest.approx(4 * 1.7 / 0.3e-3)
    assert cv["course"]["potential"] == [1.7, 0, 0, 1.7, 1.7, 0, 0, 1.7]
    assert set(cv["course"]["current"]) == {None}
    assert ocp["course"]["current"] == [0, 0]


def test_without_the_open_circuit_potential_it_says_what_it_took(eis: Path) -> None:
    result = preview(eis)
    assert "Step 2: eis, Spectrum" in result.stdout
    assert "OCP taken as 0 V: give --ocp" in result.stdout
    told = preview(eis, "--ocp", "1.6 V", "--json")
    (spectrum,) = json.loads(told.stdout)
    assert spectrum["assumed_ocp"] is None
    assert set(spectrum["course"]["potential"]) == {1.6}


@pytest.mark.parametrize("name", ["gcpl", "cv", "eis"])
def test_the_figure_is_a_picture(name: str, tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    assert preview(EXAMPLES / f"{name}.toml", "--out", out).exit_code == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_an_experiment_without_techniques_has_nothing_to_show(tmp_path: Path) -> None:
    out = tmp_path / "a.png"
    result = preview(EXAMPLES / "raster.toml", "--out", out)
    assert result.exit_code == 0
    assert result.stdout.strip() == "no step has echem"
    assert out.exists()


RIG = 'schema = 1\n[potentiostat]\ndriver = "methodscript"\nresource = "socket://127.0.0.1:1"\n[safety]\n'


def test_what_the_rig_does_not_allow_is_refused(tmp_path: Path) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(RIG + 'cell_potential = ["0.1 V", "2 V"]\n')
    result = preview(EXAMPLES / "steps.toml", "--rig", rig)
    assert result.exit_code == 0
    rig.write_text(RIG + 'cell_potential = ["0.2 V", "2 V"]\n')
    result = preview(EXAMPLES / "steps.toml", "--rig", rig)
    assert result.exit_code == 2
    assert (
        "step[0].echem (steps): step 9 (a held potential): potential 100 mV lies outside "
        "200 mV .. 2 V" in result.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--ocp", "1.6"], '--ocp: found "1.6" without a unit; expected a quantity like "0.7 V"'),
        (["--out", "no/such/folder/a.png"], "expected a file in a folder that exists"),
    ],
)
def test_bad_options_are_told(arguments: list[str], told: str) -> None:
    result = preview(EXAMPLES / "cv.toml", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_bad_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(HEAD + 'echem = { technique = "cv" }\n')
    result = preview(path)
    assert result.exit_code == 2
    assert "run.toml:4: step[0].echem.rate: found nothing" in result.stderr


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.02, "20 ms"),
        (59, "59 s"),
        (60, "1 min"),
        (3725, "1 h 2 min"),
        (3605, "1 h"),
        (86400 + 59, "1 d"),
        (200000, "2 d 7 h"),
    ],
)
def test_times_are_written_for_a_person(seconds: float, text: str) -> None:
    assert lasting(seconds) == text
