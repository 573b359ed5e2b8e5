"""The `[potentiostat]` section for a Keithley."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sicmctl.hal.quantity import Quantity


class Options(BaseModel, extra="forbid", frozen=True):
    """How the instrument is reached and the cell wired to it."""

    resource: str = Field(
        description="VISA resource, such as TCPIP0::192.168.0.7::5025::SOCKET or USB0::...::INSTR"
    )
    working_electrode: Literal["HI", "LO"] = Field(
        "HI", description="terminal of the working electrode; reference and counter on the other"
    )
    wires: Literal[2, 4] = Field(4, description="4: the reference electrode is on the sense input")
    terminals: Literal["front", "rear"] = Field("front", description="terminals of the cell")
    current_limit: Annotated[float, Quantity("A", positive=True)] = Field(
        0.1, description="at which it limits the current, either way"
    )
    potential_limit: Annotated[float, Quantity("V", positive=True)] = Field(
        5.0, description="at which it limits the cell potential, either way"
    )
    timeout: Annotated[float, Quantity("s", positive=True)] = Field(
        5.0, description="for an answer; a lost link is tried again for three times as long"
    )
