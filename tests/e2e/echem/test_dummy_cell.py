"""Every driver finds R = 100 kohm and C = 1 uF behind 1 kohm within 1 %, by whatever it can do.

R follows from a cyclic voltammogram, from a potential step and from a current step; C from the
ramps of a voltammogram, from the decay at open circuit and from the current step. The cell settles
within each stair of a staircase (in 1 ms), which therefore shows no charging current: C follows
from a voltammogram only where the instrument makes ramps. EIS gives both.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from sicmctl.data.echemdata import EchemData
from sicmctl.hal.capabilities import F64
from sicmctl.hal.errors import NotSupported

from ...rigs import cell_sim
from .conftest import Laboratory

SERIES, PARALLEL, CAPACITY = 1e3, 1e5, 1e-6
TIME_CONSTANT = PARALLEL * CAPACITY
VOLT = 0.5
RATE = 0.2


@dataclass(frozen=True)
class Instrument:
    """What the drivers' limits say, and the keys that make the best of a 10 uA cell.

    more: of SIM.toml's `[potentiostat]`. ramps: it makes ramps, not stairs.
    """

    model: str
    current: bool = True
    impedance: bool = True
    ramps: bool = False
    range: str = ""
    more: str = ""

    @property
    def sim(self) -> str:
        return cell_sim(self.model, more=self.more)


PANEL = (
    '[potentiostat.analog]\ncurrent_range = "100 uA"\ncurrent_scale = 10\n'
    "potential_scale = 5\ncommand_scale = 0.2\n"
)
INSTRUMENTS = (
    Instrument("emstat4-lr"),
    Instrument("emstat4-hr"),
    Instrument("emstat-pico", current=False),
    Instrument("keithley-2450", impedance=False),
    Instrument("keithley-2461", impedance=False, more='working_on = "LO"\n'),
    Instrument("rodeostat", current=False, impedance=False, ramps=True, range="10 uA"),
    Instrument("analog", current=False, ramps=True, more=PANEL),
)


@pytest.fixture(params=INSTRUMENTS, ids=lambda instrument: instrument.model)
def instrument(request: pytest.FixtureRequest) -> Instrument:
    return request.param


def within(expected: float) -> object:
    return pytest.approx(expected, rel=0.01)


def ranged(instrument: Instrument) -> str:
    return f', current_range = "{instrument.range}"' if instrument.range else ""


def test_a_voltammogram(instrument: Instrument, measure: Laboratory) -> None:
    (data,) = measure(
        instrument.sim,
        f'technique = "cv", start = "0 V", vertices = ["{VOLT} V", "-{VOLT} V"], cycles = 2, '
        f'rate = "{RATE} V/s", interval = "50 ms"{ranged(instrument)}',
    )
    middle = data.good & (data.cycle == 1) & (np.abs(data.potential) < 0.8 * VOLT)
    time, potential, current = data.time[middle], data.potential[middle], data.current[middle]
    up = np.gradient(data.potential, data.time)[middle] > 0
    assert 20 < up.sum() < len(time) - 20
    charging = np.where(up, RATE, -RATE)
    design = np.stack([potential, charging, np.ones_like(potential)], axis=1)
    conductance, capacity, _ = np.linalg.lstsq(design, current, rcond=None)[0]
    assert 1 / conductance == within(PARALLEL + SERIES)
    if instrument.ramps:
        assert capacity == within(CAPACITY * (PARALLEL / (PARALLEL + SERIES)) ** 2)


def test_a_potential_step_and_the_decay_behind_it(
    instrument: Instrument, measure: Laboratory
) -> None:
    (data,) = measure(
        instrument.sim,
        'technique = "sequence", techniques = ['
        f'{{ technique = "ca", potential = "{VOLT} V", duration = "1 s", interval = "50 ms" }}, '
        '{ technique = "ocp", duration = "0.4 s", interval = "10 ms" }]'
        f"{ranged(instrument)}",
    )
    held, rest = data.step == 0, data.step == 1
    assert np.mean(data.potential[held][-10:]) / np.mean(data.current[held][-10:]) == within(
        PARALLEL + SERIES
    )
    assert time_constant(data.time[rest], data.potential[rest]) == within(TIME_CONSTANT)


def test_a_current_step(instrument: Instrument, measure: Laboratory) -> None:
    step = 'technique = "cp", current = "5 uA", duration = "1 s", interval = "10 ms"'
    if not instrument.current:
        with pytest.raises(NotSupported, match="it cannot do a held current"):
            measure(instrument.sim, step)
        return
    (data,) = measure(instrument.sim, step)
    end = np.mean(data.potential[-10:])
    assert end / np.mean(data.current[-10:]) == within(PARALLEL + SERIES)
    assert time_constant(data.time, end - data.potential) == within(TIME_CONSTANT)


def test_an_impedance_spectrum(instrument: Instrument, measure: Laboratory) -> None:
    step = (
        'technique = "eis", potential = "0.1 V", amplitude = "20 mV", high = "200 Hz", '
        'low = "0.5 Hz", per_decade = 4, settle = "1 s"'
    )
    if not instrument.impedance:
        with pytest.raises(NotSupported, match="it cannot do an impedance spectrum"):
            measure(instrument.sim, step)
        return
    (data,) = measure(instrument.sim, step)
    series, parallel, capacity = fitted(data)
    assert series == within(SERIES)
    assert parallel == within(PARALLEL)
    assert capacity == within(CAPACITY)


def time_constant(time: F64, decay: F64) -> float:
    """Of an exponential decay to zero, s, from its first 0.15 s."""
    early = time < time[0] + 0.15
    return -1 / float(np.polyfit(time[early], np.log(decay[early]), 1, w=decay[early])[0])


def fitted(data: EchemData) -> tuple[float, float, float]:
    """Series and parallel resistance (ohm) and capacity (F) of the circuit."""
    from scipy.optimize import least_squares

    omega, measured = 2 * np.pi * data.spectrum.frequency, data.spectrum.impedance

    def misfit(logs: F64) -> F64:
        series, parallel, capacity = np.exp(logs)
        model = series + parallel / (1 + 1j * omega * parallel * capacity)
        error = (model - measured) / np.abs(measured)
        return np.concatenate([error.real, error.imag])

    start = np.log([500.0, 5e4, 5e-7])
    series, parallel, capacity = np.exp(least_squares(misfit, start).x)
    return float(series), float(parallel), float(capacity)
