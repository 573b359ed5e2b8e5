"""All commands of the instrument, by subsystem."""

from simulators.instruments.keithley.commands import (
    blocks,
    output,
    reading,
    sense,
    source,
    sweep,
    system,
    trace,
)
from simulators.instruments.keithley.models import Model
from simulators.instruments.scpi import COMMON, Command


def of(model: Model) -> list[Command]:
    """The commands of a model; bounds of parameters differ."""
    modules = (system, source, sense, output, reading, trace, sweep, blocks)
    return [*COMMON, *(command for module in modules for command in module.commands(model))]
