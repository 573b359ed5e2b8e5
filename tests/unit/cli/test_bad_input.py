"""What the command line says to bad files: exit code 2, the exact words, and nothing created."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sicmctl.cli.app import app
from sicmctl.data.journal import JournalWriter

from ...rigs import experiment_text

RIG = """\
schema = 1
[daq]
driver = "nidaqmx"
server = "127.0.0.1:1"
[daq.inputs]
pipette_current = "ai0"
z_sensor = "ai1"
x_sensor = "ai2"
y_sensor = "ai3"
gain_telegraph = "ai4"
filter_telegraph = "ai5"
mode_telegraph = "ai6"
[amplifier]
driver = "axopatch-200b"
[piezo]
driver = "analog-piezo"
x = { output = "ao1", sensor = "x_sensor", range = "9 um", scale = "1 um/V", resonance = "100 Hz", max_speed = "1 mm/s" }
y = { output = "ao2", sensor = "y_sensor", range = "9 um", scale = "1 um/V", resonance = "100 Hz", max_speed = "1 mm/s" }
z = { output = "ao3", sensor = "z_sensor", range = "9 um", scale = "1 um/V", resonance = "2 kHz", max_speed = "1 mm/s" }
[bias]
target = "0.7 V"
"""  # noqa: E501

BAD_RIGS = {
    "unknown key": (
        "server =",
        "sever =",
        'rig.toml:4: daq.sever: found the unknown key "sever"; expected one of comparator, device, '
        "inputs, sample_rate, server (did you mean server?)",
    ),
    "wrong unit": (
        'target = "0.7 V"',
        'target = "0.7 um"',
        'rig.toml:21: bias.target: found "0.7 um", which is not convertible to V; '
        'expected a quantity like "0.7 V"',
    ),
    "missing section": (
        '[bias]\ntarget = "0.7 V"\n',
        "",
        "rig.toml:1: bias: found nothing; expected a table (potential of the pipette)",
    ),
    "out of range": (
        "[bias]",
        '[pipette]\ninner_radius = "1 mm"\n[bias]',
        'rig.toml:21: pipette.inner_radius: found "1 mm"; expected at least 1 nm and at most 50 um',
    ),
    "not TOML": (
        "[bias]",
        "[bias",
        'rig.toml:20: found "[bias", which is not TOML; '
        "expected ']' at the end of a table declaration",
    ),
    "wrong schema number": (
        "schema = 1",
        "schema = 2",
        "rig.toml:1: schema: found version 2; "
        "expected version 1, the newest that this program reads (update sicmctl)",
    ),
    "two roles on one channel": (
        '"ai1"',
        '"ai0"',
        'rig.toml:7: daq.inputs.z_sensor: found "ai0", which pipette_current uses already; '
        "expected a channel of its own",
    ),
    "unknown driver": (
        '"axopatch-200b"',
        '"axopatch-200c"',
        'rig.toml:14: amplifier.driver: found the unknown driver "axopatch-200c"; expected one of ',
    ),
}

BAD_EXPERIMENTS = {
    "unknown key": (
        "pixels = 3",
        "pixel = 3",
        'experiment.toml:7: step[0].scan.pixel: found the unknown key "pixel"; expected one of ',
    ),
    "wrong unit": (
        '"1 um"',
        '"1 V"',
        'experiment.toml:6: step[0].scan.size: found "1 V", which is not convertible to m; '
        'expected a quantity like "1.5 um"',
    ),
    "out of range": (
        '"1 %"',
        '"60 %"',
        'experiment.toml:11: step[0].scan.hop.setpoint: found "60 %"; '
        'expected at least 0.0005 and at most 0.5, or "auto"',
    ),
    "missing section": (
        experiment_text(),
        'schema = 1\ntitle = "Nothing to do"\n',
        "experiment.toml:1: step: found nothing; expected an array (the steps, in order)",
    ),
}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "rig.toml").write_text(RIG)
    (tmp_path / "experiment.toml").write_text(experiment_text())
    return tmp_path


def here(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def run_in(folder: Path, *more: str) -> Result:
    return run(
        "run", folder / "experiment.toml", "--rig", folder / "rig.toml",
        "--out", folder / "run.h5", *more,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("case", BAD_RIGS)
def test_bad_rigs(case: str, command: str, files: Path) -> None:
    old, new, text = BAD_RIGS[case]
    assert old in RIG
    (files / "rig.toml").write_text(RIG.replace(old, new, 1))
    before = here(files)
    result = run("check", files / "rig.toml") if command == "check" else run_in(files)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert text in result.stderr
    assert here(files) == before


@pytest.mark.parametrize("case", BAD_EXPERIMENTS)
def test_bad_experiments(case: str, files: Path) -> None:
    old, new, text = BAD_EXPERIMENTS[case]
    assert old in experiment_text()
    (files / "experiment.toml").write_text(experiment_text().replace(old, new, 1))
    before = here(files)
    result = run_in(files)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert text in result.stderr
    assert here(files) == before


def test_every_problem_of_a_file_is_told_at_once(files: Path) -> None:
    text = RIG.replace('"ai1"', '"ai0"').replace('"0.7 V"', "0.7")
    (files / "rig.toml").write_text(text)
    result = run("check", files / "rig.toml")
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == ["7", "21"]


def test_json_tells_the_same_on_standard_output(files: Path) -> None:
    (files / "rig.toml").write_text(RIG.replace("schema = 1", "schema = 9"))
    for result in (run("check", files / "rig.toml", "--json"), run_in(files, "--json")):
        assert result.exit_code == 2
        error = json.loads(result.stdout)
        assert error == {"error": result.stderr.strip()}
        assert "found version 9" in error["error"]


def test_missing_files_are_told_by_name(files: Path) -> None:
    result = run("check", files / "no.toml")
    assert result.exit_code == 2
    assert result.stderr == (
        "no.toml: found no way to read it (No such file or directory); expected a file\n"
    )


@pytest.mark.parametrize("name", ["run.h5", "run.sicmlog"])
def test_existing_output_is_refused_and_untouched(files: Path, name: str) -> None:
    (files / name).write_bytes(b"precious")
    before = here(files)
    result = run_in(files)
    assert result.exit_code == 2
    assert f"{files / name} exists" in result.stderr
    assert here(files) == before
    assert (files / name).read_bytes() == b"precious"


def test_output_into_a_folder_that_is_not_there_is_refused(files: Path) -> None:
    result = run(
        "run", files / "experiment.toml", "--rig", files / "rig.toml",
        "--out", files / "no" / "run.h5",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "No such file or directory" in result.stderr


def test_a_rig_that_does_not_answer_is_no_bad_input_and_leaves_no_file(files: Path) -> None:
    before = here(files)
    for result in (run("check", files / "rig.toml"), run_in(files)):
        assert result.exit_code == 1
        assert result.stderr.startswith(
            "nidaqmx Dev1: connect: no answer from the gRPC server 127.0.0.1:1: "
        )
        assert "(check that the server runs and that daq.server names it)" in result.stderr
    assert here(files) == before


OCP = '[step.echem]\ntechnique = "ocp"\nduration = "1 s"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (experiment_text() + OCP, "step[0]: found scan and echem side by side; expected one of"),
        (
            f'schema = 1\ntitle = "Cell"\n[[step]]\n{OCP}',
            'step[0].echem: found technique "ocp"; expected scans only: ',
        ),
    ],
)
def test_a_step_for_which_there_is_no_instrument_is_refused_before_anything_is_touched(
    files: Path, text: str, told: str
) -> None:
    """The rig is not even looked for, neither by `run` nor by `check`."""
    (files / "experiment.toml").write_text(text)
    before = here(files)
    for result in (run_in(files), run("check", files / "rig.toml", files / "experiment.toml")):
        assert result.exit_code == 2
        assert told in result.stderr
        assert here(files) == before


# -- files of data --------------------------------------------------------------------------------

GARBAGE = b"no run file at all\x00\xff" * 100


@pytest.mark.parametrize("command", ["info", "report", "export"])
@pytest.mark.parametrize("content", [None, b"", GARBAGE, b"\x89HDF\r\n\x1a\n" + GARBAGE])
def test_what_is_no_run_file_is_refused(
    tmp_path: Path, command: str, content: bytes | None
) -> None:
    path = tmp_path / "run.h5"
    if content is not None:
        path.write_bytes(content)
    before = here(tmp_path)
    options = ["--to", "csv"] if command == "export" else []
    result = run(command, path, *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(str(path))
    assert ("does not exist" in result.stderr) == (content is None)
    assert here(tmp_path) == before
    with_json = run(command, path, *options, "--json")
    assert json.loads(with_json.stdout)["error"] == with_json.stderr.strip()


@pytest.mark.parametrize("content", [None, GARBAGE])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "run.sicmlog"
    if content is not None:
        path.write_bytes(content)
    before = here(tmp_path)
    result = run("recover", path)
    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert here(tmp_path) == before


def test_recover_overwrites_only_if_told(tmp_path: Path) -> None:
    path = tmp_path / "run.sicmlog"
    JournalWriter(path).close()
    (tmp_path / "run.h5").write_bytes(b"precious")
    result = run("recover", path)
    assert result.exit_code == 2
    assert f"{tmp_path / 'run.h5'} exists" in result.stderr
    assert (tmp_path / "run.h5").read_bytes() == b"precious"
    result = run("recover", path, "--overwrite", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["hops"], found["scans"], found["interrupted"]) == (0, 0, True)
    assert found["losses"] == []


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    result = run("export", tmp_path / "run.h5", "--to", "docx")
    assert result.exit_code == 2
    assert result.stderr == "no export to 'docx'; there are: gwy, csv, xyz, mpt, bdf\n"


# -- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["demo", "--sample", "cheese"],
            '--sample: found "cheese"; expected one of graphite, flat, tilted, hopg, grating',
        ),
        (
            ["simulate", "--clock", "sundial"],
            '--clock: found "sundial"; expected lockstep or realtime',
        ),
    ],
)
def test_unknown_words_are_refused(arguments: list[str], text: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr == text + "\n"
    result = run(*arguments, "--json")
    assert json.loads(result.stdout) == {"error": text}


def test_a_demo_goes_into_a_new_folder_only(tmp_path: Path) -> None:
    result = run("demo", "--out", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"--out: found {tmp_path}, which exists; expected a new folder\n"
    assert here(tmp_path) == set()


@pytest.mark.parametrize("arguments", [["demo", "--pixels", "1"], ["fly"], ["check"], ["run"]])
def test_wrong_arguments_are_bad_input(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_version() -> None:
    from sicmctl import __version__

    result = run("version")
    assert (result.exit_code, result.stdout) == (0, f"{__version__}\n")
