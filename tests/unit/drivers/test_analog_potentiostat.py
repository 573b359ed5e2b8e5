"""The analog potentiostat's scales, averages, refusals and faults."""

from typing import Any

import numpy as np
import pytest

from drivers.analog_potentiostat import AnalogPotentiostat
from drivers.analog_potentiostat.panel import Options, Seen
from drivers.analog_potentiostat.recorder import Windows
from drivers.analog_potentiostat.spectrum import Sine, frequencies
from sicmctl.hal.cell import CellProgram, CellRest, HoldCurrent, HoldPotential, Open, Sweep
from sicmctl.hal.errors import (
    LimitExceeded,
    NotConnected,
    NotSupported,
    UnexpectedState,
)
from sicmctl.hal.potentiostat import CellSamples, SampleFlag
from sicmctl.hal.timeline import Stamp
from simulators.cellconfig import AnalogConfig, RcCell, ResistorCell
from simulators.clocks import FreeClock

from ...potentiostats.analog import opened
from .fakes import PaperCard

MONITORS = ("cell_potential", "cell_current")
LONG = CellProgram((HoldPotential(interval=0.05, duration=1e4, potential=0.2),))


def now() -> Stamp:
    return Stamp(0.0)


def options(**more: Any) -> Options:
    return Options.model_validate({"current_scale": "1 V/mA", "current_range": "1 mA"} | more)


def device(roles: tuple[str, ...] = MONITORS, **more: Any) -> AnalogPotentiostat:
    return AnalogPotentiostat.open(options(**more), PaperCard(roles))


# -- what it can do -----------------------------------------------------------------------------


def test_its_limits_follow_from_scales_and_knobs() -> None:
    found = device(command_scale="-0.1 V/V", potential_limit="5 V", cell_switch="port0/line7")
    assert found.limits.potential.high == pytest.approx(1.0)  # 10 V of the card
    assert device(cell_switch="l", potential_limit="5 V").limits.potential.high == 5.0
    assert found.limits.ranges == (1e-3,)
    assert Open in found.limits.steps and HoldCurrent not in found.limits.steps
    galvanostat = device(control="current", current_command_scale="0.05 mA/V")
    assert galvanostat.limits.current.high == pytest.approx(0.5e-3)
    assert galvanostat.limits.frequency is None
    assert galvanostat.limits.steps == {HoldCurrent, Open}


@pytest.mark.parametrize("scale", ["command_scale", "potential_scale"])
def test_a_scale_of_nothing_is_refused(scale: str) -> None:
    with pytest.raises(ValueError, match=f"{scale} must not be zero"):
        options(**{scale: "0 V/V"})


def test_a_monitor_without_input_is_refused() -> None:
    with pytest.raises(UnexpectedState, match=r"no input is assigned to cell_current .*daq.inputs"):
        device(("cell_potential",))


def test_beside_a_microscope_it_is_refused() -> None:
    with pytest.raises(NotSupported, match="the card's samples are the microscope's"):
        device((*MONITORS, "pipette_current"))


def test_without_a_switch_a_potentiostat_cannot_open_the_cell() -> None:
    found = device()
    assert Open not in found.limits.steps
    for ask in (
        lambda: found.rest(CellRest.OCP),
        lambda: found.run(CellProgram(LONG.steps, CellRest.OFF), now),
    ):
        with pytest.raises(NotSupported, match=r"no line that opens the cell .*cell_switch"):
            ask()
    found.safe_state()  # stops what runs and holds


def test_a_galvanostat_holds_no_potential() -> None:
    found = device(control="current")
    with pytest.raises(NotSupported, match="its external input sets the current"):
        found.hold(0.1)
    with pytest.raises(NotSupported, match="its external input sets the current"):
        found.rest(CellRest.HOLD)
    with pytest.raises(NotSupported, match="cannot do a held potential"):
        found.run(LONG, now)


def test_a_ramp_too_steep_for_its_samples_is_refused() -> None:
    found = device(cell_switch="l")
    steep = Sweep(interval=0.1, start=0.0, stop=1.0, rate=found.limits.rate.high * 1.1)
    with pytest.raises(LimitExceeded, match="sweep rate"):
        found.run(CellProgram((steep,)), now)


# -- averages and sines -------------------------------------------------------------------------


def test_windows_average_whatever_blocks_come() -> None:
    values = np.arange(100.0)
    windows, rows = Windows(7), []
    for first, last in ((0, 3), (3, 50), (50, 51), (51, 100)):
        part = values[first:last]
        rows += windows.take(Seen(first, part, 2 * part, part == 20)).potential.tolist()
    last = windows.rest()
    assert rows == [3.0 + 7 * k for k in range(14)]
    assert last.potential.tolist() == []  # two samples of seven are no window
    assert Windows(7).rest().number.tolist() == []


def test_a_last_window_counts_if_it_is_half_full() -> None:
    windows = Windows(4)
    new = windows.take(Seen(10, np.arange(7.0), np.zeros(7), np.arange(7) == 2))
    assert (new.number.tolist(), new.potential.tolist()) == ([11.5], [1.5])
    assert new.over.tolist() == [True]
    last = windows.rest()
    assert (last.number.tolist(), last.potential.tolist(), last.over.tolist()) == (
        [15.0], [5.0], [False])  # fmt: skip


