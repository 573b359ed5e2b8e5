"""What can be said of a program before it runs: how many steps, how long at most, what is left."""

from sicmctl.echem import totals
from sicmctl.hal.cell import (
    AnyStep,
    CellProgram,
    Cycles,
    HoldCurrent,
    HoldPotential,
    Impedance,
    Open,
    Place,
    Repeat,
    Sweep,
)

KINDS: dict[type[AnyStep], str] = {
    Open: "open",
    HoldPotential: "held potential",
    HoldCurrent: "held current",
    Sweep: "sweep",
    Cycles: "cycles",
    Impedance: "impedance",
}
"""What files and messages call the kinds of steps."""

Steps = tuple[AnyStep | Repeat, ...]


def count(steps: Steps) -> int:
    """Return how many steps are executed at most."""
    return sum(s.count * count(s.body) if isinstance(s, Repeat) else 1 for s in steps)


def longest(steps: Steps) -> float:
    """Return the longest time that steps can take, s."""
    return totals(steps).duration


def step_at(program: CellProgram, place: Place) -> AnyStep:
    """Return the step that stands at a place."""
    steps: Steps = program.steps
    for index in place.path[:-1]:
        repeat = steps[index]
        assert isinstance(repeat, Repeat), "a path leads through repeats"
        steps = repeat.body
    step = steps[place.path[-1]]
    assert not isinstance(step, Repeat), "a path ends at a step"
    return step


def after(program: CellProgram, place: Place) -> float:
    """Return the longest time that all which follows the step at a place can take, s."""
    steps, loops, left = program.steps, iter(place.loops), 0.0
    for index in place.path:
        left += longest(steps[index + 1 :])
        here = steps[index]
        if isinstance(here, Repeat):
            left += (here.count - 1 - next(loops)) * longest(here.body)
            steps = here.body
    return left
