"""experiment.toml: what is read, and the exact words for what is wrong."""

from collections.abc import Callable
from math import isclose, pi
from pathlib import Path

import pytest

from sicmctl.config import load_experiment
from sicmctl.config.scan import LineScan, ListScan, PointScan, RasterScan

Says = Callable[[str], list[str]]
HEAD = 'schema = 1\ntitle = "T"\n[[step]]\n'


def scan_of(tmp_path: Path, text: str) -> PointScan | LineScan | RasterScan | ListScan:
    path = tmp_path / "run.toml"
    path.write_text(HEAD + text)
    scan = load_experiment(path).model.step[0].scan
    assert scan is not None
    return scan


def test_a_point_beside_a_technique(tmp_path: Path) -> None:
    scan = scan_of(
        tmp_path,
        'echem = { technique = "cv", start = "1.7 V", vertex = "0 V", rate = "1 mV/s" }\n'
        'scan = { pattern = "point", hop = { amplitude = "2 um", fall_rate = "30 nm/ms" } }\n',
    )
    assert isinstance(scan, PointScan)
    assert scan.endless
    assert scan.hop.amplitude == 2e-6
    assert scan.hop.fall_rate == 30e-6
    assert scan.hop.setpoint == 0.02
    assert scan.hop.retries == 1


def test_a_square_raster(tmp_path: Path) -> None:
    scan = scan_of(tmp_path, 'scan = { pattern = "raster", size = "20 um", pixels = 64 }\n')
    assert isinstance(scan, RasterScan)
    assert scan.extent == (20e-6, 20e-6)
    assert scan.pixels == (64, 64)
    assert scan.mode == "serpentine"
    assert scan.prescan is None
    assert not scan.endless


def test_an_oblong_raster(tmp_path: Path) -> None:
    scan = scan_of(
        tmp_path,
        'scan = { pattern = "raster", width = "20 um", height = "5 um", pixels = [64, 16], '
        'centre = ["50 um", "40 um"], angle = "90 deg", prescan = { pixels = 4 } }\n',
    )
    assert isinstance(scan, RasterScan)
    assert scan.extent == (20e-6, 5e-6)
    assert scan.pixels == (64, 16)
    assert scan.centre == (50e-6, 40e-6)
    assert isclose(scan.angle, pi / 2)
    assert scan.prescan is not None
    assert scan.prescan.pixels == 4


def test_a_line(tmp_path: Path) -> None:
    scan = scan_of(
        tmp_path,
        'scan = { pattern = "line", start = ["0 um", "0 um"], length = "9 um", points = 3 }\n',
    )
    assert isinstance(scan, LineScan)
    assert (scan.length, scan.end, scan.points, scan.repeats) == (9e-6, None, 3, 1)


def test_a_list_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("x (um),y (nm)\n1,2000\n3,4000\n\n")
    scan = scan_of(tmp_path, 'scan = { pattern = "list", file = "p.csv" }\n')
    assert isinstance(scan, ListScan)
    assert scan.points == ((1e-6, 2e-6), (3e-6, 4e-6))


