"""What `sicmctl check` prints."""

from rich.console import Console
from rich.table import Table

from sicmctl.client import RigReport
from sicmctl.hal.quantity import show


def show_report(report: RigReport) -> None:
    """Print instruments, settings and limits as tables."""
    console = Console(highlight=False)
    instruments = Table("instrument", "is", title="Instruments", title_justify="left")
    for role, identity in report.instruments.items():
        instruments.add_row(role, identity)
    console.print(instruments)

    axes = Table("axis", "travel", "now", "fastest", "resonance", title="Stage",
                 title_justify="left")  # fmt: skip
    for name, axis in report.axes.items():
        axes.add_row(
            name,
            str(axis.travel),
            show(report.position[name], "m"),
            show(axis.max_speed, "m/s"),
            show(axis.resonance, "Hz"),
        )
    console.print(axes)

    a = report.amplifier
    console.print(f"sample clock  {show(report.sample_rate, 'Hz')}")
    console.print(
        f"amplifier     {a.mode}, {a.gain * 1e-9:g} mV/pA, filter {show(a.bandwidth, 'Hz')}"
    )
    console.print(f"current now   {show(report.current, 'A')}")
    console.print(f"bias limits   {report.bias_limits}")
    wired = ", ".join(f"{role} on {t}" for role, t in report.comparators.items())
    console.print(f"comparator    {wired or 'none wired: hops will be streamed'}")
