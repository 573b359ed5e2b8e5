"""Charge and discharge: capacity of each half-cycle and coulombic efficiency of each cycle."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sicmctl.data.echemdata import EchemData

from .segments import Part, parts, passed

F64 = NDArray[np.float64]

_IDLE = 1e-3
"""Share of the technique's greatest mean current below which a step counts as rest."""
_RESTS = frozenset({"open", "impedance"})


@dataclass(frozen=True, slots=True)
class HalfCycle:
    """Steps in one direction of the current, rests between them left out.

    label: what the first of them is to the user. charge: C, anodic > 0. start, end: s on the run's
    timeline. potential: V, mean over charge. parts: the steps, in order. reason: what ended the
    last of them.
    """

    cycle: int
    label: str
    charge: float
    start: float
    end: float
    potential: float
    parts: tuple[Part, ...]
    reason: str = ""

    @property
    def anodic(self) -> bool:
        """Whether the working electrode is oxidised."""
        return self.charge > 0

    @property
    def capacity(self) -> float:
        """Size of the charge, C."""
        return abs(self.charge)


@dataclass(frozen=True, slots=True)
class Cycle:
    """Two half-cycles. second: None if the run ended before it.

    efficiency: what came back in the second half over what went in the first; NaN without both.
    """

    number: int
    first: HalfCycle
    second: HalfCycle | None = None

    @property
    def efficiency(self) -> float:
        if self.second is None or not self.first.capacity:
            return math.nan
        return self.second.capacity / self.first.capacity


def half_cycles(data: EchemData) -> list[HalfCycle]:
    """Return the half-cycles in order; steps of one direction and one pass of the loop are one."""
    groups: list[list[Part]] = []
    signs: list[int] = []
    for part, sign in _directed(data):
        same_pass = groups and groups[-1][0].step.loop == part.step.loop
        if same_pass and signs[-1] == sign:
            groups[-1].append(part)
        else:
            groups.append([part])
            signs.append(sign)
    found, cycle, in_cycle, loop = [], -1, 2, -1
    for group in groups:
        if in_cycle == 2 or (group[0].step.loop != loop and in_cycle):
            cycle, in_cycle = cycle + 1, 0
        loop, in_cycle = group[0].step.loop, in_cycle + 1
        found.append(_half_cycle(data, group, cycle))
    return found


def cycles(data: EchemData) -> list[Cycle]:
    """Return the cycles in order. A half that the loop does not complete stands alone."""
    found: dict[int, Cycle] = {}
    for half in half_cycles(data):
        first = found.get(half.cycle)
        found[half.cycle] = (
            Cycle(half.cycle, first.first, half) if first else Cycle(half.cycle, half)
        )
    return list(found.values())


def _directed(data: EchemData) -> list[tuple[Part, int]]:
    """Return the steps that pass charge on purpose, and the sign of their current."""
    means = [
        (part, float(np.mean(data.current[part.slice])))
        for part in parts(data)
        if part.step.kind not in _RESTS and "rest" not in part.step.label.lower()
    ]
    most = max((abs(mean) for _, mean in means), default=0.0)
    return [(part, 1 if mean > 0 else -1) for part, mean in means if abs(mean) > _IDLE * most]


def _half_cycle(data: EchemData, group: list[Part], cycle: int) -> HalfCycle:
    charges = [passed(data, part) for part in group]
    mean = [
        float(np.trapezoid(data.potential[p.slice] * data.current[p.slice], data.time[p.slice]))
        for p in group
    ]
    moved = sum(float(np.trapezoid(data.current[p.slice], data.time[p.slice])) for p in group)
    first, last = group[0], group[-1]
    return HalfCycle(
        cycle=cycle,
        label=first.step.label,
        charge=sum(charges),
        start=float(data.time[first.slice.start]),
        end=float(data.time[last.slice.stop - 1]),
        potential=sum(mean) / moved if moved else math.nan,
        parts=tuple(group),
        reason=last.step.reason,
    )


def curve(data: EchemData, half: HalfCycle, *, held: bool = True) -> tuple[F64, F64]:
    """Return charge passed since the half-cycle began (C, >= 0 overall) and potential (V).

    The charge of each step is by the trapezoidal rule. held: with steps at a held potential; a
    half-cycle of nothing else has them anyway.
    """
    charge, potential, so_far = [], [], 0.0
    free = tuple(part for part in half.parts if part.step.kind != "held potential")
    for part in half.parts if held or not free else free:
        time, current = data.time[part.slice], data.current[part.slice]
        lead = time[0] - part.step.start if math.isfinite(part.step.start) else 0.0
        step = np.diff(time, prepend=time[0] - max(lead, 0.0))
        mean = current.copy()
        mean[1:] = 0.5 * (current[1:] + current[:-1])
        grown = so_far + np.cumsum(mean * step)
        so_far = float(grown[-1])
        charge.append(grown)
        potential.append(data.potential[part.slice])
    sign = 1.0 if half.charge > 0 else -1.0
    return sign * np.concatenate(charge), np.concatenate(potential)
