"""The tilt of a sample, from three approaches before the scan."""

from math import degrees
from pathlib import Path

import pytest

from sicmctl.data.runfile import RunFile
from sicmctl.messages import Note, ScanStarted

from ..rigs import experiment_text, only, quick_sim, virtual


def test_the_tilt_is_measured_and_used(tmp_path: Path) -> None:
    sim = quick_sim().replace('kind = "flat"', 'kind = "tilted"\ntilt = "2 deg"')
    text = experiment_text(pixels=3, hop='fall_rate = "35 nm/ms"')
    text = text.replace('size = "1 um"', 'size = "8 um"\ntilt = true')
    with virtual(tmp_path / "lab", sim, "0.5 ms") as rig:
        run = rig.run(text)
        rig.suspend(0.01)
        assert rig.gap > 1e-6
    assert run.statuses.count("ok") >= 11  # noise may make one curve look like that of an edge
    assert set(run.statuses) <= {"ok", "edge"}
    first, second = only(run.messages, ScanStarted)
    assert first.prescan
    assert degrees(second.settings["tilt_x"]) == pytest.approx(2, abs=0.05)
    assert degrees(second.settings["tilt_y"]) == pytest.approx(0, abs=0.05)
    three = [hop for hop in run.hops if hop.scan == first.scan]
    assert [hop.start for hop in three] == [pytest.approx(5e-6)] * 3
    begin = next(hop for hop in run.hops if hop.scan == second.scan)
    assert begin.start == pytest.approx(begin.z_stop + 500e-9, abs=30e-9)
    (note,) = (n for n in only(run.messages, Note) if n.text.startswith("tilt"))
    assert note.text.startswith("tilt of the sample: x 2.0") or "x 1.9" in note.text
    with RunFile(run.result.file) as file:
        assert file.scan().settings["tilt_x"] == second.settings["tilt_x"]
