"""The exact bytes of programs, of holding, reading and resting; and of what goes wrong."""

import pytest

from sicmctl.hal.cell import (
    CellProgram,
    CellRest,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Sweep,
    Until,
)
from sicmctl.hal.errors import InstrumentError, NotConnected, NotSupported, UnexpectedState
from sicmctl.hal.potentiostat import CellSamples, SampleFlag, StepEnded
from sicmctl.hal.timeline import Stamp

from ..tape import LOST, OPENED, REFUSED, SILENCE
from .conftest import HELLO, IS_OFF, IS_ON, LISTEN, OFF, STOP, Replay, ask, sample

PREPARE = [
    *STOP,
    *ask("setElectAutoConnect", {"autoConnect": True}, autoConnect=True),
    *ask("setCurrRange", {"currRange": "100uA"}, currRange="100uA"),
]
HOLD = HoldPotential(interval=0.1, duration=0.3, potential=0.5)
CONSTANT = {"quietValue": 0.5, "value": 0.5, "duration": 300, "quietTime": 0}


def begin(test: str, parameters: dict[str, float], period: int = 100) -> list[str]:
    return [
        *ask("setSamplePeriod", {"samplePeriod": period}, samplePeriod=period),
        *ask("setParam", {"param": parameters}, test=test, param=parameters),
        *ask("runTest", {"test": test}, test=test),
    ]


RUNS = [*PREPARE, *begin("constant", CONSTANT)]


def now() -> Stamp:
    return Stamp(10.0, 0.0)


def run(driver: object, step: object, after: CellRest = CellRest.OFF) -> list[object]:
    return list(driver.run(CellProgram((step,), after, 50e-6), now))  # type: ignore[attr-defined]


def test_a_held_potential(replay: Replay) -> None:
    assert RUNS[-4:-1:2] == [
        '> {"command":"setParam","test":"constant",'
        '"param":{"quietValue":0.5,"value":0.5,"duration":300,"quietTime":0}}',
        '> {"command":"runTest","test":"constant"}',
    ]
    driver = replay(
        *RUNS, sample(100, 0.5, 50.5), sample(200, 0.5, 100.0, ',"le":true'),
        '< {"success":true,"response":{"command":"getVersion"}}', sample(300, 0.5, 0.1), "< {}",
        *OFF,
    )  # fmt: skip
    block, end = run(driver, HOLD)
    assert isinstance(block, CellSamples) and isinstance(end, StepEnded)
    assert list(block.time) == pytest.approx([10.1, 10.2, 10.3])
    assert list(block.potential) == [0.5] * 3
    assert list(block.current) == pytest.approx([50.5e-6, 100e-6, 0.1e-6])
    assert list(block.flags) == [SampleFlag.OK, SampleFlag.OVERLOAD, SampleFlag.UNDERLOAD]
    assert end.time.time == pytest.approx(10.3) and end.time.uncertainty == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("start", "first", "second", "shift"),
    [(0.0, 0.4, 0.0, 0.0), (0.4, 0.0, 0.4, 0.5), (0.1, 0.4, 0.0, 0.125), (0.1, 0.0, 0.4, 0.875)],
)
def test_cycles_are_a_triangle_with_a_shift(
    replay: Replay, start: float, first: float, second: float, shift: float
) -> None:
    parameters = {
        "quietValue": start, "amplitude": 0.2, "offset": 0.2, "period": 800, "numCycles": 2,
        "shift": shift, "quietTime": 0,
    }  # fmt: skip
    samples = [sample(t, 0.1, 10.0) for t in (400, 800, 1200, 1600)]
    driver = replay(*PREPARE, *begin("cyclic", parameters, 400), *samples, "< {}", *OFF)
    step = Cycles(interval=0.4, start=start, first=first, second=second, rate=1.0, count=2)
    blocks = [item for item in run(driver, step) if isinstance(item, CellSamples)]
    assert [(block.cycle, len(block)) for block in blocks] == [(0, 2), (1, 2)]


def test_a_condition_stops_the_test_and_the_cell_is_held_there(replay: Replay) -> None:
    sweep = {
        "quietValue": 0.0, "startValue": 0.0, "finalValue": 1.5, "duration": 3000, "quietTime": 0
    }  # fmt: skip
    driver = replay(
        *PREPARE, *begin("linearSweep", sweep, 1000),
        sample(1000, 0.5, 5.0), sample(2000, 1.0, 10.0),
        *ask("stopTest"), sample(3000, 1.5, 15.0), "< {}",
        *ask("getVoltRange", {"voltRange": "2V"}),
        *OFF, *ask("setVoltRange", {"voltRange": "1V"}, voltRange="1V"),
        *ask("setVolt", {"v": 1.0}, v=1.0),
        *ask("setAllElectConnected", {"connected": True}, connected=True), *IS_ON,
    )  # fmt: skip
    until = Until("potential", "above", 0.9)
    step = Sweep(interval=1.0, start=0, stop=1.5, rate=0.5, until=(until,))
    blocks = run(driver, step, CellRest.HOLD)
    assert isinstance(blocks[0], CellSamples) and list(blocks[0].potential) == [0.5, 1.0]
    assert isinstance(blocks[-1], StepEnded) and blocks[-1].reason == str(until)


