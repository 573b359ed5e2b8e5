"""One self-contained HTML page of a run: summary, figures, settings."""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sicmctl.data.echemdata import EchemData, collect
from sicmctl.data.runfile import RunFile

from .summary import EchemSummary, ScanSummary, summarise
from .tables import drift_rows, echem_rows, number_rows, run_rows, scan_rows, tip_rows

if TYPE_CHECKING:
    from .figures import Drawn

__all__ = ["render", "run_rows", "scan_rows", "write_report"]


def write_report(run: RunFile, out: Path | str, drawn: "Sequence[Drawn] | None" = None) -> Path:
    """Write the page and return its path; an older page of that name is replaced."""
    out = Path(out)
    part = out.with_name(out.name + ".part")
    part.write_text(render(run, drawn), encoding="utf-8")
    return part.replace(out)


def render(run: RunFile, drawn: "Sequence[Drawn] | None" = None) -> str:
    """Return the page as HTML; figures, drawn afresh unless given, are inline."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    from .figures import draw  # noqa: PLC0415  (matplotlib is slow to import)

    environment = Environment(
        loader=PackageLoader("sicmctl.analysis", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    summary = summarise(run)
    figures = draw(run) if drawn is None else drawn
    return environment.get_template("report.html.j2").render(
        title=summary.info.title or run.path.name,
        summary=summary,
        run_rows=run_rows(summary),
        scans=[_scan(scan, figures) for scan in summary.scans],
        techniques=[
            _technique(echem, collect(run.echem[echem.echem]), figures) for echem in summary.echem
        ],
        tip_rows=tip_rows(summary.tip),
        drift_rows=drift_rows(summary.drift),
        alarms=run.alarms,
        notes=run.notes,
        calibration=number_rows(summary.calibration),
        rig=run.rig,
        experiment=run.experiment,
    )


def _scan(scan: ScanSummary, drawn: Sequence["Drawn"]) -> dict[str, Any]:
    """Return what the page needs of a scan."""
    from .style import STATUS_COLOURS  # noqa: PLC0415

    return {
        "number": scan.scan,
        "rows": scan_rows(scan),
        "settings": number_rows(scan.settings),
        "counts": [(n, c, STATUS_COLOURS.get(n, "#999999")) for n, c in scan.counts.items()],
        "pictures": _pictures(drawn, f"scan{scan.scan}"),
    }


def _technique(echem: EchemSummary, data: EchemData, drawn: Sequence["Drawn"]) -> dict[str, Any]:
    """Return what the page needs of an electrochemical technique."""
    from .echem.tables import tables  # noqa: PLC0415

    return {
        "number": echem.echem,
        "title": echem.title,
        "rows": echem_rows(echem),
        "settings": number_rows(data.settings),
        "tables": tables(data),
        "pictures": _pictures(drawn, f"echem{echem.echem}"),
    }


def _pictures(drawn: Sequence["Drawn"], part: str) -> list[dict[str, str]]:
    return [
        {
            "title": figure.title,
            "caption": figure.caption,
            "source": "data:image/png;base64," + b64encode(figure.png).decode(),
        }
        for figure in drawn
        if figure.part == part
    ]
