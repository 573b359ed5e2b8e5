"""Numbers from virtual cells whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest

from sicmctl.analysis.echem import capacity, circuits, cv, differential, eis, gitt, kramers, rc
from sicmctl.analysis.echem.segments import cycles_of, parts, passed, sweeps, turning_points
from sicmctl.data.echemdata import EchemData, EchemSpectrum
from sicmctl.hal.cell import (
    CellProgram,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Until,
)
from sicmctl.hal.potentiostat import SampleFlag
from simulators.cellconfig import GraphiteCell, PotentiostatConfig, RandlesCell, RcCell
from simulators.world.cell import Graphite

from .bench import Bench

DUMMY = RcCell(series_resistance=1e3, resistance=1e5, capacitance=1e-6)
FREQUENCIES = tuple(np.geomspace(1e5, 1e-2, 50).tolist())


def test_peaks_of_slow_graphite() -> None:
    """The cell's own steps, at the rate at which the stages show: 0.02 mV/s."""
    data = _graphite_cv(0.02e-3)
    down, up = cv.half_cycles(data)
    assert [p.potential for p in down.peaks] == pytest.approx([0.206, 0.113, 0.071], abs=0.003)
    assert [p.potential for p in up.peaks] == pytest.approx([0.108, 0.143, 0.222], abs=0.003)
    assert not down.rising
    assert all(p.current < 0 < p.height for p in down.peaks)
    assert all(p.anodic and p.current > 0 for p in up.peaks)
    assert down.charge == pytest.approx(data.charge[2500 - 1], rel=1e-3)
    assert up.rate == pytest.approx(0.02e-3, rel=1e-3)


def _graphite_cv(rate: float) -> EchemData:
    from simulators.cellport import Control

    cell, dt = Graphite(GraphiteCell(potential=0.5)), 0.1
    potential = np.concatenate([np.linspace(0.5, 0, 2500), np.linspace(0, 0.5, 2501)[1:]])
    every = round(0.5 / rate / 2500 / dt)
    current = np.empty(5000)
    for k, (last, level) in enumerate(zip([0.5, *potential[:-1]], potential, strict=True)):
        for part in np.linspace(last, level, every + 1)[1:]:
            current[k] = cell.step(dt, Control.POTENTIAL, part, part)[1]
    time = np.arange(1, 5001) * every * dt
    return _data(time, potential, current)


def _data(time: np.ndarray, potential: np.ndarray, current: np.ndarray) -> EchemData:
    n = time.size
    charge = np.append(0, np.cumsum(0.5 * (current[1:] + current[:-1]) * np.diff(time)))
    none = np.zeros(n, np.int32)
    return EchemData(time, potential, current, charge, none, none, none, np.zeros(n, np.uint8))


def test_no_peaks_in_a_capacitor_nor_in_noise() -> None:
    rng = np.random.default_rng(3)
    e = np.append(np.linspace(0, 1, 1000), np.linspace(1, 0, 1000))
    i = np.sign(np.gradient(e)) * 1e-6
    data = _data(np.arange(2000.0), e, i + rng.normal(0, 1e-9, 2000))
    assert [half.peaks for half in cv.half_cycles(data)] == [(), ()]
    flat = _data(np.arange(100.0), np.full(100, 0.3), np.ones(100))
    assert cv.half_cycles(flat) == []
    assert cv.half_cycles(EchemData()) == []


def test_overloads_are_not_peaks() -> None:
    e = np.append(np.linspace(0, 1, 1000), np.linspace(1, 0, 1000))
    i = np.exp(-(((e - 0.4) / 0.05) ** 2)) * np.sign(np.gradient(e))
    i[700] = 50.0
    data = _data(np.arange(2000.0), e, i)
    flags = np.zeros(2000, np.uint8)
    flags[700] = SampleFlag.OVERLOAD
    first, second = cv.half_cycles(replace(data, flags=flags))
    assert [p.potential for p in first.peaks] == pytest.approx([0.4], abs=2e-3)
    assert (first.overloads, second.overloads) == (1, 0)
    assert first.highest == pytest.approx(1, rel=1e-3)
    assert first.peaks[0].width == pytest.approx(0.05 * 2 * np.sqrt(np.log(2)), rel=0.02)