POINT = 'pattern = "point"\nrepeats = 3\n'
LINE = 'pattern = "line"\nstart = ["0 um", "0 um"]\npoints = 3\n'
RASTER = 'pattern = "raster"\npixels = 8\n'
SCANS = {
    'pattern = "spiral"': '5: step[0].scan.pattern: found "spiral"; '
    'expected one of "point", "line", "raster", "list"',
    'x = "1 um"': "4: step[0].scan.pattern: found nothing; "
    'expected one of "line", "list", "point", "raster"',
    'pattern = "point"': "4: step[0].scan: found neither of both and no echem to follow; "
    "expected repeats or duration",
    POINT + 'duration = "1 s"': "7: step[0].scan.duration: found repeats beside it; "
    "expected either repeats or duration",
    'pattern = "point"\nrepeats = 0': "6: step[0].scan.repeats: found 0; "
    "expected greater than or equal to 1",
    'pattern = "point"\nrepeats = 2.5': "6: step[0].scan.repeats: found 2.5; "
    "expected a valid integer",
    'pattern = "point"\nrepeats = true': "6: step[0].scan.repeats: found true; "
    "expected a valid integer",
    POINT + 'hop = { setpont = "2 %" }': "7: step[0].scan.hop.setpont: "
    'found the unknown key "setpont"; expected one of adaptive, amplitude, debounce, dwell, '
    "engine, fall_rate, floor_margin, height, level, meniscus, mode, modulated_by, "
    "modulation_amplitude, modulation_frequency, phase_shift, reference_time, retries, "
    "setpoint, threshold (did you mean setpoint?)",
    POINT + 'hop = { mode = "absolut" }': '7: step[0].scan.hop.mode: found "absolut"; '
    'expected one of "drop", "absolute", "onset", "modulated"',
    POINT + 'hop = { meniscus = "50 nm" }': "7: step[0].scan.hop.meniscus: "
    'found mode "drop" beside it; expected meniscus only with mode "onset"',
    POINT + 'hop = { mode = "onset", adaptive = true }': "7: step[0].scan.hop.adaptive: "
    'found mode "onset" beside it; expected hops that are not adaptive',
    POINT + 'hop = { mode = "onset", threshold = "0 A" }': "7: step[0].scan.hop.threshold: "
    'found "0 A"; expected more than 0, or "auto"',
    POINT + 'hop = { mode = "absolute" }': "7: step[0].scan.hop.mode: found no level; "
    'expected level = "3.1 nA" or the like beside mode "absolute"',
    POINT + 'hop = { level = "3.1 nA" }': '7: step[0].scan.hop.level: found mode "drop" beside it; '
    'expected level only with mode "absolute"',
    POINT + 'hop = { mode = "absolute", level = "3.1 nA", setpoint = "3 %" }': "7: "
    'step[0].scan.hop.setpoint: found mode "absolute" beside it; '
    'expected setpoint only with mode "drop" or "modulated"',
    POINT + 'hop = { mode = "absolute", level = "-3 nA" }': "7: step[0].scan.hop.level: "
    'found "-3 nA"; expected more than 0',
    POINT + 'hop = { setpoint = "3.1 nA" }': "7: step[0].scan.hop.setpoint: "
    'found "3.1 nA", which is not a fraction; expected a fraction like "2 %" or 0.02, or "auto"',
    POINT + 'hop = { setpoint = "0.01 %" }': "7: step[0].scan.hop.setpoint: "
    'found "0.01 %"; expected at least 0.0005 and at most 0.5, or "auto"',
    POINT + "hop = { setpoint = 2 }": "7: step[0].scan.hop.setpoint: "
    'found 2; expected at least 0.0005 and at most 0.5, or "auto"',
    POINT + 'hop = { setpoint = "2 um" }': "7: step[0].scan.hop.setpoint: "
    'found "2 um", which is not a fraction; expected a fraction like "2 %" or 0.02, or "auto"',
    POINT + 'hop = { fall_rate = "fast" }': '7: step[0].scan.hop.fall_rate: found "fast"; '
    'expected a quantity like "30 nm/ms", or "auto"',
    POINT + 'hop = { engine = "fpga" }': '7: step[0].scan.hop.engine: found "fpga"; '
    'expected one of "auto", "streamed", "comparator"',
    POINT + "hop = { retries = -1 }": "7: step[0].scan.hop.retries: found -1; "
    "expected greater than or equal to 0",
    LINE: "4: step[0].scan: found neither of both; expected end or length",
    LINE + 'end = ["1 um", "0 um"]\nlength = "1 um"': "9: step[0].scan.length: "
    "found end beside it; expected either end or length",
    LINE + 'end = ["1 um"]': "8: step[0].scan.end[1]: found nothing; expected one more element",
    LINE + 'end = ["1 um", "2 V"]': '8: step[0].scan.end[1]: found "2 V", '
    'which is not convertible to m; expected a quantity like "1.5 um"',
    LINE + 'end = ["0 um", "0 um"]': "8: step[0].scan.end: found the start again; "
    "expected another point",
    RASTER: "4: step[0].scan: found neither of both; expected size, or width and height",
    RASTER + 'size = "1 um"\nwidth = "2 um"': "7: step[0].scan.size: "
    "found width or height beside it; expected either size, or width and height",
    'pattern = "raster"\nsize = "1 um"\npixels = 5000': "7: step[0].scan.pixels: found 5000; "
    "expected less than or equal to 4096",
    'pattern = "raster"\nsize = "1 um"\npixels = [8, 0]': "7: step[0].scan.pixels[1]: found 0; "
    "expected greater than or equal to 1",
    'pattern = "raster"\nsize = "1 um"': "4: step[0].scan.pixels: found nothing; "
    "expected an array (pixels along each side, or [along x, along y])",
    'pattern = "list"': "4: step[0].scan: found neither of both; expected points or file",
    'pattern = "list"\npoints = []': "6: step[0].scan.points: found an empty array; "
    "expected at least one element",
    'pattern = "list"\npoints = [\n["1 um", "2 um"],\n["1 um", 2],\n]': "8: "
    "step[0].scan.points[1][1]: found 2 without a unit; "
    'expected text with a unit, like "1.5 um"',
}  # fmt: skip


