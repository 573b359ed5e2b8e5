"""What a technique says of itself on the console, in one line."""

import math

from sicmctl.hal.potentiostat import SampleFlag
from sicmctl.hal.quantity import show
from sicmctl.messages import EchemEnded, EchemProgress, EchemStarted

_SHOUTED = SampleFlag.OVERLOAD | SampleFlag.COMPLIANCE | SampleFlag.LATE


def begun(started: EchemStarted) -> str:
    """Say what begins."""
    title = f' "{started.title}"' if started.title else ""
    steps = f"{started.steps} steps" if started.steps != 1 else "1 step"
    seen = f", cell at {show(started.present, 'V')}" if math.isfinite(started.present) else ""
    return (
        f"echem {started.echem}: {started.technique}{title}, {steps}, "
        f"at most {duration(started.duration)}{seen}"
    )


def live(p: EchemProgress) -> str:
    """Say where it is: E, I, Q, step, cycle, what is left."""
    numbers = (("E", p.potential, "V"), ("I", p.current, "A"), ("Q", p.charge, "C"))
    words = [f"{name} {show(value, unit)}" for name, value, unit in numbers if math.isfinite(value)]
    words.append(f"step {p.step + 1} of {p.steps} ({p.label or p.kind})")
    if p.kind == "cycles" or p.loop:
        words.append(f"cycle {(p.cycle if p.kind == 'cycles' else p.loop) + 1}")
    words.append(f"at most {duration(p.left)} left")
    flags = SampleFlag(p.flags) & _SHOUTED
    words += [str(flag.name) for flag in _SHOUTED if flag in flags]
    return ", ".join(words)


def over(ended: EchemEnded) -> str:
    """Say how it ended and where the cell is."""
    cell = f"cell at rest ({ended.rest})" if ended.rest else "THE CELL MAY STILL BE ON"
    return f"echem {ended.echem}: {ended.outcome}, {cell}"


def duration(seconds: float) -> str:
    """Return a duration as a person says it."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