def test_sweeps_of_cycles_and_what_is_no_sweep() -> None:
    quiet = HoldPotential(interval=0.1, potential=0.1, duration=2.0, label="quiet")
    cycles = Cycles(interval=0.01, start=0.1, first=0.5, second=-0.5, rate=0.5, count=3)
    data = Bench(DUMMY).run(CellProgram((quiet, cycles)), "cv", 1e-5)
    found = sweeps(data)
    assert [s.rising for s in found] == [True, False] * 3 + [True]
    assert [s.cycle for s in found] == [0, 0, 0, 1, 1, 2, 2]
    assert found[0].slice.start == 20
    corners = data.potential[[s.slice.stop - 1 for s in found]]
    assert corners == pytest.approx([0.5, -0.5, 0.5, -0.5, 0.5, -0.5, 0.1], abs=2e-3)
    assert set(cycles_of(data)) == {0, 1, 2}


def test_turning_points_ignore_noise_and_stairs() -> None:
    rng = np.random.default_rng(1)
    e = np.concatenate([np.linspace(0.7, 0, 7000), np.linspace(0, 1.7, 17000)])
    noisy = np.round((e + rng.normal(0, 1e-3, e.size)) / 5e-3) * 5e-3
    turns = turning_points(noisy)
    assert turns.size == 3
    assert abs(turns[1] - 7000) < 50
    assert turning_points(np.empty(0)).size == 0
    assert turning_points(np.zeros(5)).tolist() == [0, 4]


@pytest.mark.parametrize(
    ("step", "applied", "full_scale", "tolerance"),
    [
        (HoldPotential(interval=1e-3, potential=0.5, duration=0.1), "potential", 1e-3, 0.03),
        (HoldCurrent(interval=5e-3, current=5e-6, duration=0.6), "current", 1e-5, 0.002),
    ],
    ids=["CA", "CP"],
)
def test_dummy_cell_after_a_step(
    step: HoldPotential | HoldCurrent, applied: rc.Applied, full_scale: float, tolerance: float
) -> None:
    data = Bench(DUMMY).run(CellProgram((step,)), "", full_scale)
    fit = rc.fit_rc(data.time, data.potential, data.current, applied, between="stairs",
                    rest=(data.steps[0].start, 0.0))  # fmt: skip
    assert fit.resistance == pytest.approx(1e5, rel=1e-3)
    # the front end's own delay, 24 us, is 2.4 % of R_s C
    assert fit.capacitance == pytest.approx(1e-6, rel=tolerance)
    assert fit.series == pytest.approx(1e3, rel=0.05)
    assert fit.resistance_sd < 1e3
    assert fit.model.shape == data.time.shape


def test_dummy_cell_by_voltammetry() -> None:
    cycles = Cycles(interval=0.01, start=0, first=0.5, second=-0.5, rate=1, count=2)
    data = Bench(DUMMY).run(CellProgram((cycles,)), "cv", 1e-5)
    known = rc.fit_rc(data.time, data.potential, data.current, "potential",
                      rest=(data.steps[0].start, 0.0), series=1e3)  # fmt: skip
    assert (known.resistance, known.capacitance) == pytest.approx((1e5, 1e-6), rel=1e-3)
    free = rc.fit_rc(data.time, data.potential, data.current, "potential",
                     rest=(data.steps[0].start, 0.0))  # fmt: skip
    assert free.resistance + free.series == pytest.approx(101e3, rel=1e-3)
    assert free.series_sd > 1e3  # ten milliseconds do not show a time constant of one


