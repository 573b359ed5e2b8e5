"""Script commands that set the instrument, tell the time or use its pins."""

from simulators.instruments.methodscript.cell import Cell
from simulators.instruments.methodscript.errors import Code, ScriptError
from simulators.instruments.methodscript.machine import Machine
from simulators.instruments.methodscript.registry import command
from simulators.instruments.methodscript.slots import Slot, index
from simulators.instruments.methodscript.values import Value

TEMPERATURE = 25.0


@command(42, "num")
def set_pgstat_chan(run: Machine, channel: Value) -> None:
    if not 0 <= index(channel) < run.cell.kind.channels:
        raise ScriptError(Code.CHANNEL_NOT_AVAILABLE)
    run.cell.channel = index(channel)


@command(40, "num")
def set_pgstat_mode(run: Machine, mode: Value) -> None:
    """Of the main channel; a second one is only accepted."""
    if run.cell.channel:
        run.cell.kind.mode(index(mode))
    else:
        run.cell.set_mode(index(mode))


@command(36, "num")
def set_max_bandwidth(run: Machine, hertz: Value) -> None:
    if hertz.number < 0:
        raise ScriptError(Code.NEGATIVE)
    if hertz.number and not run.cell.channel:
        run.cell.port.set_bandwidth(hertz.number)


@command(65, "type num")
def set_range(run: Machine, kind: str, largest: Value) -> None:
    ranging = run.cell.ranging(kind)
    if ranging.ranges and not run.cell.channel:
        ranging.fix(largest.number)
        run.cell.ranged()


@command(32, "type num num")
def set_autoranging(run: Machine, kind: str, smallest: Value, largest: Value) -> None:
    ranging = run.cell.ranging(kind)
    if smallest.number > largest.number:
        raise ScriptError(Code.OUT_OF_BOUNDS)
    if ranging.ranges and not run.cell.channel:
        ranging.allow(smallest.number, largest.number)
        run.cell.ranged()


@command(66, "type num num")
def set_range_minmax(run: Machine, kind: str, lowest: Value, highest: Value) -> None:
    if kind == "da" and not run.cell.channel:
        run.cell.set_window(lowest.number, highest.number)
    else:
        run.cell.ranging(kind)


@command(9, "num")
def set_e(run: Machine, potential: Value) -> None:
    if not run.cell.channel:
        run.cell.set_potential(potential.number)


@command(68, "num", galvanostat=True)
def set_i(run: Machine, current: Value) -> None:
    run.cell.set_current(current.number)


@command(38, options={"ocp": "num"})
def cell_on(run: Machine, ocp: list[Value] | None = None) -> None:
    """With ocp(e), potentials count from e, which this instrument takes without effect."""
    run.cell.switch(True)


@command(39)
def cell_off(run: Machine) -> None:
    run.cell.switch(False)


@command(80, "num")
def set_acquisition_frac(run: Machine, percent: Value) -> None:
    if not 0 < percent.number <= 100:
        raise ScriptError(Code.OUT_OF_BOUNDS)
    run.cell.fraction = percent.number / 100


@command(91, "num")
def set_acquisition_frac_autoadjust(run: Machine, percent: Value) -> None:
    set_acquisition_frac(run, percent)


@command(49, "num")
def set_poly_we_mode(run: Machine, mode: Value) -> None:
    if index(mode) not in (0, 1):
        raise ScriptError(Code.ARGUMENT_VALUE)


@command(86, "num")
def set_e_aux(run: Machine, potential: Value) -> None:
    """A pin that nothing is wired to."""


@command(12, "num")
def wait(run: Machine, seconds: Value) -> None:
    if seconds.number < 0:
        raise ScriptError(Code.NEGATIVE)
    run.cell.read(run.cell.time + seconds.number)


@command(63)
def timer_start(run: Machine) -> None:
    run.timer = run.cell.time


@command(64, "out")
def timer_get(run: Machine, slot: Slot) -> None:
    slot.set(Value(run.cell.time - run.timer, "eb"))


@command(10, "num")
def set_int(run: Machine, seconds: Value) -> None:
    if seconds.number <= 0:
        raise ScriptError(Code.NOT_POSITIVE)
    run.interval = seconds.number
    run.next_interval = run.cell.time + run.interval


@command(11)
def await_int(run: Machine) -> None:
    if run.interval <= 0:
        raise ScriptError(Code.TIMING)
    run.cell.read(max(run.next_interval, run.cell.time))
    run.next_interval += run.interval


@command(52, "num")
def set_script_output(run: Machine, mode: Value) -> None:
    """0 nowhere, 1 to the client; this instrument has no files."""
    if index(mode) not in (0, 1):
        raise ScriptError(Code.OUTPUT_MODE)
    run.silent = index(mode) == 0


def _pins(run: Machine, value: Value) -> int:
    mask = index(value)
    if mask >> run.cell.kind.pins or mask < 0:
        raise ScriptError(Code.GPIO_PIN)
    return mask


@command(43, "num num")
def set_gpio_cfg(run: Machine, pins: Value, mode: Value) -> None:
    _pins(run, pins)
    if index(mode) not in range(4):
        raise ScriptError(Code.GPIO_MODE_UNKNOWN)


@command(44, "num num")
def set_gpio_pullup(run: Machine, pins: Value, on: Value) -> None:
    _pins(run, pins)


@command(45, "num")
def set_gpio(run: Machine, pins: Value) -> None:
    run.gpio = _pins(run, pins)


@command(84, "num num")
def set_gpio_msk(run: Machine, mask: Value, pins: Value) -> None:
    chosen = _pins(run, mask)
    run.gpio = run.gpio & ~chosen | (chosen if index(pins) else 0)


@command(46, "out")
def get_gpio(run: Machine, slot: Slot) -> None:
    """The outputs as they are set; inputs read low."""
    slot.set(Value(run.gpio, "ec", integer=True))


@command(21, "num out type")
def meas(run: Machine, seconds: Value, slot: Slot, kind: str) -> None:
    """One value, averaged over that time."""
    if seconds.number <= 0:
        raise ScriptError(Code.NOT_POSITIVE)
    sample = run.cell.sample(run.cell.time + seconds.number, seconds.number)
    slot.set(quantity(run.cell, kind, sample.potential, sample.current))


def quantity(cell: Cell, kind: str, potential: Value, current: Value) -> Value:
    """What an input shows while potential and current are these."""
    if kind == "ab":
        return potential
    if kind == "ba":
        return current
    if kind in ("ed", "ef"):
        return Value(TEMPERATURE, kind)
    if kind == "ag":  # the counter electrode's own potential is not known
        return Value(potential.number, kind)
    if kind == "bb" or (kind.startswith("a") and kind != "aa"):
        return Value(0.0, kind, status=0)
    raise ScriptError(Code.VARTYPE_INVALID)
