import pytest

from simulators.config import SETTINGS, SimConfig, setting


def test_text_becomes_si():
    config = SimConfig.parse(
        'schema = 1\n[pipette]\ninner_radius = "60 nm"\nhalf_cone_angle = "180 deg"\n'
        '[stage.z]\nrange = "12 um"\n[noise]\nshot = 0.5\nclog_rate = "6 / hour"\n'
        '[[event]]\nat = "2 min"\nset = "drift.z"\nvalue = "3 nm/s"\n'
    )
    assert config.pipette.inner_radius == pytest.approx(60e-9)
    assert config.pipette.half_cone_angle == pytest.approx(3.14159265)
    assert config.stage.z.range == pytest.approx(12e-6)
    assert config.stage.z.resonance == 2000  # what is left out keeps its default
    assert config.noise.clog_rate == pytest.approx(1 / 600)
    assert (config.event[0].at, config.event[0].value) == (120, pytest.approx(3e-9))


def test_errors_name_line_key_and_what_is_allowed():
    text = """schema = 1
[pipette]
inner_radius = 50
radius = "3 nm"
[amplifier]
model = "axopatch"
[stage.z]
vibration = "3 mV"
[daq.wiring]
ai0 = "amplifier.out"
"""
    with pytest.raises(ValueError, match="has no unit") as caught:
        SimConfig.parse(text, "rig/SIM.toml")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("rig/SIM.toml:3: pipette.inner_radius: ")
    assert '"50 nm"' in lines[0]
    assert lines[1].startswith("rig/SIM.toml:4: pipette.radius: unknown key; allowed: inner_radius")
    assert lines[2].startswith("rig/SIM.toml:6: amplifier.model: 'axopatch' is not allowed")
    assert "'femto-dlpca-200'" in lines[2]
    assert lines[3].startswith("rig/SIM.toml:8: stage.z.vibration: '3 mV' has the wrong unit")
    assert "no plant signal 'amplifier.out'; allowed: amplifier.command" in lines[4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema = 2", "SIM.toml:1: schema: 2 is not allowed"),
        ("schema = ", "SIM.toml: Invalid value"),
        ('[amplifier]\ngain = "3 mV/pA"', "cannot be 3e+09; allowed: 5e+07"),
        ('[amplifier]\nfilter = "3 kHz"', "allowed: 1000, 2000, 5000, 10000, 100000 Hz"),
        ('[pipette]\ninner_radius = "-3 nm"', "must be above 0 m"),
        ('[pipette]\ninner_radius = "three"', "'three' is not a quantity"),
        ('[noise]\nshot = "inf"', "is not finite"),
        ('[[event]]\nat = "1 s"\nset = "pipette.brake"\nvalue = 1', "allowed: amplifier.gain"),
        ('[daq.wiring]\nao0 = "stage.z"\nao1 = "stage.z"', "driven by more than one"),
        ('[stage.x]\nlow_voltage = "10 V"', "low_voltage and high_voltage must differ"),
    ],
)
def test_faults_are_explained(text: str, message: str):
    with pytest.raises(ValueError) as caught:
        SimConfig.parse(text)
    assert message in str(caught.value)


def test_the_line_of_a_fault_in_a_later_event():
    text = '[[event]]\nat = "1 s"\nset = "drift.z"\nvalue = "1 nm/s"\n'
    with pytest.raises(ValueError, match=r"SIM\.toml:5: event\.1: '1 V' has the wrong unit"):
        SimConfig.parse(text + text.replace("1 nm/s", "1 V"))


def test_a_configuration_survives_json():
    config = SimConfig.parse('[sample]\nkind = "hopg"\nrq = "0.2 nm"')
    assert SimConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config


def test_settings_take_words_and_quantities():
    assert setting("pipette.bubble", True) == "on"
    assert setting("pipette.clog", "20 %") == pytest.approx(0.2)
    with pytest.raises(ValueError, match="allowed: track, v-clamp"):
        setting("amplifier.mode", "fast")
    with pytest.raises(ValueError, match="no setting 'gain'"):
        setting("gain", 1)
    assert "drift.reference" in SETTINGS