def test_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="at least 8 samples"):
        rc.fit_rc(np.arange(5.0), np.zeros(5), np.zeros(5), "potential")
    with pytest.raises(ValueError, match="not all the same"):
        rc.fit_rc(np.arange(50.0), np.zeros(50), np.zeros(50), "current")


def _cycling(rounds: int, current: float = 0.4e-3) -> tuple[EchemData, list[tuple[float, float]]]:
    """Cycle graphite; the data, and time and charge passed by the world's own books."""
    bench = Bench(GraphiteCell())
    books: list[tuple[float, float]] = []
    cell = bench.cell
    assert isinstance(cell, Graphite)
    bench.port._listener = lambda t, e, i: books.append((t, cell.books.passed))
    body = (
        HoldCurrent(interval=2, current=-current, duration=7200, label="charge",
                    until=(Until("potential", "below", 5e-3),)),
        Open(interval=10, duration=120, label="rest"),
        HoldCurrent(interval=2, current=current, duration=7200, label="discharge",
                    until=(Until("potential", "above", 1.0),)),
        Open(interval=10, duration=120, label="rest"),
    )  # fmt: skip
    return bench.run(CellProgram((Repeat(body, rounds),)), "gcpl", 1e-3), books


def test_capacity_and_efficiency_against_the_books() -> None:
    data, books = _cycling(3)
    time, charge = np.array(books).T
    found = capacity.cycles(data)
    assert [c.number for c in found] == [0, 1, 2]
    for cycle in found:
        assert cycle.second is not None
        true = [
            abs(float(np.diff(np.interp([step.start, step.end], time, charge))[0]))
            for half in (cycle.first, cycle.second)
            for step in (half.parts[0].step,)
        ]
        assert cycle.efficiency == pytest.approx(true[1] / true[0], abs=2e-3)
        assert cycle.first.capacity == pytest.approx(true[0], rel=2e-3)
        assert (cycle.first.label, cycle.second.label) == ("charge", "discharge")
        assert cycle.first.reason == "potential <= 0.005 V"
    assert 0.94 < found[0].efficiency < found[1].efficiency < 1
    charge_then, potential = capacity.curve(data, found[0].first)
    assert charge_then[-1] == pytest.approx(found[0].first.capacity, rel=2e-3)
    assert potential[-1] <= 5e-3


def test_half_cycles_that_the_run_does_not_complete() -> None:
    data, _ = _cycling(1)
    whole = len(capacity.half_cycles(data))
    first = parts(data)[0].slice.stop
    cut = replace(
        data,
        **{n: getattr(data, n)[:first] for n in ("time", "potential", "current", "charge", "step",
                                                 "cycle", "loop", "flags")},
    )  # fmt: skip
    (only,) = capacity.cycles(cut)
    assert whole == 2
    assert only.second is None
    assert np.isnan(only.efficiency)
    assert capacity.cycles(EchemData()) == []


def test_passed_counts_the_edges_of_a_step() -> None:
    step = HoldCurrent(interval=1.0, current=1e-3, duration=10.0)
    data = Bench(RcCell(resistance=10.0)).run(CellProgram((step,)))
    assert passed(data, parts(data)[0]) == pytest.approx(1e-2, rel=1e-3)
    assert data.charge[-1] == pytest.approx(0.9e-2, rel=1e-3)


def test_differential_capacity_keeps_the_charge() -> None:
    data, _ = _cycling(1)
    half = capacity.half_cycles(data)[1]
    charge, potential = capacity.curve(data, half)
    e, density = differential.capacity_density(charge, potential)
    assert np.trapezoid(density, e) == pytest.approx(charge[-1] - charge[0], rel=2e-3)
    assert 0.09 < e[np.argmax(density)] < 0.2
    q, slope = differential.potential_slope(charge, potential)
    within = np.interp(q, charge, potential)
    assert np.trapezoid(slope, q) == pytest.approx(within[-1] - within[0], rel=0.02)
    assert differential.capacity_density(np.zeros(1), np.zeros(1))[0].size == 0
    assert differential.potential_slope(np.zeros(9), np.zeros(9))[0].size == 0