@pytest.mark.parametrize("scan", SCANS)
def test_each_key_of_a_scan_is_checked(scan: str, run_says: Says) -> None:
    assert run_says(f"{HEAD}[step.scan]\n{scan}\n") == ["run.toml:" + SCANS[scan]]


OCP = 'echem = { technique = "ocp", duration = "1 s" }\n'
RUNS = {
    'schema = 1\ntitle = "T"\n': "1: step: found nothing; expected an array (the steps, in order)",
    'schema = 1\ntitle = "T"\nstep = []\n': "3: step: found an empty array; "
    "expected at least one element",
    'schema = 1\ntitle = "T"\n[step]\n': "3: step: found an empty table; expected an array",
    HEAD: "3: step[0]: found an empty step; expected scan, echem, or both",
    HEAD + "echem = { start = 1 }\n": "4: step[0].echem.technique: found nothing; expected one of "
    '"ca", "cc", "cp", "cv", "eis", "gcpl", "gitt", "hold", "lsv", "ocp", "pitt", "rest", '
    '"sequence", "steps"',
    HEAD + "scan = 3\n": "4: step[0].scan: found 3; expected a table",
    f"schema = 1\n[[step]]\n{OCP}": "1: title: found nothing; "
    "expected text (what the run is called)",
    f'schema = 1\ntitle = ""\n[[step]]\n{OCP}': '2: title: found ""; expected at least 1 character',
    'schema = 3\ntitle = ""\n': "1: schema: found version 3; expected version 1, "
    "the newest that this program reads (update sicmctl)",
}


@pytest.mark.parametrize("text", RUNS)
def test_the_frame_of_an_experiment_is_checked(text: str, run_says: Says) -> None:
    assert run_says(text) == ["run.toml:" + RUNS[text]]


POINTS = {
    "x (um),y (um)\n1,b\n2,3\n4\n": ['p.csv:2: found "1,b"; expected two numbers: x, y',
                                    'p.csv:4: found "4"; expected two numbers: x, y'],
    "1,2\n": ['p.csv:1: found "1,2"; expected the header "x (um),y (um)"'],
    "x (V),y (um)\n1,2\n": [
        'p.csv:1: x: found "1 V", which is not convertible to m; expected a unit of length'
    ],
    "x (um),y (um)\n": ["p.csv:1: found no points; expected at least one"],
    "x (um),y (um)\nnan,inf\n": ['p.csv:2: found "nan,inf"; expected two numbers: x, y'],
}  # fmt: skip


@pytest.mark.parametrize("text", POINTS)
def test_lists_of_points_are_checked(text: str, run_says: Says, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(text)
    assert run_says(HEAD + 'scan = { pattern = "list", file = "p.csv" }\n') == POINTS[text]


def test_a_list_of_points_that_is_not_there(run_says: Says) -> None:
    assert run_says(HEAD + 'scan = { pattern = "list", file = "p.csv" }\n') == [
        "p.csv: found no way to read it (No such file or directory); expected a file"
    ]


def test_a_tilt_beside_a_prescan_is_refused(run_says: Says) -> None:
    scan = 'pattern = "raster", size = "1 um", pixels = 4, tilt = true, prescan = { pixels = 3 }'
    (said,) = run_says(HEAD + f"scan = {{ {scan} }}\n")
    assert "tilt: found prescan beside it; expected either tilt or prescan" in said
