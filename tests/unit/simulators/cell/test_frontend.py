"""The potentiostat's front end: what it holds, what it shows, and how time passes for it."""

import math
from typing import Any

import numpy as np
import pytest

from simulators.cellconfig import (
    GraphiteCell,
    PotentiostatConfig,
    RandlesCell,
    RcCell,
    ResistorCell,
)
from simulators.cellport import CellPort, Control, Interrupted
from simulators.clocks import Clock, FreeClock
from simulators.frontend import FrontEnd
from simulators.world.cell import make_cell

IDEAL = PotentiostatConfig.ideal()
Config = ResistorCell | RcCell | RandlesCell | GraphiteCell


def front(
    cell: Config, config: PotentiostatConfig = IDEAL, clock: Clock | None = None, seed: int = 1
) -> FrontEnd:
    return FrontEnd(make_cell(cell), config, clock or FreeClock(), seed)


def noisy(**changes: Any) -> PotentiostatConfig:
    return PotentiostatConfig.model_validate(
        {"model": "generic", "potential_step": 0, "current_bits": 0} | changes
    )


def test_it_is_a_cell_port():
    port: CellPort = front(ResistorCell())
    assert port.time == 0
    assert port.read(0.0).current == 0


def test_it_is_compiled_before_a_client_can_wait_for_it(monkeypatch: pytest.MonkeyPatch):
    seen: list[object] = []
    monkeypatch.setattr("simulators.frontend.normals", lambda *_: seen.append(_) or (0.0, 0.0))
    port = front(ResistorCell())
    assert len(seen) == 1
    port.read(0.0)
    assert len(seen) == 2


def test_loop_has_its_bandwidth():
    port = front(ResistorCell(resistance=1e3))
    port.control(Control.POTENTIAL, 1.0)
    tau = 1 / (2 * math.pi * IDEAL.bandwidth)
    port.read(tau)
    assert port.truth[1] == pytest.approx(1 - math.exp(-1))
    port.read(1e-3)
    assert port.truth[1] == pytest.approx(1.0)


def test_potential_step_on_rc():
    port, cell = front(RcCell()), RcCell()
    port.control(Control.POTENTIAL, 1.0)
    tau = cell.capacitance / (1 / cell.resistance + 1 / cell.series_resistance)
    lag = 1 / (2 * math.pi * IDEAL.bandwidth) + 1 / (2 * math.pi * IDEAL.measurement_bandwidth)
    for time in (1e-3, 3e-3, 1.0):
        expected = 1 / 1100 * (1 + 10 * math.exp(-(time - lag) / tau))
        assert port.read(time).current == pytest.approx(expected, rel=2e-3)


def test_ramp_and_open_circuit():
    port = front(RcCell())
    port.control(Control.POTENTIAL, 0.0, slope=0.01)
    reading = port.read(50.0)
    assert reading.potential == pytest.approx(0.5, abs=1e-6)
    assert reading.current == pytest.approx((0.5 - 0.01 * 0.018) / 1100 + 0.01 * 16.5e-6, rel=2e-3)
    port.control(Control.OPEN)
    reading = port.read(50.02)
    assert reading.current == pytest.approx(0.0, abs=1e-15)
    assert reading.potential == pytest.approx(0.5 * 1000 / 1100 * math.exp(-1), rel=3e-3)


def test_current_control_of_graphite_sets_out_from_rest():
    port = front(GraphiteCell(start=0.3))
    rest = port.read(1.0).potential
    port.control(Control.CURRENT, -0.4e-3)
    assert port.read(1.01).potential == pytest.approx(rest - 0.4e-3 * 40, abs=4e-3)
    port.control(Control.POTENTIAL, rest)
    assert port.read(1.02).potential == pytest.approx(rest, abs=1e-6)


def test_average_is_that_of_the_window():
    port = front(RcCell())
    port.control(Control.CURRENT, 1e-4, slope=2e-4)
    assert port.read(10.0, average=4.0).current == pytest.approx(1e-4 + 2e-4 * 8.0, rel=1e-5)
    # it may reach back beyond the last reading
    assert port.read(10.5, average=5.0).current == pytest.approx(1e-4 + 2e-4 * 8.0, rel=2e-3)


def test_noise_is_as_stated_and_falls_with_averaging_and_bandwidth():
    def rms(average: float = 0.0, bandwidth: float = 10e3) -> tuple[float, float]:
        port = front(ResistorCell(resistance=1e6), noisy())
        port.set_current_range(1e-3)
        port.set_bandwidth(bandwidth)
        readings = [port.read(0.1 * n, average) for n in range(1, 2000)]
        return (
            float(np.std([r.potential for r in readings])),
            float(np.std([r.current for r in readings])),
        )

    assert rms() == pytest.approx((20e-6, 30e-9), rel=0.06)
    assert rms(average=0.02)[1] < 0.06 * 30e-9
    assert rms(bandwidth=100.0)[1] == pytest.approx(3e-9, rel=0.06)