def test_differential_capacity_of_coarse_samples_has_no_comb() -> None:
    e = np.linspace(0, 1, 21)  # 50 mV apart, bins of 2 mV
    _, density = differential.capacity_density(e * 2.0, e)
    assert density[50:-50] == pytest.approx(2.0, rel=1e-6)


def test_titration_of_graphite() -> None:
    pulse = HoldCurrent(interval=0.5, current=-0.4e-3, duration=120, label="pulse")
    rest = Open(interval=0.5, duration=300, label="rest")
    bench = Bench(GraphiteCell())
    program = CellProgram((Open(interval=5, duration=60), Repeat((pulse, rest), 12)))
    found = gitt.pulses(bench.run(program, "gitt"))
    assert len(found) == 12
    for p in found[1:]:
        assert 19e-3 < p.jump < 22e-3
        assert 3.5e-3 < p.relaxation < 16e-3
        assert p.resistance == pytest.approx(p.jump / 0.4e-3, rel=1e-3)
        assert p.charge / 0.687 == pytest.approx(-0.07, abs=2e-3)
        assert p.duration == pytest.approx(120, abs=1)
    charge, potential = gitt.rest_potentials(found)
    assert charge.size == 13
    assert (np.diff(potential) < 0).all()
    assert charge[-1] == pytest.approx(12 * found[0].charge, rel=1e-3)
    assert gitt.pulses(EchemData()) == []
    assert gitt.rest_potentials([])[0].size == 0


def test_titration_finds_the_diffusivity_of_a_film() -> None:
    """Exact diffusion into a film from one side (Crank, The Mathematics of Diffusion, 4.3.7)."""
    length, d, slope = 5e-6, 1e-14, -2.0  # m, m2/s, V per filling
    pulse, rest, dt, rate = 100.0, 40_000.0, 0.5, 1e-4  # fillings/s during the pulse
    n = np.arange(1, 2000)[:, None]

    def surface(t: np.ndarray) -> np.ndarray:
        """Filling at the surface, t s after a constant flux was switched on."""
        t = np.maximum(t, 0)[None, :]
        series = (np.exp(-d * (n * np.pi / length) ** 2 * t) / n**2).sum(axis=0)
        return rate * (t[0] + length**2 / d * (1 / 3 - 2 / np.pi**2 * series) * (t[0] > 0))

    quiet = np.arange(-20, 0.1, 5.0)
    time = np.concatenate([quiet, np.arange(dt, pulse + dt / 2, dt),
                           pulse + np.geomspace(0.5, rest, 400)])  # fmt: skip
    filling = surface(time) - surface(time - pulse)
    step = np.repeat([0, 1, 2], [quiet.size, round(pulse / dt), 400]).astype(np.int32)
    data = _data(time, 0.5 + slope * filling, np.where(step == 1, -1e-3, 0.0))
    (found,) = gitt.pulses(replace(data, step=step))
    assert found.brevity(length) == pytest.approx(pulse * d / length**2, rel=0.1)
    assert found.diffusivity_by_slope(length) == pytest.approx(d, rel=0.03)
    assert found.linearity > 0.999
    # with the first sample's drop left out the whole transient is too small
    assert found.diffusivity(length) == pytest.approx(d, rel=0.25)


