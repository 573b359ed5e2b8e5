"""The analog scanner: metres to volts and back, and what it takes for its position."""

from typing import Any

import numpy as np
import pytest

from drivers.analog_piezo import AnalogPiezo, Options
from sicmctl.hal.capabilities import Pause
from sicmctl.hal.errors import NotConnected, UnexpectedState

from .fakes import PaperCard, block


def axis(output: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "output": output,
        "sensor": f"{name}_sensor",
        "range": "20 um",
        "scale": "2 um/V",
        "resonance": "500 Hz",
        "max_speed": "1 mm/s",
        **more,
    }


def piezo(card: PaperCard, **z: Any) -> AnalogPiezo:
    options = {"x": axis("ao1", "x"), "y": axis("ao2", "y"), "z": axis("ao3", "z", **z)}
    return AnalogPiezo.open(Options.model_validate(options), card)


def test_paths_become_volts_on_the_channels_of_the_axes() -> None:
    card = PaperCard()
    stage = piezo(card, scale="-4 um/V", offset="20 um")
    pause = Pause("pipette_current", 1.0, 0.1)
    stage.play(np.array([[2e-6, 4e-6], [0.0, 0.0], [20e-6, 16e-6]]), pause)
    (generator,) = card.generators
    assert generator.channels == ("ao1", "ao2", "ao3")
    ((volts, armed),) = generator.played
    np.testing.assert_allclose(volts, [[1, 2], [0, 0], [0, 1]], atol=1e-12)
    assert armed is pause


def test_sensors_have_a_scale_of_their_own() -> None:
    stage = piezo(PaperCard(), sensor_scale="5 um/V", sensor_offset="1 um")
    found = stage.position(block(3, x_sensor=1.0, y_sensor=2.0, z_sensor=3.0))
    assert {name: z.tolist() for name, z in found.items()} == {
        "x": [pytest.approx(2e-6)] * 3,
        "y": [pytest.approx(4e-6)] * 3,
        "z": [pytest.approx(16e-6)] * 3,
    }


def test_a_read_back_output_is_believed_more_than_the_sensor() -> None:
    stage = piezo(PaperCard((*PaperCard().roles, "z_command")), readback="z_command")
    stage.synchronise(block(x_sensor=1.0, y_sensor=2.0, z_sensor=3.0, z_command=3.5))
    assert dict(stage.commanded) == pytest.approx({"x": 2e-6, "y": 4e-6, "z": 7e-6})


def test_the_end_of_a_block_tells_where_it_is() -> None:
    stage = piezo(PaperCard())
    moving = block(100, x_sensor=1.0, y_sensor=2.0, z_sensor=0.0)
    moving["z_sensor"][:80] = 9.0
    moving["z_sensor"][80:] = 3.0
    stage.synchronise(moving)
    assert stage.commanded["z"] == pytest.approx(6e-6)


@pytest.mark.parametrize(("seen", "travel_end"), [(-0.01, 0.0), (10.01, 20e-6)])
def test_noise_at_the_end_of_the_travel_puts_no_axis_beyond_it(
    seen: float, travel_end: float
) -> None:
    """A path that starts beyond the travel would be refused, and the tip could not be lifted."""
    stage = piezo(PaperCard())
    stage.synchronise(block(x_sensor=seen, y_sensor=seen, z_sensor=seen))
    assert dict(stage.commanded) == {"x": travel_end, "y": travel_end, "z": travel_end}


def test_halt_takes_the_last_point_that_was_put_out() -> None:
    card = PaperCard()
    stage = piezo(card)
    path = np.linspace(0, 1e-6, 30).reshape(3, 10)
    stage.play(path)
    card.generators[0].done = 4
    stage.halt()
    assert dict(stage.commanded) == {"x": path[0, 3], "y": path[1, 3], "z": path[2, 3]}
    card.generators[0].done = 9
    stage.halt()
    assert stage.commanded["z"] == path[2, 3]