@pytest.mark.parametrize("late", [0, 17, 60])
def test_a_sine_is_fitted_wherever_it_begins(late: int) -> None:
    sine = Sine(frequency=13.0, potential=0.3, amplitude=0.01, rate=2000.0)
    course = sine.course()
    assert course[-1] == 0.3
    potential = np.concatenate([np.full(late, 0.3), course, np.full(5, 0.3)])
    lagged = np.roll(potential, 4) - 0.3  # 4 samples at 13 Hz
    impedance, e, i = sine.fit(potential, 2e-3 + lagged / 500.0)
    assert impedance == pytest.approx(500.0 * np.exp(2j * np.pi * 13 * 4 / 2000), rel=1e-3)
    assert (e, i) == pytest.approx((0.3, 2e-3), rel=1e-3)


def test_a_sine_that_does_not_show_is_told() -> None:
    sine = Sine(frequency=13.0, potential=0.3, amplitude=0.01, rate=2000.0)
    flat = np.full(len(sine.course()), 0.3)
    with pytest.raises(UnexpectedState, match="does not follow the external input"):
        sine.fit(flat, flat)


def test_the_card_bounds_the_frequencies() -> None:
    found = frequencies(1e4)
    assert found.high == 1e3
    assert len(Sine(found.low * 1.001, 0.0, 0.01, 1e4).course()) <= 1 << 21


# -- on the virtual rig -------------------------------------------------------------------------


def test_a_galvanostat_charges_a_cell() -> None:
    panel = AnalogConfig(control="current", current_range=1e-5, current_scale=10.0)
    cell = RcCell(series_resistance=1e3, resistance=1e5, capacitance=1e-6)
    charge = HoldCurrent(interval=0.05, duration=1.0, current=4e-6)
    with opened(cell, FreeClock(), panel, rate="1 kHz") as bench:
        data = list(bench.potentiostat.run(CellProgram((charge,)), now))
        last = [d for d in data if isinstance(d, CellSamples) and len(d)][-1]
        assert last.potential[-1] == pytest.approx(4e-6 * 101e3, rel=1e-3)
        assert last.current[-1] == pytest.approx(4e-6, rel=1e-3)
        assert not bench.front.holding


def test_a_current_beyond_the_knob_and_a_lost_control_are_flagged() -> None:
    panel = AnalogConfig(current_range=1e-5)
    step = HoldPotential(interval=0.05, duration=0.5, potential=1.0)
    with opened(ResistorCell(resistance=1e4), FreeClock(), panel, rate="1 kHz") as bench:
        data = list(bench.potentiostat.run(CellProgram((step,)), now))
        flags = np.concatenate([d.flags for d in data if isinstance(d, CellSamples)])
        assert set(flags[3:]) == {SampleFlag.OVERLOAD}
    with opened(ResistorCell(resistance=1.0), FreeClock(), panel, rate="1 kHz") as bench:
        data = list(bench.potentiostat.run(CellProgram((step,)), now))
        flags = np.concatenate([d.flags for d in data if isinstance(d, CellSamples)])
        assert set(flags[3:]) == {SampleFlag.OVERLOAD | SampleFlag.COMPLIANCE}


def test_a_command_that_is_wired_elsewhere_is_found_out_and_the_cell_opened() -> None:
    with opened(ResistorCell(), FreeClock(), rate="1 kHz", command="ao1") as bench:
        with pytest.raises(UnexpectedState, match="the input cell_command does not show it"):
            list(bench.potentiostat.run(LONG, now))
        assert not bench.front.holding


def test_a_long_ramp_goes_on_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.analog_potentiostat.driver._CHUNK", 300)
    ramp = Sweep(interval=0.02, start=-0.2, stop=0.2, rate=0.4)
    with opened(ResistorCell(resistance=1e4), FreeClock(), rate="1 kHz") as bench:
        data = list(bench.potentiostat.run(CellProgram((ramp,)), now))
        parts = [d for d in data if isinstance(d, CellSamples)]
        time = np.concatenate([d.time for d in parts])
        potential = np.concatenate([d.potential for d in parts])
        assert np.all(np.diff(time) > 0) and np.all(np.diff(potential) > 0)
        assert time[-1] - time[0] == pytest.approx(0.98, abs=0.03)
        assert potential[-1] == pytest.approx(0.2, abs=0.01)


def test_a_card_that_is_gone_is_told_with_what_is_known_of_the_cell() -> None:
    with opened(ResistorCell(), FreeClock(), rate="1 kHz") as bench:
        data = bench.potentiostat.run(LONG, now)
        next(data)
        bench.server.__exit__(None, None, None)
        with pytest.raises(NotConnected) as caught:
            list(data)
        assert "still on at 200 mV" in str(caught.value)
        assert "switch the cell off at the instrument" in caught.value.remedy
