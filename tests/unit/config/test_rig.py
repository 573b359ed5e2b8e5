"""rig.toml: what is read, and the exact words for what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sicmctl.config import ConfigError, load_rig

Says = Callable[[str], list[str]]


def test_a_rig_is_read_whole(tmp_path: Path, rig_text: str, drivers: dict[str, type]) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(rig_text)
    rig = load_rig(path, drivers)
    assert rig.text == rig_text
    assert rig.path == path
    assert rig.microscope
    assert rig.model.daq is not None and rig.model.bias is not None
    assert rig.model.daq.inputs == {"pipette_current": "ai0", "z_sensor": "ai1"}
    assert rig.model.bias.target == 0.7
    assert rig.model.pipette.inner_radius == 50e-9
    assert rig.model.safety.cell_rest == "ocp"
    assert rig.model.host.reaction == "auto"
    assert rig.drivers["daq"] is drivers["card"]
    assert isinstance(rig.options["daq"], drivers["card"].Options)  # type: ignore[attr-defined]
    assert rig.options["piezo"].model_dump()["z"]["range"] == "25 um"


ALONE = """\
schema = 1
[potentiostat]
driver = "pstat"
resource = "COM3"
"""

BESIDE = """\
schema = 1
[daq]
driver = "card"
inputs = { cell_potential = "ai0", cell_current = "ai1" }
[potentiostat]
driver = "analog"
"""


def test_a_potentiostat_alone_is_a_rig(tmp_path: Path, drivers: dict[str, type]) -> None:
    path = tmp_path / "rig.toml"
    limits = '[safety]\ncell_potential = ["-10 mV", "2 V"]\ncell_current = "5 mA"\n'
    path.write_text(ALONE + limits + 'cell_rest = "off"\non_cell_fault = "continue"\n')
    rig = load_rig(path, drivers)
    assert not rig.microscope
    assert (rig.model.daq, rig.model.bias) == (None, None)
    assert rig.options["potentiostat"].model_dump() == {"resource": "COM3"}
    assert rig.model.safety.cell_potential == (-0.01, 2.0)
    assert rig.model.safety.cell_current == (-5e-3, 5e-3)
    assert rig.model.safety.on_cell_fault == "continue"
    again = type(rig.model.safety).model_validate(rig.model.safety.model_dump())
    assert again == rig.model.safety


def test_a_card_may_stand_beside_an_analog_potentiostat(
    tmp_path: Path, drivers: dict[str, type]
) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(BESIDE)
    rig = load_rig(path, drivers)
    assert not rig.microscope
    assert set(rig.options) == {"daq", "potentiostat"}


INCOMPLETE = {
    "nothing": (
        "schema = 1\n",
        [
            "rig.toml:1: daq: found nothing; expected a table (data-acquisition card), "
            "if it is a microscope; else [potentiostat]",
            "rig.toml:1: amplifier: found nothing; expected a table (amplifier of the pipette "
            "current), if it is a microscope; else [potentiostat]",
            "rig.toml:1: piezo: found nothing; expected a table (scanner), "
            "if it is a microscope; else [potentiostat]",
            "rig.toml:1: bias: found nothing; expected a table (potential of the pipette), "
            "if it is a microscope; else [potentiostat]",
        ],
    ),
    "half a microscope beside a potentiostat": (
        ALONE + '[bias]\ntarget = "0.7 V"\n',
        [
            "rig.toml:1: daq: found nothing; expected a table (data-acquisition card)",
            "rig.toml:1: amplifier: found nothing; "
            "expected a table (amplifier of the pipette current)",
            "rig.toml:1: piezo: found nothing; expected a table (scanner)",
        ],
    ),
    "no card for a potentiostat that needs one": (
        'schema = 1\n[potentiostat]\ndriver = "analog"\n',
        [
            "rig.toml:1: daq: found nothing; expected a table (data-acquisition card), "
            "which the potentiostat's driver uses"
        ],
    ),
    "a card for a potentiostat that needs none": (
        BESIDE.replace('"analog"', '"pstat"\nresource = "COM3"'),
        [
            "rig.toml:2: daq: found a card that nothing uses; expected no card beside this "
            "potentiostat, or the rest of a microscope: [amplifier], [piezo] and [bias]"
        ],
    ),
    "a potentiostat that nobody knows": (
        ALONE.replace("pstat", "psat"),
        [
            'rig.toml:3: potentiostat.driver: found the unknown driver "psat"; expected one of '
            "amp, analog, broken, card, pstat, stage (did you mean pstat?)"
        ],
    ),
    "a wrong option of a potentiostat": (
        ALONE.replace("resource", "resorce"),
        [
            "rig.toml:2: potentiostat.resource: found nothing; expected text",
            'rig.toml:4: potentiostat.resorce: found the unknown key "resorce"; '
            "expected one of resource (did you mean resource?)",
        ],
    ),
}


@pytest.mark.parametrize("case", INCOMPLETE)
def test_a_rig_is_a_microscope_or_a_potentiostat_or_both(case: str, rig_says: Says) -> None:
    text, expected = INCOMPLETE[case]
    assert rig_says(text) == expected


def test_no_output_is_shared_with_a_potentiostat(rig_text: str, rig_says: Says) -> None:
    assert rig_says(rig_text + '[potentiostat]\ndriver = "analog"\ncommand = "ao1"\n') == [
        'rig.toml:16: piezo.z.output: found "ao1", which potentiostat.command uses already; '
        "expected a channel of its own"
    ]


CASES = {
    "unknown driver": (
        ('driver = "card"', 'driver = "cardd"'),
        'rig.toml:3: daq.driver: found the unknown driver "cardd"; '
        "expected one of amp, analog, broken, card, pstat, stage (did you mean card?)",
    ),
    "no driver": (
        ('driver = "amp"\n', ""),
        "rig.toml:10: amplifier.driver: found nothing; "
        "expected text (which driver runs the instrument)",
    ),
    "two roles on one channel": (
        ('z_sensor = "ai1"', 'z_sensor = "ai0"'),
        'rig.toml:7: daq.inputs.z_sensor: found "ai0", which pipette_current uses already; '
        "expected a channel of its own",
    ),
    "two outputs on one channel": (
        ('output = "ao1"', 'output = "ao0"'),
        'rig.toml:16: piezo.z.output: found "ao0", which amplifier.command uses already; '
        "expected a channel of its own",
    ),
    "output on the amplifier's default channel": (
        ('command = "ao0"\n', ""),
        None,
    ),
    "sensor without an input": (
        ('sensor = "z_sensor"', 'sensor = "z_senor"'),
        'rig.toml:17: piezo.z.sensor: found the unknown role "z_senor"; '
        "expected one of pipette_current, z_sensor (did you mean z_sensor?)",
    ),
    "comparator without an input": (
        ('pipette_current = "APFI0"', 'current = "APFI0"'),
        'rig.toml:9: daq.comparator.current: found the unknown role "current"; '
        "expected one of pipette_current, z_sensor (did you mean pipette_current?)",
    ),
    "no pipette current": (
        ('pipette_current = "ai0"\n', ""),
        "rig.toml:5: daq.inputs: found no pipette_current; "
        "expected pipette_current, the channel of the amplifier's output",
    ),
    "unknown option of a driver": (
        ("sample_rate", "samplerate"),
        'rig.toml:4: daq.samplerate: found the unknown key "samplerate"; '
        "expected one of comparator, inputs, sample_rate (did you mean sample_rate?)",
    ),
    "wrong unit in a driver's option": (
        ('"50 kHz"', '"50 um"'),
        'rig.toml:4: daq.sample_rate: found "50 um", which is not convertible to Hz; '
        'expected a quantity like "50 kHz"',
    ),
    "missing option of a driver": (
        ('range = "25 um"\n', ""),
        'rig.toml:15: piezo.z.range: found nothing; expected a quantity like "1.5 um" (travel)',
    ),
    "no unit": (
        ('"25 um"', '"25"'),
        'rig.toml:18: piezo.z.range: found "25" without a unit; expected a quantity like "1.5 um"',
    ),
    "a number without a unit": (
        ('"0.7 V"', "0.7"),
        "rig.toml:20: bias.target: found 0.7 without a unit; "
        'expected text with a unit, like "0.7 V"',
    ),
    "missing section": (
        ('[bias]\ntarget = "0.7 V"\n', ""),
        "rig.toml:1: bias: found nothing; expected a table (potential of the pipette)",
    ),
    "section of the wrong kind": (
        ("schema = 1\n", "schema = 1\nsafety = 3\n"),
        "rig.toml:2: safety: found 3; expected a table",
    ),
    "role without a channel": (
        ('z_sensor = "ai1"', "z_sensor = 1"),
        "rig.toml:7: daq.inputs.z_sensor: found 1; expected a valid string",
    ),
    "driver that cannot be used": (
        ('driver = "amp"', 'driver = "broken"'),
        'rig.toml:11: amplifier.driver: found "broken", which fails '
        "(AttributeError: type object 'Broken' has no attribute 'Options'); "
        "expected a driver that works",
    ),
    "no schema": (
        ("schema = 1\n", ""),
        "rig.toml:1: schema: found nothing; expected schema = 1",
    ),
    "newer schema": (
        ("schema = 1", "schema = 2"),
        "rig.toml:1: schema: found version 2; "
        "expected version 1, the newest that this program reads (update sicmctl)",
    ),
    "older schema": (
        ("schema = 1", "schema = 0"),
        "rig.toml:1: schema: found version 0; "
        "expected version 1, the oldest that this program reads (rewrite the file)",
    ),
    "schema that is no number": (
        ("schema = 1", "schema = true"),
        "rig.toml:1: schema: found true; expected the number 1",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_told_with_line_and_key(
    case: str, rig_text: str, rig_says: Says, drivers: dict[str, type], tmp_path: Path
) -> None:
    (old, new), expected = CASES[case]
    assert old in rig_text
    text = rig_text.replace(old, new, 1)
    if expected is None:
        path = tmp_path / "rig.toml"
        path.write_text(text)
        load_rig(path, drivers)
    else:
        assert expected in rig_says(text)


ADDED = {
    '[pipette]\nhalf_angle = "80 deg"\n': 'rig.toml:22: pipette.half_angle: found "80 deg"; '
    "expected at least 0.1 deg and at most 45 deg",
    '[pipette]\nhalf_angle = "3 %"\n': 'rig.toml:22: pipette.half_angle: found "3 %", '
    'which is not convertible to rad; expected a quantity like "3 deg"',
    "[pipette]\nradius_ratio = 0.5\n": "rig.toml:22: pipette.radius_ratio: found 0.5; "
    "expected at least 1.01 and at most 20",
    '[safety]\ncell_rest = "on"\n': 'rig.toml:22: safety.cell_rest: found "on"; '
    'expected one of "hold", "ocp", "off"',
    '[safety]\nretract = "0 um"\n': 'rig.toml:22: safety.retract: found "0 um"; '
    "expected more than 0",
    '[safety]\ncell_potential = ["0 V"]\n': "rig.toml:22: safety.cell_potential: "
    'found 1 elements; expected a pair of quantities like ["-1 V", "0.7 V"], '
    "or one that holds either way",
    '[safety]\ncell_potential = ["2 V", "0 V"]\n': "rig.toml:22: safety.cell_potential: "
    "found 2 V and 0 V; expected the lower end first, and a range that is not empty",
    '[safety]\ncell_current = ["-1 V", "1 mA"]\n': "rig.toml:22: safety.cell_current: "
    'found "-1 V", which is not convertible to A; expected a quantity like "1.2 nA"',
    '[safety]\ncell_current = "0 A"\n': "rig.toml:22: safety.cell_current: "
    "found 0 A; expected more than 0",
    '[safety]\non_cell_fault = "hope"\n': 'rig.toml:22: safety.on_cell_fault: found "hope"; '
    'expected one of "stop", "continue"',
    '[host]\nreacton = "1 ms"\n': 'rig.toml:22: host.reacton: found the unknown key "reacton"; '
    "expected one of reaction (did you mean reaction?)",
    '[host]\nreaction = "soon"\n': 'rig.toml:22: host.reaction: found "soon"; '
    'expected a quantity like "2 ms", or "auto"',
    "[stepper]\n": 'rig.toml:21: stepper: found the unknown key "stepper"; expected one of '
    "amplifier, bias, daq, host, piezo, pipette, potentiostat, safety, schema, site, title",
}


@pytest.mark.parametrize("added", ADDED)
def test_each_section_is_checked(added: str, rig_text: str, rig_says: Says) -> None:
    assert rig_says(rig_text + added) == [ADDED[added]]


def test_all_problems_are_told_at_once_in_the_order_of_the_lines(
    rig_text: str, rig_says: Says
) -> None:
    text = (
        rig_text.replace('"card"', '"cart"')
        .replace('"ai1"', '"ai0"')
        .replace('"25 um"', '"25 V"')
        .replace("target", "tarket")
    )
    told = rig_says(text)
    assert [line.split(":")[1] for line in told] == ["3", "7", "18", "19", "20"]


def test_problems_can_be_read_by_a_program(
    tmp_path: Path, rig_text: str, drivers: dict[str, type]
) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(rig_text.replace('"ai1"', '"ai0"'))
    with pytest.raises(ConfigError) as caught:
        load_rig(path, drivers)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("rig.toml", 7, 1)
    assert problem.key == "daq.inputs.z_sensor"
    assert problem.expected == "a channel of its own"