@pytest.mark.parametrize(
    ("cell", "name", "true"),
    [
        (DUMMY, "R(C[R])", {"Rs": 1e3, "Rct": 1e5, "Cdl": 1e-6}),
        (
            RandlesCell(),
            "R(C[R-W])",
            {"Rs": 100, "Rct": 1e3, "Cdl": 20e-6, "sigma": 200},
        ),
        (RandlesCell(warburg=0), "R(C[R])", {"Rs": 100, "Rct": 1e3, "Cdl": 20e-6}),
    ],
    ids=["dummy", "warburg", "semicircle"],
)
def test_impedance_of_known_circuits(cell: RandlesCell, name: str, true: dict[str, float]) -> None:
    spectrum = _spectrum(cell)
    ((number, points),) = eis.spectra(spectrum)
    fit = eis.fit_best(points.frequency, points.impedance)
    assert number == 0
    assert str(fit.circuit) == name
    assert fit.values == pytest.approx(true, rel=0.005)
    for parameter, value in true.items():
        assert abs(fit.values[parameter] - value) < 5 * fit.sds[parameter] + 1e-3 * value


def _spectrum(cell: RandlesCell) -> EchemSpectrum:
    step = Impedance(interval=1, potential=0, amplitude=0.01, frequencies=FREQUENCIES, settle=5)
    return Bench(cell).run(CellProgram((step,)), "eis").spectrum


def test_a_phase_element_and_a_blocked_layer_are_recognised() -> None:
    rng = np.random.default_rng(2)
    f = np.array(FREQUENCIES)
    for circuit, p in (
        (circuits.Circuit("none", True), {"Rs": 20.0, "Rct": 300.0, "Q": 3e-5, "n": 0.8}),
        (
            circuits.Circuit("blocked"),
            {"Rs": 20.0, "Rct": 50.0, "Cdl": 1e-5, "sigma": 30.0, "T": 2.0},
        ),
    ):
        z = circuit.impedance(f, p)
        z = z * (1 + 1e-3 * (rng.normal(size=f.size) + 1j * rng.normal(size=f.size)))
        fit = eis.fit_best(f, z)
        assert fit.circuit == circuit
        assert fit.values == pytest.approx(p, rel=0.02)
        assert fit.error == pytest.approx(1e-3, rel=0.3)
        assert fit.impedance(f) == pytest.approx(z, rel=0.01)


def test_kramers_kronig_tells_drift_from_noise() -> None:
    spectrum = _spectrum(RandlesCell())
    f, z = spectrum.frequency, spectrum.impedance
    good = kramers.check(f, z)
    drift = kramers.check(f, z * np.where(f < 1, 1 + 0.05 * np.linspace(0, 1, f.size), 1))
    assert good.rms < 2e-3
    assert drift.rms > 3e-3
    assert drift.worst > good.worst
    with pytest.raises(ValueError, match="at least 5 points"):
        kramers.check(f[:3], z[:3])
    with pytest.raises(ValueError, match="at least 5 points"):
        eis.fit(f[:3], z[:3], circuits.Circuit())
    with pytest.raises(ValueError, match="at least 5 points"):
        eis.fit_best(f[:1], z[:1])


def test_spectra_leave_out_what_is_wrong() -> None:
    spectrum = _spectrum(RandlesCell())
    flags = spectrum.flags.copy()
    flags[3] = SampleFlag.OVERLOAD
    step = np.where(np.arange(len(spectrum)) < 20, 0, 4).astype(np.int32)
    found = dict(eis.spectra(replace(spectrum, flags=flags, step=step)))
    assert {number: len(points) for number, points in found.items()} == {0: 19, 4: 30}
    assert list(eis.spectra(EchemSpectrum())) == []


def test_columns_must_match() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        EchemData(time=np.zeros(2))


def test_quiet_front_end_gives_the_ideal_numbers() -> None:
    bench = Bench(DUMMY, PotentiostatConfig.ideal())
    step = HoldCurrent(interval=5e-3, current=5e-6, duration=0.6)
    data = bench.run(CellProgram((step,)))
    fit = rc.fit_rc(data.time, data.potential, data.current, "current", between="stairs",
                    rest=(data.steps[0].start, 0.0))  # fmt: skip
    assert (fit.resistance, fit.capacitance) == pytest.approx((1e5, 1e-6), rel=5e-4)
