"""Tests that run: waveforms, samples, ends."""

from itertools import pairwise
from typing import Any

import pytest

from simulators.cellconfig import PotentiostatConfig, ResistorCell
from simulators.cellport import Control
from simulators.clocks import FreeClock
from simulators.frontend import FrontEnd
from simulators.instruments.rodeostat import Device
from simulators.instruments.rodeostat.run import Run
from simulators.instruments.rodeostat.techniques import TECHNIQUES
from simulators.world.cell import make_cell


@pytest.fixture
def wide(bench: Any) -> Any:
    """The widest current range."""
    bench.ask("setCurrRange", currRange="1000uA")
    return bench


def column(samples: list[dict[str, Any]], name: str) -> list[float]:
    """One key of all samples."""
    return [sample[name] for sample in samples]


def test_cyclic(wide: Any) -> None:
    samples = wide.run("cyclic", amplitude=0.5, offset=0.1, period=100, numCycles=1, quietTime=20)
    assert column(samples, "t") == list(range(10, 130, 10))
    expected = [0, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.4, 0.2, 0, -0.2, -0.4]
    assert column(samples, "v") == pytest.approx(expected, abs=1e-6)
    # the first potential is a step of the converter, ramps are not rounded
    assert column(samples, "i")[2:] == pytest.approx([1e3 * e for e in expected[2:]], abs=1e-3)
    assert wide.port.mode is Control.OPEN


def test_a_turn_between_two_samples_is_not_cut_off(wide: Any) -> None:
    wide.run("cyclic", amplitude=0.5, offset=0.0, period=90, numCycles=1)
    reached = [
        value + slope * (end - start)
        for (start, value, slope), (end, *_) in pairwise(wide.port.held)
    ]
    assert max(reached) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("test", "values", "expected"),
    [
        ("constant", {"value": 0.3, "duration": 30}, [0.3] * 3),
        (
            "linearSweep",
            {"startValue": 0.0, "finalValue": 0.4, "duration": 40},
            [0.1, 0.2, 0.3, 0.4],
        ),
        ("linearSweep", {"startValue": 0.4, "finalValue": 0.0, "duration": 25}, [0.24, 0.08]),
        ("sinusoid", {"amplitude": 0.5, "period": 40, "numCycles": 1}, [0.5, 0, -0.5, 0]),
        (
            "sinusoid",
            {"amplitude": 0.5, "period": 40, "numCycles": 1, "shift": 0.25},
            [0, -0.5, 0, 0.5],
        ),
        ("multiStep", {"step": [[20, 0.1], [10, -0.2]]}, [0.1, 0.1, -0.2]),
        ("chronoamp", {"quietTime": 10, "quietValue": 0.5, "step": [[10, 0.1]]}, [0.1, 0.1]),
    ],
)
def test_potentials(wide: Any, test: str, values: dict[str, Any], expected: list[float]) -> None:
    assert column(wide.run(test, **values), "v") == pytest.approx(expected, abs=1e-6)


def test_square_wave(wide: Any) -> None:
    samples = wide.run(
        "squareWave", startValue=0.0, finalValue=0.2, stepValue=0.1, amplitude=0.05, quietTime=10
    )
    assert column(samples, "v") == pytest.approx([0, 0.1, 0.2, 0.2])
    assert column(samples, "i") == pytest.approx([0, 100, 100, 100], abs=1)


def test_the_range_fits_the_test(wide: Any) -> None:
    wide.run("constant", value=3.0, duration=20)
    assert wide.ask("getVoltRange")["response"]["voltRange"] == "5V"


def test_limit_error(bench: Any) -> None:
    bench.ask("setCurrRange", currRange="10uA")
    samples = bench.run("constant", value=0.5, duration=20)
    assert [(s["i"], s["le"]) for s in samples] == [(10.0, True)] * 2


def test_stop(wide: Any) -> None:
    wide.port.gate.clear()
    assert wide.ask("runTest", test="constant")["response"] == {
        "command": "runTest",
        "test": "constant",
    }
    assert wide.port.waiting.wait(5)
    assert wide.ask("getCurr")["response"]["i"] == 0.0
    assert wide.ask("getVersion")["success"]
    assert wide.ask("stopTest") == {"success": True, "response": {"command": "stopTest"}}
    assert wide.hear() == {}
    assert wide.port.mode is Control.OPEN


def test_electrodes_stay_if_told_so(wide: Any) -> None:
    wide.ask("setElectAutoConnect", autoConnect=False)
    wide.ask("setAllElectConnected", connected=True)
    wide.run("constant", value=0.5, duration=20)
    assert wide.port.mode is Control.POTENTIAL
    assert wide.ask("getCurr")["response"]["i"] == pytest.approx(499.8779)


def test_another_test_ends_the_first(wide: Any) -> None:
    wide.port.gate.clear()
    wide.ask("runTest", test="cyclic")
    assert wide.port.waiting.wait(5)
    wide.ask("setParam", test="constant", param={"value": 0.25, "duration": 10})
    wide.ask("runTest", test="constant")
    wide.port.gate.set()
    assert wide.hear()["v"] == 0.25
    assert wide.hear() == {}


def test_overload_on_demand(wide: Any) -> None:
    wide.device.overload(0.015)
    samples = wide.run("constant", value=0.25, duration=30)
    assert [s.get("le", False) for s in samples] == [True, False, False]


class Late(FreeClock):
    """The clock of a computer that stands still for a moment before whatever it is to do."""

    late = 0.0

    def present(self, seen: float) -> float:
        return super().present(seen) + self.late


def test_a_late_computer_does_not_delay_the_waveform() -> None:
    clock = Late()
    front = FrontEnd(make_cell(ResistorCell(resistance=1e4)), PotentiostatConfig(), clock)
    samples: list[dict[str, Any]] = []
    device = Device(front)
    device.close()
    device.analog.set_curr_range("100uA")
    sweep = TECHNIQUES["linearSweep"]
    values = dict(sweep.defaults) | {"startValue": 0.0, "finalValue": 0.5, "duration": 500}
    device.analog.connect(True)
    clock.late = 0.05
    Run(sweep, values, 100, device.analog, samples.append).perform()
    assert column(samples, "v") == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5], abs=1e-6)
    assert column(samples, "i") == pytest.approx([10, 20, 30, 40, 50], abs=0.1)
