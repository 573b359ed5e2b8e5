"""One self-contained HTML page of a run: summary, figures, settings."""

from base64 import b64encode
from pathlib import Path
from typing import Any

from sicmctl.data.runfile import RunFile

from .summary import ScanSummary, summarise
from .tables import number_rows, run_rows, scan_rows

__all__ = ["render", "run_rows", "scan_rows", "write_report"]


def write_report(run: RunFile, out: Path | str) -> Path:
    """Write the page and return its path; an older page of that name is replaced."""
    out = Path(out)
    part = out.with_name(out.name + ".part")
    part.write_text(render(run), encoding="utf-8")
    return part.replace(out)


def render(run: RunFile) -> str:
    """Return the page as HTML; figures are inline."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("sicmctl.analysis", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    summary = summarise(run)
    return environment.get_template("report.html.j2").render(
        title=summary.info.title or run.path.name,
        summary=summary,
        run_rows=run_rows(summary),
        scans=[_scan(run, scan) for scan in summary.scans],
        alarms=run.alarms,
        notes=run.notes,
        calibration=number_rows(summary.calibration),
        rig=run.rig,
        experiment=run.experiment,
    )


def _scan(run: RunFile, scan: ScanSummary) -> dict[str, Any]:
    """Return what the page needs of a scan."""
    from .figures import pictures, png  # noqa: PLC0415  (matplotlib is slow to import)
    from .style import STATUS_COLOURS  # noqa: PLC0415

    return {
        "number": scan.scan,
        "rows": scan_rows(scan),
        "settings": number_rows(scan.settings),
        "counts": [(n, c, STATUS_COLOURS.get(n, "#999999")) for n, c in scan.counts.items()],
        "pictures": [
            {
                "title": picture.title,
                "caption": picture.caption,
                "source": "data:image/png;base64," + b64encode(png(picture)).decode(),
            }
            for picture in pictures(run.scan(scan.scan))
        ],
    }
