"""`:TRACe`: reading buffers."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from simulators.instruments.keithley.buffers import LEAST, MOST, Buffer, Statistics
from simulators.instruments.keithley.commands.parameters import BUFFER
from simulators.instruments.keithley.elements import MANY, show
from simulators.instruments.keithley.models import Model
from simulators.instruments.scpi import Choice, Command, Flag, Kind, Maybe, Text, Whole

if TYPE_CHECKING:
    from simulators.instruments.keithley.smu import Smu

_STYLES = Choice("COMPact", "STANdard", "FULL", "WRITable", "FULLWRITable")
_SIZE = Whole(LEAST, MOST)
_FILL = Choice("CONTinuous", "ONCE")
_INDEX = Whole(1, MOST)

_STATISTICS: dict[str, Callable[[Statistics], float]] = {
    "AVERage": lambda of: of.mean,
    "MAXimum": lambda of: of.maximum,
    "MINimum": lambda of: of.minimum,
    "PK2Pk": lambda of: of.maximum - of.minimum,
    "STDDev": lambda of: of.deviation,
}


def commands(model: Model) -> Iterator[Command]:
    """All of the subsystem."""
    yield Command(":TRACe:MAKE", _make, takes=(Text(31), _SIZE, Maybe(_STYLES, "STAN")), idle=True)
    yield Command(":TRACe:DELete", _delete, takes=(Text(),), idle=True)
    yield _of_buffer(":TRACe:CLEar", do=Buffer.clear)
    yield _of_buffer(":TRACe:ACTual", ask=lambda buffer: str(len(buffer)))
    yield _of_buffer(":TRACe:ACTual:STARt", ask=lambda buffer: str(buffer.start))
    yield _of_buffer(":TRACe:ACTual:END", ask=lambda buffer: str(buffer.end))
    yield _of_buffer(
        ":TRACe:POINts", Buffer.resize, lambda buffer: str(buffer.capacity), (_SIZE,), idle=True
    )
    yield _of_buffer(
        ":TRACe:FILL:MODE",
        _set_fill,
        lambda buffer: "CONT" if buffer.continuous else "ONCE",
        (_FILL,),
        idle=True,
    )
    yield _of_buffer(
        ":TRACe:LOG:STATe", _set_log, lambda buffer: Flag().write(buffer.log_state), (Flag(),)
    )
    yield Command(":TRACe:DATA", ask=_data, asks=(_INDEX, _INDEX, BUFFER, MANY))
    yield Command(":TRACe:TRIGger", lambda smu, name: smu.measure(name), takes=(BUFFER,), idle=True)
    yield _of_buffer(":TRACe:STATistics:CLEar", do=_clear_statistics)
    for word, value in _STATISTICS.items():
        yield _of_buffer(f":TRACe:STATistics:{word}", ask=_statistic(value))


def _of_buffer(
    pattern: str,
    do: Callable[..., None] | None = None,
    ask: Callable[[Buffer], str] | None = None,
    takes: tuple[Kind, ...] = (),
    *,
    idle: bool = False,
) -> Command:
    """A command about the buffer that its last parameter names."""

    def doing(smu: "Smu", *values: object) -> None:
        *before, name = values
        assert do is not None
        do(smu.buffers[str(name)], *before)

    def asking(smu: "Smu", name: str) -> str:
        assert ask is not None
        return ask(smu.buffers[name])

    return Command(
        pattern, do and doing, ask and asking, takes=(*takes, BUFFER), asks=(BUFFER,), idle=idle
    )


def _make(smu: "Smu", name: str, size: int, style: str) -> None:
    smu.buffers.make(name, size, style)


def _delete(smu: "Smu", name: str) -> None:
    smu.buffers.delete(name)


def _set_fill(buffer: Buffer, mode: str) -> None:
    buffer.continuous = mode == "CONT"
    buffer.clear()


def _set_log(buffer: Buffer, state: bool) -> None:
    buffer.log_state = state


def _clear_statistics(buffer: Buffer) -> None:
    buffer.statistics = Statistics()


def _statistic(value: Callable[[Statistics], float]) -> Callable[[Buffer], str]:
    return lambda buffer: f"{value(buffer.statistics) if buffer.statistics.count else 0.0:.6E}"


def _data(smu: "Smu", start: int, end: int, name: str, elements: tuple[str, ...]) -> str | bytes:
    buffer = smu.buffers[name]
    return show(buffer.part(start, end), buffer, elements, smu.settings, smu.epoch)
