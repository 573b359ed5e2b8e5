"""What `sicmctl info` prints."""

from rich.console import Console
from rich.table import Table

from sicmctl.analysis.summary import RunSummary
from sicmctl.analysis.tables import drift_rows, echem_rows, run_rows, scan_rows, tip_rows


def show_summary(summary: RunSummary) -> None:
    """Print a run's summary as tables."""
    console = Console(highlight=False)
    _print(console, "Run", run_rows(summary))
    for scan in summary.scans:
        _print(console, f"Scan {scan.scan}", scan_rows(scan))
    for echem in summary.echem:
        title = f": {echem.title}" if echem.title != echem.technique else ""
        _print(console, f"Technique {echem.echem}{title}", echem_rows(echem))
    if summary.tip:
        _print(console, "Tip", tip_rows(summary.tip))
    if summary.drift:
        _print(console, "Drift", drift_rows(summary.drift))


def _print(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in rows:
        table.add_row(name, value)
    console.print(table)
