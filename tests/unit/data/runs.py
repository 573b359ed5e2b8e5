"""Small runs as lists of messages, for the tests of data and analysis."""

from typing import Any

import numpy as np

from sicmctl.messages import (
    Alarm,
    AnyMessage,
    Array,
    HeightValue,
    HopDone,
    Note,
    Progress,
    RunEnded,
    RunStarted,
    ScanEnded,
    ScanStarted,
)

STARTED = RunStarted(
    time=0.0,
    run="2026-01-02-graphite",
    title="Graphite in LiClO4",
    epoch="2026-01-02T10:00:00+00:00",
    rate=50e3,
    rig='schema = 1\n[daq]\ndriver = "nidaqmx"\n',
    experiment='schema = 1\ntitle = "Graphite"\n',
    operator="A. Operator",
    sample="composite graphite",
    instruments={"daq": "NI USB-6363 S/N 1234", "amplifier": "Axopatch 200B", "pipette": "50 nm"},
    versions={"sicmctl": "0.1.0", "numpy": "2.0"},
    calibration={"z_m_per_v": 1.5e-6, "gain": 2.0},
)


def scan_started(rows: int = 3, columns: int = 4, scan: int = 0, time: float = 0.1) -> ScanStarted:
    """A serpentine raster of 2 x 1 um."""
    order = [(r, c if r % 2 == 0 else columns - 1 - c) for r in range(rows) for c in range(columns)]
    row, column = np.array(order).T
    x, y = np.linspace(0, 2e-6, columns), np.linspace(1e-6, 2e-6, rows)
    return ScanStarted(
        time=time,
        scan=scan,
        pattern="raster",
        shape=(rows, columns),
        x=Array.of(x[column], "<f8"),
        y=Array.of(y[row], "<f8"),
        row=Array.of(row, "<i4"),
        column=Array.of(column, "<i4"),
        extent=(0.0, 2e-6, 1e-6, 2e-6),
        settings={"setpoint": 0.02, "speed": 3e-5, "amplitude": 2e-6},
        engine="streamed",
    )


def hop(
    started: ScanStarted, index: int, *, attempt: int = 0, n: int = 20, **changes: Any
) -> HopDone:
    """A hop whose height is 1 um + 10 nm * row + 1 nm * column."""
    row, column = int(started.row.numpy()[index]), int(started.column.numpy()[index])
    height = 1e-6 + 1e-8 * row + 1e-9 * column
    z = np.linspace(2e-6, height, n)
    fields: dict[str, Any] = {
        "time": started.time + 0.1 * (index + 1) + 0.01 * attempt,
        "scan": started.scan,
        "index": index,
        "attempt": attempt,
        "accepted": True,
        "row": row,
        "column": column,
        "status": "ok",
        "first": 5000 * index,
        "stop": n - 1,
        "x": float(started.x.numpy()[index]),
        "y": float(started.y.numpy()[index]),
        "start": 2e-6,
        "reference": 3.2e-9,
        "reference_sd": 1e-12,
        "z_stop": height,
        "height": height,
        "height_sd": 3e-9,
        "method": "fit",
        "heights": {"fit": HeightValue(value=height, sd=3e-9)},
        "curves": {
            "pipette_current": Array.of(3.2e-9 * np.linspace(1, 0.98, n)),
            "z_sensor": Array.of(z),
        },
        "bandwidth": 5e3,
        "timing": {"approach": 0.06, "retract": 0.02},
    }
    return HopDone(**(fields | changes))


def small_run(rows: int = 3, columns: int = 4, *, ended: bool = True) -> list[AnyMessage]:
    """A whole run with a retried hop, a hop that missed, an alarm, a note and a second scan."""
    nan = float("nan")
    first = scan_started(rows, columns)
    hops = [hop(first, i) for i in range(rows * columns)]
    missed = {"status": "no surface", "height": nan, "height_sd": nan, "heights": {}, "method": ""}
    late = {"fit": HeightValue(value=1e-6, sd=1e-9), "crossing": HeightValue(value=2e-6, sd=1e-9)}
    hops[1] = hop(first, 1, attempt=1, n=30, heights=late, note="µ tried again")
    hops[-1] = hop(first, rows * columns - 1, n=7, **missed)
    hops.insert(1, hop(first, 1, accepted=False, **missed))
    second = scan_started(1, 2, scan=1, time=5.0)
    messages: list[AnyMessage] = [
        STARTED,
        first,
        *hops,
        Progress(time=2.0, scan=0, done=5, total=12, eta=1.0, hops_per_second=10.0),
        Alarm(time=2.1, level="warning", source="piezo", text="slow", remedy="wait"),
        ScanEnded(time=3.0, scan=0, outcome="done"),
        Note(time=3.1, text="the cell looks fine", author="A. Operator"),
        second,
        hop(second, 0, curves={"pipette_current": Array.of(np.ones(5))}),
        hop(second, 1),
    ]
    if ended:
        messages += [
            ScanEnded(time=6.0, scan=1, outcome="stopped"),
            RunEnded(time=6.5, outcome="done", safe=("tip retracted: ok", "cell at OCP: ok")),
        ]
    return messages
