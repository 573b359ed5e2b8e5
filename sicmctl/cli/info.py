"""What `sicmctl info` prints."""

from rich.console import Console
from rich.table import Table

from sicmctl.analysis.report import run_rows, scan_rows
from sicmctl.analysis.summary import RunSummary


def show_summary(summary: RunSummary) -> None:
    """Print a run's summary as tables."""
    console = Console(highlight=False)
    _print(console, "Run", run_rows(summary))
    for scan in summary.scans:
        _print(console, f"Scan {scan.scan}", scan_rows(scan))


def _print(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)
