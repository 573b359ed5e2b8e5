"""The exported schemas, the manual and the examples say what the models say."""

import subprocess
import sys
from pathlib import Path

import pytest

from sicmctl.config import drivers, load_experiment, load_rig, schema
from sicmctl.config.reference import PAGES, filled

ROOT = Path(__file__).parents[3]
EXPERIMENTS = [path for path in sorted((ROOT / "examples").glob("*.toml")) if path.stem != "rig"]


def test_the_exported_schemas_are_current() -> None:
    """If this fails: python -m sicmctl.config.schema docs/schema"""
    folder = ROOT / "docs" / "schema"
    assert (folder / "rig.schema.json").read_text("utf-8") == schema.text(schema.rig_schema())
    assert (folder / "experiment.schema.json").read_text("utf-8") == schema.text(
        schema.experiment_schema()
    )


def test_export_writes_both_files(tmp_path: Path) -> None:
    names = [path.name for path in schema.export(tmp_path / "new")]
    assert names == ["rig.schema.json", "experiment.schema.json"]


def test_a_section_offers_the_drivers_that_fit_it() -> None:
    made = schema.rig_schema()["$defs"]
    offered = [option["title"] for option in made["Amplifier"]["oneOf"]]
    assert "axopatch-200b" in offered
    assert "nidaqmx" not in offered


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_the_manual_are_current(page: str) -> None:
    """If this fails: python -m sicmctl.config.reference docs"""
    text = (ROOT / "docs" / page).read_text("utf-8")
    assert filled(text) == text


def test_the_example_of_a_rig_is_read() -> None:
    rig = load_rig(ROOT / "examples" / "rig.toml")
    assert set(rig.options) == {"daq", "amplifier", "piezo"}


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_the_examples_of_experiments_are_read(path: Path) -> None:
    model = load_experiment(path).model
    again = type(model).model_validate(
        {**model.model_dump(by_alias=True, exclude_unset=True), "title": model.title}
        if "list" not in path.stem
        else {**model.model_dump(by_alias=True, exclude={"step": {"__all__": {"scan": {"file"}}}})}
    )
    assert again.title == model.title


def test_drivers_are_found_by_name() -> None:
    assert "nidaqmx" in drivers.known()
    assert drivers.find("nidaqmx").__name__ == "NidaqmxDaq"
    with pytest.raises(KeyError):
        drivers.find("nothing")


def test_the_package_loads_neither_pint_nor_numpy() -> None:
    code = "import sys, sicmctl.config; print({'pint', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
