"""Compiles programs of steps into MethodSCRIPT.

Each step is a native measurement loop; repeats become loops, end conditions are tested by the
instrument after every sample. For every step the instrument sends samples, `P` time (since the step
before ended), potential, current, and at its end, outside the loop, `P` time and the number of the
condition that ended it, 0 for none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    CellRest,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Repeat,
    Sweep,
    Until,
)
from sicmctl.hal.errors import LimitExceeded, NotSupported

from .conditions import RATE_ARRAY, RATE_VARIABLES, preparation, tests
from .kinds import GALVANOSTAT, Kind, Mode
from .numbers import literal
from .spans import (
    common_mode,
    depth,
    extremes,
    fastest,
    first,
    flat,
    logarithmic_runs,
    potentiostatic,
)
from .timing import interval, settling, stairs

_DEEPEST = 4
"""Repeats within each other."""
_BANDWIDTH = 6
"""Times the sample rate: what the maker's examples choose."""
_WIDEST = 1e6
"""Bandwidth for spectra, Hz."""
_HEADROOM = 1.02
"""A controlled current lies this much below the end of its range, for noise not to leave it."""
_VARIABLES = ["t", "p", "c", "e", "x", "q", "w", "z"]


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the instrument between two steps; None if it may be either.

    mode: number of the potentiostat mode. on: whether the cell is.
    """

    mode: int | None = None
    on: bool | None = None

    def join(self, other: "State") -> "State":
        return State(
            self.mode if self.mode == other.mode else None,
            self.on if self.on == other.on else None,
        )


UNKNOWN = State()


@dataclass(frozen=True, slots=True)
class Script:
    """Lines to send, and the state in which they leave the instrument. last: of a program."""

    lines: tuple[str, ...]
    state: State
    last: bool


def hold_lines(kind: Kind, mode: Mode, potential: str) -> list[str]:
    """Hold a potential (a literal or a variable) in a mode that was not entered."""
    return [
        "cell_off",
        f"set_pgstat_mode {mode.number}",
        f"set_max_bandwidth {literal(1e3)}",
        f"set_range_minmax da {potential} {potential}",
        *_autoranging(mode.ranges, None),
        f"set_e {potential}",
        "cell_on",
    ]


def _autoranging(ranges: tuple[float, ...], wanted: float | None, kind: str = "ba") -> list[str]:
    """Let the instrument choose a range, or fix the smallest that holds what is wanted."""
    low, high = ranges[0], ranges[-1]
    if wanted is not None:
        low = high = next((full for full in ranges if full >= wanted * (1 - 1e-9)), high)
    return [f"set_range {kind} {literal(high)}",
            f"set_autoranging {kind} {literal(low)} {literal(high)}"]  # fmt: skip


class Compiler:
    """Compiles one script; `_out` grows as it goes."""

    def __init__(self, program: CellProgram, kind: Kind, state: State) -> None:
        self._program, self._kind, self._state = program, kind, state
        self._shortest = kind.limits.interval.low
        self._common = common_mode(kind, list(flat(program.steps)))
        self._leaving: list[list[State]] = []
        self._ends: list[State] = []
        self._out: list[str] = []

    def script(self, steps: Sequence[AnyStep | Repeat], last: bool) -> Script:
        """Compile these steps; `last`: nothing follows, so that the cell comes to rest."""
        rates = any(u.quantity == "potential rate" for step in flat(steps) for u in step.until)
        variables = [*_VARIABLES, *RATE_VARIABLES * rates, *(f"r{n}" for n in range(depth(steps)))]
        self._out = [f"var {name}" for name in variables]
        self._out += [RATE_ARRAY] * rates
        self._out += ["store_var z 0i ja", "set_pgstat_chan 0", "timer_start"]
        self._steps(steps)
        if last:
            self._rest()
        elif self._state.mode != GALVANOSTAT:  # a current goes on only while it is watched
            self._out.append("store_var z 1i ja")
        else:
            self._state = replace(self._state, on=False)
        self._out += ["on_finished:", "if z == 0i", "cell_off", "endif"]
        state = self._state
        if last:
            for end in self._ends:
                state = state.join(end)
        return Script(tuple(self._out), state, last)

    # -- structure

    def _steps(self, steps: Sequence[AnyStep | Repeat]) -> None:
        for step in steps:
            if isinstance(step, Repeat):
                self._repeat(step)
            else:
                self._step(step)

    def _repeat(self, repeat: Repeat) -> None:
        """A loop whose body starts in what its first and its later rounds have in common."""
        opening = next(flat(repeat.body), None)
        if opening is None or repeat.count < 1:
            return
        depth = len(self._leaving)
        if depth >= _DEEPEST:
            raise NotSupported(
                self._kind.name, "run", f"more than {_DEEPEST} repeats within each other", ""
            )
        self._enter(opening)
        self._out += [f"store_var r{depth} 0i ja", f"loop r{depth} < {repeat.count}i"]
        begin = len(self._out)
        while True:
            entered = self._state
            self._leaving.append([])
            self._steps(repeat.body)
            left, common = self._leaving.pop(), entered.join(self._state)
            if common == entered:
                break
            self._state = common
            del self._out[begin:]
        self._out += [f"add_var r{depth} 1i", "endloop"]
        for state in left:
            self._state = self._state.join(state)

    def _step(self, step: AnyStep) -> None:
        if step.until and isinstance(step, Impedance):
            raise NotSupported(
                self._kind.name,
                "run",
                "a spectrum cannot end on a condition",
                "put the condition on the step before",
            )
        self._enter(step)
        match step:
            case Impedance():
                self._impedance(step)
            case Sweep() | Cycles():
                self._sweep(step)
            case _:
                every = interval(step, step.duration, self._shortest, self._kind.name)
                self._bandwidth(every)
                self._measure(_hold_loop(step, every), every, step)
        self._out += ["timer_get t", "timer_start"]
        self._out += ["pck_start", "pck_add t", "pck_add w", "pck_end"]
        for number, until in enumerate(step.until, start=1):
            self._jump(number, until)

    def _jump(self, number: int, until: Until) -> None:
        """After a step that a condition ended: on, out of the loop, or to the end."""
        if until.ends == "program":
            self._out.append(f"if w == {number}i")
            before = self._state
            self._rest()
            self._ends.append(self._state)
            self._state = before
            self._out += ["abort", "endif"]
        elif until.ends == "repeat" and self._leaving:
            self._leaving[-1].append(self._state)
            self._out += [f"if w == {number}i", "breakloop", "endif"]

    def _rest(self) -> None:
        """The state in which the program leaves the cell; on_finished opens it unless z is 1."""
        if self._program.after is not CellRest.HOLD:
            self._state = replace(self._state, on=False)
            return
        if self._state.mode in (GALVANOSTAT, None) or not self._state.on:
            mode = self._kind.modes[-1]
            self._out += hold_lines(self._kind, mode, "p")
            self._state = State(mode.number, on=True)
        self._out.append("store_var z 1i ja")

    # -- preparing the instrument

    def _enter(self, step: AnyStep) -> None:
        """Bring mode and cell switch to what a step needs; nothing if they are there."""
        if isinstance(step, Open):
            if self._state.on is not False:
                self._out.append("cell_off")
            if self._state.mode in (None, GALVANOSTAT):
                self._set_mode(self._kind.modes[-1].number)
            self._ranges(step)
            self._state = replace(self._state, on=False)
            return
        mode = self._mode(step)
        number = GALVANOSTAT if mode is None else mode.number
        if self._state.mode != number:
            if self._state.on is not False:
                self._out.append("cell_off")
            self._set_mode(number)
        if mode is not None:
            low, high = extremes(self._potentiostatic(step))
            self._out.append(f"set_range_minmax da {literal(low)} {literal(high)}")
        self._ranges(step)
        if self._state.on is not True:
            name = "set_i" if mode is None else "set_e"
            self._out += [f"{name} {literal(first(step))}", "cell_on"]
        self._state = State(number, on=True)

    def _set_mode(self, number: int) -> None:
        self._out.append(f"set_pgstat_mode {number}")
        self._state = State(number, on=False)

    def _mode(self, step: AnyStep) -> Mode | None:
        """The mode for a step under control of the potential, None for one of the current."""
        if isinstance(step, HoldCurrent):
            return None
        found = self._common or common_mode(self._kind, [step])
        if found is None:
            low, high = extremes([step])
            modes = "; ".join(map(str, self._kind.modes))
            raise LimitExceeded(
                self._kind.name,
                "run",
                f"{low:g} .. {high:g} V in one step, "
                f"at up to {fastest(step):g} Hz, fits none of its modes: {modes}",
                "narrow the window, or measure fewer frequencies",
            )
        return found

    def _potentiostatic(self, step: AnyStep) -> list[AnyStep]:
        """Steps that share a mode's window with this one."""
        if self._common is None:
            return [step]
        return potentiostatic(list(flat(self._program.steps)))

    def _ranges(self, step: AnyStep) -> None:
        wanted, kind = self._program.current_range, self._kind
        if isinstance(step, HoldCurrent):
            needed = max(abs(step.current) * _HEADROOM, wanted or 0.0)
            self._out += _autoranging(kind.ranges, needed, "db")
        elif not isinstance(step, Open):
            mode = self._mode(step)
            assert mode is not None
            self._out += _autoranging(mode.ranges, wanted)
        if kind.finest_potential and isinstance(step, HoldCurrent | Open | Impedance):
            reach = kind.limits.potential.high
            self._out += _autoranging((kind.finest_potential, reach), None, "ab")

    def _bandwidth(self, every: float) -> None:
        hertz = self._program.bandwidth or min(max(_BANDWIDTH / every, 1.0), _WIDEST)
        self._out.append(f"set_max_bandwidth {literal(hertz)}")

    # -- measuring

    def _sweep(self, step: Sweep | Cycles) -> None:
        stair = stairs(step, self._kind.tread, self._kind.name)
        self._bandwidth(stair.interval)
        corners = (
            (step.start, step.stop)
            if isinstance(step, Sweep)
            else (step.start, step.first, step.second)
        )
        numbers = [literal(e) for e in corners]
        numbers += [literal(stair.height, down=True), literal(step.rate)]
        name = "lsv" if isinstance(step, Sweep) else "cv"
        scans = f" nscans({step.count})" if isinstance(step, Cycles) and step.count > 1 else ""
        loop = f"meas_loop_{name} e c {' '.join(numbers)}{scans} add_meas(0 ab p)"
        self._measure(loop, stair.interval, step)

    def _impedance(self, step: Impedance) -> None:
        """Settle, watching, then the spectrum in runs of evenly spaced logarithms."""
        held = literal(step.potential)
        self._out += preparation(())
        if step.settle > 0:
            every, duration = settling(step, self._shortest)
            self._bandwidth(every)
            loop = f"meas_loop_ca e c {held} {literal(every, down=True)} {literal(duration)}"
            self._measure(f"{loop} add_meas(0 ab p)", every, step)
        self._out.append(f"set_max_bandwidth {literal(_WIDEST)}")
        rms = literal(step.amplitude / sqrt(2))
        for run in logarithmic_runs(step.frequencies):
            ends = f"{literal(run[0])} {literal(run[-1])} {len(run)}i"
            self._out += [
                f"meas_loop_eis x q e {rms} {ends} {held}",
                "timer_get t", "pck_start", "pck_add t", "pck_add x", "pck_add q", "pck_add e",
                "pck_end", "endloop",
            ]  # fmt: skip

    def _measure(self, loop: str, every: float, step: AnyStep) -> None:
        """A measurement loop that sends time, potential and current, and tests the conditions."""
        self._out += [*preparation(step.until), loop, "timer_get t"]
        self._out += tests(step.until, every, self._kind.name)
        shown = ["t", "p"] if isinstance(step, Open) else ["t", "p", "c"]
        self._out += ["pck_start", *(f"pck_add {name}" for name in shown), "pck_end"]
        if step.until:
            self._out += ["if w > 0i", "breakloop", "endif"]
        self._out.append("endloop")


def _hold_loop(step: Open | HoldPotential | HoldCurrent, every: float) -> str:
    times = f"{literal(every, down=True)} {literal(step.duration)}"
    match step:
        case Open():
            return f"meas_loop_ocp p {times}"
        case HoldPotential():
            return f"meas_loop_ca e c {literal(step.potential)} {times} add_meas(0 ab p)"
        case HoldCurrent():
            return f"meas_loop_cp p e {literal(step.current)} {times} add_meas(0 ba c)"
