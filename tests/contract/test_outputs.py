"""`Generator`, `AnalogOutput`, `DigitalOutput`: what a `Daq` puts out."""

import numpy as np
import pytest

from sicmctl.hal.capabilities import Generator, Pause
from sicmctl.hal.errors import InstrumentError, NotSupported, UnexpectedState

from ..rigs import Drivers

STEP = 10 / 32768
"""Of a converter of 16 bits over +-10 V, V."""
ROLE, SENSOR = "pipette_current", "z_sensor"


@pytest.fixture
def free(with_daq: Drivers) -> Drivers:
    """A card of which nothing but the clock is in use."""
    with_daq.daq.close()
    options = type(with_daq.daq).Options  # type: ignore[attr-defined]
    inputs = {ROLE: "ai0", SENSOR: "ai1"}
    server = with_daq.virtual.lab.address
    with_daq.daq = type(with_daq.daq).open(  # type: ignore[attr-defined]
        options(server=server, inputs=inputs, comparator={ROLE: "APFI0"})
    )
    with_daq.daq.start()
    return with_daq


@pytest.fixture
def z(free: Drivers) -> Generator:
    return free.daq.generator(["ao3"])


def ramp(to: float, samples: int) -> np.ndarray:
    """A straight way from 0 V, shape (1, samples)."""
    return np.linspace(0, to, samples)[None]


def test_a_waveform_runs_to_its_end_and_holds_it(free: Drivers, z: Generator) -> None:
    z.play(ramp(2.0, 500))
    seen = free.daq.read(1500)[SENSOR]
    assert free.virtual.volts("ao3") == pytest.approx(2.0, abs=STEP)
    assert z.generated() == 500
    assert seen[-300:].mean() == pytest.approx(2.0, abs=2e-3)
    middle = int(np.argmax(seen > 1.0))
    assert 240 <= middle <= 300  # half way, trailed by the stage


def test_waveform_and_samples_share_the_clock(free: Drivers, z: Generator) -> None:
    """As many samples are put out as are taken."""
    free.daq.read(10)
    z.play(ramp(1.0, 5000))
    first, begun = z.generated(), free.daq.read(1).first
    block = free.daq.read(1000)
    done = z.generated()
    card = free.virtual.lab.server.card
    acquired = next(task for task in card.tasks.values() if task.inputs).input.acquired
    assert 0 < first < done < 5000
    assert acquired >= block.first + len(block)
    assert done - first <= acquired - begun + 1


def test_halt_holds_where_it_is(free: Drivers, z: Generator) -> None:
    z.play(ramp(4.0, 4000))
    free.daq.read(1000)
    z.halt()
    held = free.virtual.volts("ao3")
    assert 0.9 < held < 1.3
    free.daq.read(2000)
    assert free.virtual.volts("ao3") == held
    z.halt()
    z.safe_state()
    assert free.virtual.volts("ao3") == held
    assert z.generated() == 0


def test_a_second_waveform_is_refused_while_one_runs(free: Drivers, z: Generator) -> None:
    z.play(ramp(1.0, 5000))
    with pytest.raises(UnexpectedState) as caught:
        z.play(ramp(-1.0, 10))
    assert str(caught.value) == ("nidaqmx Dev1: play: a waveform is still running (halt it first)")
    z.halt()
    held = free.virtual.volts("ao3")
    z.play(np.full((1, 2), held))


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_the_shortest_waveforms_play(free: Drivers, z: Generator, samples: int) -> None:
    z.play(np.full((1, samples), 0.5))
    free.daq.read(50)
    z.halt()
    assert free.virtual.volts("ao3") == pytest.approx(0.5, abs=STEP)


@pytest.mark.parametrize("bad", [11.0, np.nan, np.inf])
def test_a_waveform_beyond_the_converter_moves_nothing(
    free: Drivers, z: Generator, bad: float
) -> None:
    with pytest.raises(InstrumentError) as caught:
        z.play(np.array([[0.0, 1.0, bad]]))
    assert caught.value.instrument == "nidaqmx Dev1"
    free.daq.read(50)
    assert free.virtual.volts("ao3") == 0
    z.play(ramp(1.0, 20))  # and the next one plays
    free.daq.read(50)
    assert free.virtual.volts("ao3") == pytest.approx(1.0, abs=STEP)


def test_a_pause_freezes_at_the_sample_and_a_halt_ends_it(free: Drivers, z: Generator) -> None:
    """The signal is below the level from the start, so nothing ever moves."""
    z.play(ramp(3.0, 300), Pause(ROLE, level=5.0, hysteresis=0.1))
    free.daq.read(1000)
    assert z.generated() <= 1
    assert free.virtual.volts("ao3") == 0
    z.halt()
    z.play(ramp(3.0, 300))  # without a pause the same way is free
    free.daq.read(1000)
    assert free.virtual.volts("ao3") == pytest.approx(3.0, abs=STEP)


def test_a_pause_that_is_not_met_changes_nothing(free: Drivers, z: Generator) -> None:
    z.play(ramp(1.0, 300), Pause(ROLE, level=-5.0, hysteresis=0.1))
    free.daq.read(1000)
    assert free.virtual.volts("ao3") == pytest.approx(1.0, abs=STEP)


def test_an_inverted_pause_is_met_from_the_other_side(free: Drivers, z: Generator) -> None:
    z.play(ramp(3.0, 300), Pause(ROLE, level=-5.0, hysteresis=0.1, inverted=True))
    free.daq.read(1000)
    assert free.virtual.volts("ao3") == 0


def test_a_pause_on_an_unwired_role_is_refused_with_the_remedy(free: Drivers, z: Generator) -> None:
    with pytest.raises(NotSupported) as caught:
        z.play(ramp(1.0, 50), Pause(SENSOR, level=0.0, hysteresis=0.1))
    assert caught.value.problem == "no analog-trigger terminal is wired to z_sensor"
    assert 'daq.comparator.z_sensor = "APFI0"' in caught.value.remedy
    free.daq.read(100)
    assert free.virtual.volts("ao3") == 0
    z.play(ramp(1.0, 50))


def test_a_host_timed_output_holds_what_was_written(free: Drivers) -> None:
    output = free.daq.output("ao0")
    for volts in (1.25, -3.0, 0.0):
        output.write(volts)
        assert free.virtual.volts("ao0") == pytest.approx(volts, abs=STEP / 2)
    output.safe_state()
    with pytest.raises(InstrumentError, match=r"output 10\.5 V"):
        output.write(10.5)
    assert free.virtual.volts("ao0") == 0


@pytest.mark.parametrize("names", [["port0/line0"], ["port0/line0", "port0/line1", "port0/line2"]])
def test_lines_are_set_together(free: Drivers, names: list[str]) -> None:
    lines = free.daq.lines(names)
    card = free.virtual.lab.server.card
    for levels in ([True] * len(names), [False] * len(names)):
        lines.write(levels)
        assert [card.engine.lines[name] for name in names] == levels
    lines.safe_state()


def test_the_card_made_safe_stops_every_waveform(free: Drivers, z: Generator) -> None:
    z.play(ramp(4.0, 4000))
    free.daq.read(500)
    free.daq.safe_state()
    held = free.virtual.volts("ao3")
    free.daq.read(500)
    assert free.virtual.volts("ao3") == held