def test_converters_have_steps():
    config = noisy(potential_step=76.3e-6, current_bits=16, potential_noise=0, current_noise=0)
    port = front(ResistorCell(resistance=997.0), config)
    port.set_current_range(1e-3)
    port.control(Control.POTENTIAL, 0.3)
    reading = port.read(0.1)
    for value, step, true in (
        (reading.potential, 76.3e-6, 0.3),
        (reading.current, 2e-3 / 2**16, 0.3 / 997),
    ):
        assert value / step == pytest.approx(round(value / step))
        assert abs(value - true) <= step / 2


def test_ranges_overload_and_underload():
    port = front(ResistorCell(resistance=1e3), noisy())
    port.set_current_range(1e-4)
    port.control(Control.POTENTIAL, 0.9)
    reading = port.read(0.1)
    assert reading.overload and not reading.underload
    assert reading.current == pytest.approx(1e-4)
    port.set_current_range(1e-3)
    assert not port.read(0.2).overload
    port.set_current_range(0.1)
    assert port.read(0.3).underload
    port.set_current_range(1e-8)  # the smallest there is
    port.control(Control.OPEN)
    assert not port.read(0.4).underload


@pytest.mark.parametrize("control", [Control.POTENTIAL, Control.CURRENT])
def test_compliance(control: Control):
    """Beyond it, the cell gets what the counter electrode's voltage gives."""
    port = front(ResistorCell(resistance=400.0))
    port.control(control, 9.5 if control is Control.POTENTIAL else 0.03)
    reading = port.read(0.1)
    assert reading.compliance
    assert reading.current == pytest.approx(10.0 / 500)
    assert reading.potential == pytest.approx(8.0)
    port.control(control, 1.0 if control is Control.POTENTIAL else 1.0 / 400)
    reading = port.read(0.2)
    assert not reading.compliance
    assert reading.potential == pytest.approx(1.0)


def test_an_overcharged_electrode_ends_at_compliance():
    port = front(GraphiteCell(start=0.97))
    port.control(Control.CURRENT, -1e-3)
    reading = port.read(120.0)
    assert reading.compliance
    assert reading.potential == pytest.approx(-10.0, abs=0.2)


def test_impedance():
    cell = RandlesCell()
    port = front(cell)
    port.control(Control.POTENTIAL, 0.0)
    expected = make_cell(cell).impedance(10.0)
    assert port.impedance(10.0, 10e-3) == pytest.approx(expected, rel=1e-9)
    assert port.time == pytest.approx(0.3)
    port = front(cell, noisy())
    port.set_current_range(1e-3)
    port.control(Control.POTENTIAL, 0.0)
    found = np.array([port.impedance(1e3, 10e-3) for _ in range(200)])
    assert np.mean(found) == pytest.approx(make_cell(cell).impedance(1e3), rel=2e-3)
    assert 1e-4 < np.std(found / np.mean(found)) < 5e-3


def test_same_seed_same_bits():
    def run(seed: int) -> list[float]:
        port = front(GraphiteCell(), PotentiostatConfig(), seed=seed)
        port.control(Control.POTENTIAL, 1.7, slope=-10e-3)
        return [port.read(0.1 * n, 0.02).current for n in range(1, 100)]

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_interrupt_ends_a_read():
    port = front(ResistorCell())
    port.interrupt()
    with pytest.raises(Interrupted):
        port.read(1.0)
    assert port.read(2.0).time == 2.0
    port.interrupt()
    port.resume()
    assert port.read(3.0).time == 3.0


def test_listener_sees_each_step():
    seen: list[tuple[float, float, float]] = []
    port = FrontEnd(
        make_cell(GraphiteCell()), IDEAL, FreeClock(), listener=lambda *row: seen.append(row)
    )
    port.control(Control.POTENTIAL, 1.7, slope=-0.5)
    port.read(1.0)
    times, potentials, _ = np.array(seen).T
    assert times[-1] == 1.0
    assert np.diff(times).min() > 0
    assert np.diff(potentials).min() > -2.1e-3


def test_long_runs_take_no_time():
    """Two hours at constant current, read ten times a second."""
    port = front(GraphiteCell(start=0.9), PotentiostatConfig())
    port.control(Control.CURRENT, 0.1e-3)
    readings = [port.read(0.1 * n, 0.02) for n in range(1, 20_000)]
    assert readings[-1].time == pytest.approx(1999.9)
    assert port.truth[2] == pytest.approx(0.1e-3)