def test_halt_before_the_first_point_changes_nothing() -> None:
    card = PaperCard()
    stage = piezo(card)
    stage.synchronise(block(x_sensor=1.0, y_sensor=2.0, z_sensor=3.0))
    before = dict(stage.commanded)
    stage.play(np.zeros((3, 10)))
    stage.halt()
    assert dict(stage.commanded) == before


def test_halt_after_the_end_stays_at_the_end() -> None:
    card = PaperCard()
    stage = piezo(card)
    stage.play(np.full((3, 1), 2e-6))
    card.generators[0].done = 2  # the card pads the shortest waveforms
    stage.halt()
    assert dict(stage.commanded) == {"x": 2e-6, "y": 2e-6, "z": 2e-6}


def test_a_refused_path_is_not_taken_for_commanded() -> None:
    card = PaperCard()
    stage = piezo(card)
    stage.synchronise(block(x_sensor=1.0, y_sensor=2.0, z_sensor=3.0))
    card.generators[0].refuses = NotConnected("card", "play", "gone")
    with pytest.raises(NotConnected):
        stage.play(np.zeros((3, 10)))
    assert stage.commanded["z"] == pytest.approx(6e-6)
    stage.halt()
    assert stage.commanded["z"] == pytest.approx(6e-6)


def test_a_sensor_that_is_not_wired_is_refused() -> None:
    with pytest.raises(UnexpectedState) as caught:
        piezo(PaperCard(("pipette_current", "x_sensor", "y_sensor")))
    assert str(caught.value) == (
        "analog-piezo: open: the z sensor's role z_sensor is not among the inputs "
        "(add z_sensor to daq.inputs)"
    )


def test_the_axes_are_as_the_file_says() -> None:
    stage = piezo(PaperCard(), damping=0.5, sensor_delay="20 us", sensor_noise="1 nm")
    z = stage.axes["z"]
    assert (z.travel.low, z.travel.high, z.max_speed) == (0.0, 20e-6, 1e-3)
    assert (z.resonance, z.damping, z.sensor_noise, z.sensor_delay) == (500, 0.5, 1e-9, 20e-6)
    assert z.lag == pytest.approx(2 * 0.5 / (2 * np.pi * 500))


class PaperRider:
    """An output that remembers when it was put to rest."""

    channel = "ao0"

    def __init__(self) -> None:
        self.rests = 0

    def volts(self, samples: int) -> np.ndarray:
        return np.linspace(5.0, 7.0, samples)

    def rest(self) -> None:
        self.rests += 1


def test_a_rider_is_put_out_beside_every_path() -> None:
    card, rider = PaperCard(), PaperRider()
    stage = piezo(card)
    stage.carry(rider)
    alone, together = card.generators
    assert together.channels == ("ao1", "ao2", "ao3", "ao0")
    assert alone.releases == 1
    stage.play(np.full((3, 3), 2e-6))
    ((volts, _),) = together.played
    np.testing.assert_allclose(volts, [[1, 1, 1]] * 3 + [[5, 6, 7]])
    assert alone.played == []


def test_a_rider_rests_whenever_a_path_is_stopped() -> None:
    card, rider = PaperCard(), PaperRider()
    stage = piezo(card)
    stage.carry(rider)
    stage.play(np.full((3, 3), 2e-6))
    stage.halt()
    assert (card.generators[1].releases, rider.rests) == (1, 1)
    stage.halt()
    assert rider.rests == 1


def test_a_rider_that_is_let_go_of_rests_and_its_channel_is_free() -> None:
    card, rider = PaperCard(), PaperRider()
    stage = piezo(card)
    stage.carry(rider)
    stage.play(np.full((3, 3), 2e-6))
    stage.carry(None)
    alone, together = card.generators
    assert together.releases >= 1
    assert rider.rests >= 1
    stage.play(np.full((3, 3), 2e-6))
    assert len(alone.played) == 1
    stage.carry(PaperRider())
    assert len(card.generators) == 2  # the card keeps one generator for each company


def test_letting_go_of_nothing_only_holds() -> None:
    card = PaperCard()
    stage = piezo(card)
    stage.play(np.full((3, 3), 2e-6))
    stage.carry(None)
    assert card.generators[0].halts >= 1
    assert card.generators[0].releases == 0
