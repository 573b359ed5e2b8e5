"""Attributes of the system, the device and its physical channels, as NI numbers them."""

from typing import Any

from nidaqmx.constants import (
    AcquisitionType,
    BusType,
    ProductCategory,
    UsageTypeAI,
    _TermCfg,
    _TriggerUsageTypes,
)

from simulators.instruments.nidaqmx import ai
from simulators.instruments.nidaqmx.board import Board
from simulators.instruments.nidaqmx.errors import CardError, Code
from simulators.instruments.nidaqmx.names import flatten, on_device

VERSION = (24, 8, 0)
"""NI-DAQmx version the server claims: major, minor, update."""

_TRIGGERS = _TriggerUsageTypes.START.value | _TriggerUsageTypes.PAUSE.value
_MODES = [AcquisitionType.FINITE.value, AcquisitionType.CONTINUOUS.value]
_ALL_TERMINALS = _TermCfg.RSE.value | _TermCfg.NRSE.value | _TermCfg.DIFF.value


def system_attribute(board: Board, number: int) -> Any:
    """Of the system: versions and names."""
    table = {
        0x1272: VERSION[0],
        0x1923: VERSION[1],
        0x2F22: VERSION[2],
        0x193B: board.device,
        0x1265: "",
        0x1266: "",
        0x1267: "",
    }
    return _pick(table, number)


def device_attribute(board: Board, device: str, number: int) -> Any:
    """Of the device."""
    board.check(device)
    names = {
        0x231E: (*board.ai, *board.internal),
        0x231F: board.ao,
        0x2320: board.lines,
        0x2322: board.lines,
        0x2321: board.port_names,
        0x2323: board.port_names,
        0x2324: (),
        0x2325: (),
    }
    if number in names:
        return flatten(f"{board.device}/{n}" for n in names[number])
    return _pick(_device_table(board), number)


def _device_table(board: Board) -> dict[int, Any]:
    return {
        0x0631: board.product,
        0x0632: board.serial,
        0x231D: board.product_number,
        0x22CA: False,
        0x2326: BusType.PCIE.value,
        0x2327: 1,
        0x2328: 0,
        0x233C: 8,
        0x29A9: ProductCategory.X_SERIES_DAQ.value,
        0x2984: True,
        0x2985: True,
        0x2986: _TRIGGERS,
        0x2987: _TRIGGERS,
        0x2988: 0,
        0x2989: 0,
        0x298A: 0,
        0x298B: 0,
        0x298C: board.ai_rate,
        0x298D: board.ai_aggregate_rate,
        0x298E: 1e8 / 2**32,
        0x298F: False,
        0x2990: [v for r in ai.RANGES for v in (-r, r)],
        0x2993: [ai.RANGES[-1] / r for r in reversed(ai.RANGES)],
        0x2994: 1,
        0x2996: True,
        0x2997: board.ao_rate,
        0x2998: 1e8 / 2**32,
        0x299B: [-10.0, 10.0, -5.0, 5.0],
        0x2A40: flatten(f"/{board.device}/{t}" for t in board.terminals),
        0x2FD2: [UsageTypeAI.VOLTAGE.value],
        0x2FD3: [UsageTypeAI.VOLTAGE.value],
        0x2FDC: _MODES,
        0x2FDD: _MODES,
        0x3163: 1,
        0x3165: 1,
    }


def physical_attribute(board: Board, channel: str, number: int) -> Any:
    """Of a physical channel."""
    name = on_device(channel, board.device)
    if name in board.ai or name in board.internal:
        table: dict[int, Any] = {
            0x2342: _ALL_TERMINALS if name in board.ai else _TermCfg.PSEUDO_DIFF.value,
            0x2FD7: [UsageTypeAI.VOLTAGE.value],
        }
    elif name in board.ao:
        table = {0x29A3: _TermCfg.RSE.value, 0x2FD9: [UsageTypeAI.VOLTAGE.value]}
    elif name in board.lines:
        table = {0x29A4: 1, 0x29A7: 1, 0x29A5: False, 0x29A8: False}
    elif name in board.port_names:
        width = board.ports[int(name[4:])]
        table = {0x29A4: width, 0x29A7: width, 0x29A5: False, 0x29A8: False}
    else:
        raise CardError(Code.PHYSICAL_CHAN_DOES_NOT_EXIST, f"Physical Channel Name: {channel}")
    return _pick(table, number)


def _pick(table: dict[int, Any], number: int) -> Any:
    if number not in table:
        raise CardError(Code.ATTR_NOT_SUPPORTED, f"Property: 0x{number:04X}")
    return table[number]
