"""What `sicmctl check` prints."""

from rich.console import Console
from rich.table import Table

from sicmctl.client import CellReport, MicroscopeReport, RigReport
from sicmctl.hal.quantity import show


def show_report(report: RigReport) -> None:
    """Print instruments, settings and limits as tables."""
    console = Console(highlight=False)
    instruments = Table("instrument", "is", title="Instruments", title_justify="left")
    for role, identity in report.instruments.items():
        instruments.add_row(role, identity)
    console.print(instruments)
    if report.microscope is not None:
        _show_microscope(console, report.microscope)
    if report.sample_rate is not None:
        console.print(f"sample clock  {show(report.sample_rate, 'Hz')}")
    if report.cell is not None:
        _show_cell(console, report.cell)


def _show_microscope(console: Console, found: MicroscopeReport) -> None:
    axes = Table("axis", "travel", "now", "fastest", "resonance", title="Stage",
                 title_justify="left")  # fmt: skip
    for name, axis in found.axes.items():
        axes.add_row(
            name,
            str(axis.travel),
            show(found.position[name], "m"),
            show(axis.max_speed, "m/s"),
            show(axis.resonance, "Hz"),
        )
    console.print(axes)
    a = found.amplifier
    console.print(
        f"amplifier     {a.mode}, {a.gain * 1e-9:g} mV/pA, filter {show(a.bandwidth, 'Hz')}"
    )
    console.print(f"current now   {show(found.current, 'A')}")
    console.print(f"bias limits   {found.bias_limits}")
    wired = ", ".join(f"{role} on {t}" for role, t in found.comparators.items())
    console.print(f"comparator    {wired or 'none wired: hops will be streamed'}")


def _show_cell(console: Console, cell: CellReport) -> None:
    rows = [
        ("potential now", show(cell.potential, "V")),
        ("current now", show(cell.current, "A")),
        ("potential", str(cell.potential_limits)),
        ("current", str(cell.current_limits)),
        ("current ranges", ", ".join(show(r, "A") for r in cell.ranges)),
        ("sweep rate", str(cell.rate_limits)),
        ("sample interval", str(cell.interval_limits)),
        ("spectra", str(cell.frequency_limits or "cannot be measured")),
        ("kinds of steps", ", ".join(cell.techniques)),
        ("left at", cell.rest),
    ]
    table = Table("quantity", "value", title="Cell", title_justify="left", show_header=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
