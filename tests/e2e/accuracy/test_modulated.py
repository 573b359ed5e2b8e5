"""Heights over a flat sample under a modulated bias, against the truth of the world itself."""

from pathlib import Path

import numpy as np
import pytest

from sicmctl.messages import AnyMessage, HopDone, ScanStarted

from ...rigs import experiment_text, only, quick_sim, virtual

STILL = "".join(
    f'{key} = "{zero}"\n'
    for key, zero in (("drift", "0 m/s"), ("drift_final", "0 m/s"), ("thermal", "0 m"))
)
"""No drift between stage and sample; vibration and the noise of the sensors are as ever."""
HOPS = 40


@pytest.mark.parametrize("by", ["amplitude", "phase"])
def test_heights_err_as_much_as_they_say(tmp_path: Path, by: str) -> None:
    more = f'[stage.x]\n{STILL}[stage.y]\n{STILL}[amplifier]\nstray_capacitance = "0.5 pF"\n'
    sim = quick_sim(more=more).replace("[stage.z]\n", f"[stage.z]\n{STILL}")
    sim = sim.replace("points = 16\n", 'points = 16\nrq = "0 m"\n')
    setpoint = "setpoint" if by == "amplitude" else "phase_shift"
    swing = f'mode = "modulated"\nmodulation_amplitude = "100 mV"\nmodulated_by = "{by}"\n'
    text = experiment_text("auto", pattern="point", where=f"repeats = {HOPS}")
    text = text.replace('setpoint = "1 %"', f'{swing}{setpoint} = "auto"')
    contacts: list[bool] = []

    with virtual(tmp_path / "lab", sim, "0.3 ms") as rig:

        def watch(message: AnyMessage) -> None:
            if isinstance(message, HopDone):
                contacts.append(rig.lab.world.in_contact)

        run = rig.run(text, watch)
        assert run.ended.outcome == "done", run.ended.reason
        (started,) = only(run.messages, ScanStarted)
        drop = started.settings["setpoint"]
        hops = run.accepted
        true = np.array([float(rig.lab.world.setpoint_height(h.x, h.y, drop)) for h in hops])
    assert not any(contacts)
    assert run.statuses.count("ok") >= HOPS - 2
    found = {
        name: np.array([[h.heights[name].value, h.heights[name].sd] for h in hops if h.heights])
        for name in ("fit", "crossing", "stop")
    }
    true = true[[bool(h.heights) for h in hops]]
    for name, bias in (("fit", 0.8e-9), ("crossing", 1.5e-9)):
        error = found[name][:, 0] - true
        told = np.isfinite(error)
        assert told.sum() >= HOPS - 4
        assert abs(error[told].mean()) < bias
    usual = found["fit"]
    normalised = (usual[:, 0] - true) / usual[:, 1]
    assert 0.8 < np.nanstd(normalised) < 1.2
    assert np.nanstd(usual[:, 0] - true) < 2e-9
