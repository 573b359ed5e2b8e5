"""Finds the instrument at the end of its link."""

from pydantic import BaseModel, Field

from drivers.link import Link
from sicmctl.hal.errors import InstrumentError, NoAnswer, NotConnected
from sicmctl.hal.quantity import Seconds

from .device import OFF, Device


class Options(BaseModel, extra="forbid", frozen=True):
    """The `[potentiostat]` section for an instrument that speaks MethodSCRIPT."""

    resource: str = Field(
        description="serial port (COM3, /dev/ttyACM0, ASRL/dev/ttyACM0::INSTR) "
        "or socket://host:port",
        min_length=1,
    )
    baud_rate: int | None = Field(
        None,
        description="of a UART; left out, those of the EmStat Pico and EmStat4 are tried",
        gt=0,
    )
    timeout: Seconds = Field(3.0, description="in which an answer must come")
    reconnect: Seconds = Field(
        10.0, description="for how long a lost link is tried again, to switch the cell off"
    )
    abort_running: bool = Field(
        False, description="abort a script that is running when the connection is made"
    )


def connect(options: Options) -> Device:
    """Find the instrument at the end of its link, and learn who it is."""
    links = [Link(options.resource, options.baud_rate or 115_200, timeout=options.timeout)]
    if links[0].is_serial and options.baud_rate is None:
        links = [
            Link(options.resource, 230_400, xonxoff=True, timeout=options.timeout),
            Link(options.resource, 921_600, rtscts=True, timeout=options.timeout),
        ]
    for left, link in enumerate(links, start=1 - len(links)):
        device = Device(link, options.timeout)
        try:
            device.connect()
            if options.abort_running:
                device.abort()
                device.execute(OFF)
            device.learn_serial()
            return device
        except NoAnswer:
            device.close()
            if not left:
                raise
        except OSError as error:
            device.close()
            if not left:
                raise _unreachable(options.resource, error) from error
        except InstrumentError:
            device.close()
            raise
    raise AssertionError("there is at least one way")


def _unreachable(resource: str, error: OSError) -> NotConnected:
    return NotConnected(
        resource,
        "connect",
        f"there is no way to it: {plain(error)}",
        "check the cable, that it is switched on, and resource in rig.toml",
    )


def plain(error: Exception) -> str:
    """An error's own words, without the number of the system's."""
    if isinstance(error, InstrumentError):
        return error.problem
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
