"""Sphinx configuration: MyST pages, the public API from docstrings, SIM.toml from its models."""

import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

project = "sicmctl"
author = "the sicmctl developers"
copyright = author
version = release = metadata.version("sicmctl")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_title = "sicmctl"
html_show_sourcelink = False
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}


def _fill_reference(_app: Sphinx, name: str, source: list[str]) -> None:
    """Put the tables of SIM.toml where the page asks for them."""
    if name == "simulated-rig":
        from sim_reference import reference  # noqa: PLC0415

        source[0] = source[0].replace("<!-- reference -->", reference())


def _draw(_app: Sphinx) -> None:
    """Make the figures that follow from the program itself."""
    import technique_figure  # noqa: PLC0415

    technique_figure.draw(HERE / "_static" / "made" / "techniques.png")


def _list_names(*event: Any) -> None:
    """Make a list of the lines `name: meaning` of a docstring."""
    lines: list[str] = event[-1]
    made: list[str] = []
    listing = False
    for line in lines:
        entry = re.match(r"([a-z_]\w*(?:, [a-z_]\w*)*): (?=\S)", line)
        if entry:
            if not listing:
                made.append("")
            made.append(f"- **{entry[1]}**: {line[entry.end() :]}")
            listing = True
        elif listing and line.strip():
            made.append("  " + line.strip())
        else:
            listing = False
            made.append(line)
    lines[:] = made


def setup(app: Sphinx) -> None:
    """Connect the above."""
    app.connect("builder-inited", _draw)
    app.connect("source-read", _fill_reference)
    app.connect("autodoc-process-docstring", _list_names)
