"""An electrochemical run as messages, for the tests of data."""

from typing import Any

import msgspec
import numpy as np

from sicmctl.messages import (
    AnyMessage,
    Array,
    EchemBlock,
    EchemEnded,
    EchemProgress,
    EchemStarted,
    EchemStepEnded,
    RunEnded,
    SpectrumBlock,
)

from .runs import STARTED

ALONE = msgspec.structs.replace(
    STARTED, rate=float("nan"), instruments={"potentiostat": "PalmSens EmStat4 S/N 1"}
)


def block(step: int, first: int, n: int = 10, **changes: Any) -> EchemBlock:
    """n samples at 10 Hz, of which sample k was taken at k / 10 s, at k mV and k uA."""
    k = np.arange(first, first + n)
    fields: dict[str, Any] = {
        "time": (first + n - 1) / 10,
        "echem": 0,
        "step": step,
        "kind": "held current",
        "label": ("charge", "discharge")[step % 2],
        "loop": step // 2,
        "times": Array.of(k / 10, "<f8"),
        "time_sd": 1e-3,
        "potential": Array.of(1e-3 * k, "<f8"),
        "current": Array.of(1e-6 * k, "<f8"),
        "charge": Array.of(0.5e-7 * k**2, "<f8"),
        "flags": Array.of(np.where(k == 13, 1, 0), "u1"),
    }
    return EchemBlock(**(fields | changes))


def step_ended(step: int, end: float, reason: str = "time") -> EchemStepEnded:
    return EchemStepEnded(
        time=end, echem=0, step=step, kind="held current",
        label=("charge", "discharge")[step % 2], loop=step // 2, start=end - 1, time_sd=2e-3,
        reason=reason, charge=1e-6,
    )  # fmt: skip


STARTED_GCPL = EchemStarted(
    time=0.0, echem=0, technique="gcpl", title="Formation", instrument="EmStat4",
    present=3.1, after="ocp", steps=4, duration=10.0, settings={"charge": 1.5, "cycles": 2.0},
)  # fmt: skip


def points(time: float = 4.2) -> SpectrumBlock:
    """Two points of a spectrum."""
    one, flags = Array.of(np.ones(2), "<f8"), Array.of(np.zeros(2), "u1")
    return SpectrumBlock(
        time=time, echem=1, step=0, times=Array.of(np.array([time - 1, time]), "<f8"),
        time_sd=1e-3, frequency=Array.of(np.array([1e3, 1.0]), "<f8"), real=one,
        imaginary=Array.of(np.array([-2.0, -3.0]), "<f8"), potential=one, current=one, flags=flags,
    )  # fmt: skip


def echem_run(*, ended: bool = True, n: int = 10) -> list[AnyMessage]:
    """Two cycles of charge and discharge, then a spectrum."""
    steps: list[AnyMessage] = []
    for step in range(4):
        steps += [block(step, step * n, n), step_ended(step, (step + 1) * n / 10)]
    end = 4 * n / 10
    messages: list[AnyMessage] = [ALONE, STARTED_GCPL, *steps]
    messages.insert(
        4,
        EchemProgress(
            time=0.95, echem=0, step=0, steps=4, kind="held current", label="charge", loop=0,
            cycle=0, potential=1.0, current=1e-3, charge=0.0, elapsed=0.95, left=3.0,
        ),
    )  # fmt: skip
    messages += [
        EchemEnded(time=end, echem=0, outcome="done", rest="ocp"),
        EchemStarted(time=end, echem=1, technique="eis"),
        points(end + 0.2),
    ]
    if ended:
        messages += [
            EchemStepEnded(time=end + 0.3, echem=1, step=0, kind="impedance", start=end),
            EchemEnded(time=end + 0.3, echem=1, outcome="done", rest="ocp"),
            RunEnded(time=end + 0.4, outcome="done", safe=("cell to ocp: done",)),
        ]
    return messages
