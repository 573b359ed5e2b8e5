"""End conditions, tested by the instrument after every sample.

Variables: p potential, c current, q charge since the step began, y rate of the potential; x is
scratch. w becomes the number of the condition that is met.
"""

from collections.abc import Iterator, Sequence
from math import ceil

from sicmctl.hal.cell import Until
from sicmctl.hal.cellwatch import BINS, rate_span
from sicmctl.hal.errors import NotSupported

from .numbers import literal

RATE_VARIABLES = ("b", "k", "n", "o", "y")
"""b: sum of the average under way, of k samples; n: averages so far; o: first potential."""
RATE_ARRAY = f"array a {BINS}i"
_NAMES = {"potential": "p", "current": "c", "charge": "q", "potential rate": "y"}


def preparation(untils: Sequence[Until]) -> Iterator[str]:
    """Lines before the loop."""
    yield "store_var w 0i ja"
    if any(until.quantity == "charge" for until in untils):
        yield "store_var q 0 ja"
    if any(until.quantity == "potential rate" for until in untils):
        yield from ("store_var b 0 ja", "store_var k 0i ja", "store_var n -1i ja")


def tests(untils: Sequence[Until], every: float, instrument: str) -> Iterator[str]:
    """Lines after each sample; `every`: s between samples. The first condition wins."""
    if any(until.quantity == "charge" for until in untils):
        yield from ("copy_var c x", f"mul_var x {literal(every)}", "add_var q x")
    spans = {rate_span(until) for until in untils if until.quantity == "potential rate"}
    if len(spans) > 1:
        raise NotSupported(
            instrument,
            "run",
            "a step with two conditions on the rate of the potential",
            "keep one of them",
        )
    for span in spans:
        yield from _rate(span / BINS, every)
    for number, until in reversed(list(enumerate(untils, start=1))):
        then = f"store_var w {number}i ja"
        if until.quantity == "potential rate":
            yield from (f"if n >= {BINS}i", *_test(until, then), "endif")
        else:
            yield from _test(until, then)


def _rate(width: float, every: float) -> Iterator[str]:
    """Lines that keep y, as `CellWatch` does: the slope through the last averages in array a.

    Potentials count from the step's first, so that single precision is enough.
    """
    count = max(1, ceil(width / every * (1 - 1e-9)))
    middle = (BINS - 1) / 2
    spread = sum((k - middle) ** 2 for k in range(BINS)) * count * every
    yield from ("if n < 0i", "copy_var p o", "store_var n 0i ja", "endif")
    yield from ("copy_var p x", "sub_var x o", "add_var b x", "add_var k 1i", f"if k >= {count}i")
    yield from (f"div_var b {literal(count)}", "store_var y 0 ja")
    for k in range(BINS - 1):
        yield from (f"array_get a {k + 1}i x", f"array_set a {k}i x")
        yield from (f"mul_var x {literal((k - middle) / spread)}", "add_var y x")
    yield from (
        f"array_set a {BINS - 1}i b",
        f"mul_var b {literal(middle / spread)}",
        "add_var y b",
    )
    yield from ("add_var n 1i", "store_var b 0 ja", "store_var k 0i ja", "endif")


def _test(until: Until, then: str) -> Iterator[str]:
    name, limit, opposite = _NAMES[until.quantity], literal(until.value), literal(-until.value)
    if until.side == "above":
        yield from (f"if {name} >= {limit}", then, "endif")
        if until.magnitude:
            yield from (f"if {name} <= {opposite}", then, "endif")
    elif until.magnitude:
        yield from (f"if {name} <= {limit}", f"if {name} >= {opposite}", then, "endif", "endif")
    else:
        yield from (f"if {name} <= {limit}", then, "endif")