def test_of_long_intervals_every_so_manieth_sample_is_kept(replay: Replay) -> None:
    parameters = {"quietValue": 0.5, "value": 0.5, "duration": 6000, "quietTime": 0}
    samples = [sample(t, 0.5, 50.0) for t in range(1000, 7000, 1000)]
    driver = replay(*PREPARE, *begin("constant", parameters, 1000), *samples, "< {}", *OFF)
    block = run(driver, HoldPotential(interval=3, duration=6, potential=0.5))[0]
    assert isinstance(block, CellSamples)
    assert list(block.time) == pytest.approx([13.0, 16.0])


def test_an_open_cell_is_read_on_the_range_that_suits_it(replay: Replay) -> None:
    def at(name: str, found: float) -> list[str]:
        chosen = ask("setRefElectVoltRange", {"voltRange": name}, voltRange=name)
        return [*chosen, *ask("getRefVolt", {"r": found})]

    driver = replay(*IS_OFF, *LISTEN, *at("10V", 1.2), *at("2V", 1.23), *ask("getCurr", {"i": 0.5}))
    assert driver.read() == pytest.approx((1.23, 0.5e-6))


def test_a_line_of_a_whole_packet_is_padded(replay: Replay) -> None:
    name = "x" * (63 - len('{"command":"setParam","test":""}'))
    lines = ask("setParam", test=name)
    assert lines[0].startswith('>  {"command"') and len(lines[0]) == len("> ") + 64
    replay(*lines)._instrument.messages.ask("setParam", test=name)


# -- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connect", "error", "words"),
    [
        ([REFUSED], NotConnected, "Connection refused"),
        ([OPENED, HELLO[0], SILENCE], InstrumentError, "no answer within 0.05 s"),
        ([OPENED, HELLO[0], "< hello"], InstrumentError, "makes no sense"),
        ([OPENED, *ask("getVariant", {"variant": "teraAmp"})], NotSupported, "'teraAmp'"),
        ([OPENED, *ask("getVariant")], InstrumentError, "makes no sense"),
        (
            [OPENED, *HELLO, IS_OFF[0], '< {"success":false,"message":"not found","response":{}}'],
            NotSupported,
            "cannot disconnect the cell",
        ),
    ],
)
def test_not_connected(
    replay: Replay, connect: list[str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        replay(connect=connect)


def test_a_refusal_is_told_in_its_words_and_the_cell_is_opened(replay: Replay) -> None:
    refused = [RUNS[-6], '< {"success":false,"message":"too large","response":{}}']
    driver = replay(*PREPARE, *refused, *OFF)
    with pytest.raises(InstrumentError, match="setSamplePeriod: it refuses: too large"):
        run(driver, HOLD)


def test_a_cell_that_stays_connected_is_told(replay: Replay) -> None:
    stays = [*OFF[:-1], '< {"success":true,"response":{"connected":true}}']
    driver = replay(*stays, *stays)
    with pytest.raises(UnexpectedState, match="the cell is still driven"):
        driver.safe_state()


def test_a_cell_that_is_not_connected_is_told(replay: Replay) -> None:
    driver = replay(
        *ask("setCurrRange", currRange="1000uA"), *ask("getVoltRange", {"voltRange": "1V"}),
        *ask("setVolt", v=0.5), *ask("setAllElectConnected", connected=True), *IS_OFF, *OFF,
    )  # fmt: skip
    with pytest.raises(UnexpectedState, match="does not connect"):
        driver.hold(0.5)


def test_a_test_without_a_sample_is_an_error(replay: Replay) -> None:
    driver = replay(*RUNS, "< {}", *OFF)
    with pytest.raises(UnexpectedState, match="did another program stop it"):
        run(driver, HOLD)


@pytest.mark.parametrize(
    "spoilt",
    [
        '< {"t":100,"v":0.5,"i',
        '< {"t":1,"v":NaN,"i":1}',
        '< {"t":1,"v":"a","i":1}',
        "< []",
        "< \xff",
        LOST,
    ],
)
def test_a_spoilt_line_ends_the_program_on_a_fresh_link(replay: Replay, spoilt: str) -> None:
    driver = replay(*RUNS, sample(100, 0.5, 50.0), spoilt, OPENED, *HELLO, *IS_ON, *IS_ON, *OFF)
    with pytest.raises(NotConnected, match="was connected, and the cell is disconnected now"):
        run(driver, HOLD)


def test_what_cannot_be_reached_again_may_still_be_on(replay: Replay) -> None:
    driver = replay(*RUNS, LOST, REFUSED, timeout="1e-9 s")
    with pytest.raises(NotConnected, match="THE CELL MAY STILL BE ON"):
        run(driver, HOLD)


def test_silence_ends_the_program(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.rodeostat.run._SILENCE", -1.0)
    driver = replay(*RUNS, SILENCE, OPENED, *HELLO, *IS_ON, *IS_ON, *OFF)
    with pytest.raises(NotConnected, match="no more samples come"):
        run(driver, HOLD)


@pytest.mark.parametrize(
    "step",
    [
        HoldCurrent(interval=1, duration=1, current=1e-6),
        Impedance(interval=1, potential=0, amplitude=0.01, frequencies=(10.0,)),
    ],
)
def test_refused_before_anything_is_sent(replay: Replay, step: object) -> None:
    with pytest.raises(NotSupported, match=r"it cannot do .*it can do: "):
        run(replay(), step)
