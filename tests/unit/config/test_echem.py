"""Techniques: what is read of them, and the exact words for what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sicmctl.config import load_experiment
from sicmctl.config.echem import MODELS, Condition, Current, Gcpl, Potential, Sequence, Size
from sicmctl.config.echem.fields import ConditionText, CurrentText, PotentialText
from sicmctl.hal.quantity import BadQuantity

Says = Callable[[str], list[str]]
HEAD = 'schema = 1\ntitle = "T"\n[[step]]\n[step.echem]\n'
_ONE_OF = '"ca", "cc", "cp", "cv", "eis", "gcpl", "gitt", "hold", "lsv", "ocp", "pitt", "rest", '
CV = 'technique = "cv"\nstart = "1 V"\nrate = "1 mV/s"\n'
LSV = 'technique = "lsv"\nstart = "1 V"\nrate = "1 mV/s"\n'
CP = 'technique = "cp"\nduration = "1 h"\n'
CA = 'technique = "ca"\nduration = "1 h"\n'
EIS = 'technique = "eis"\n'
GCPL = 'technique = "gcpl"\nlower = "0 V"\ncurrent = "1 mA"\ntime_limit = "1 h"\n'
GITT = 'technique = "gitt"\ncurrent = "-1 mA"\non = "1 min"\nrest = "5 min"\ncount = 3\n'
PITT = 'technique = "pitt"\nstart = "1 V"\nduration = "1 min"\n'
STEPS = 'technique = "steps"\nduration = "1 min"\n'
OCP = 'technique = "ocp"\nduration = "1 min"\n'
SEQUENCE = 'technique = "sequence"\n'
REST = '{ technique = "rest", duration = "1 min" }'
FLOW = '{ technique = "cp", current = "1 mA", duration = "1 min" }'
AT_OCP = '{ technique = "hold", duration = "1 min" }'

WRONG = {
    'technique = "cvv"': '5: {}.technique: found "cvv"; expected one of "ocp", "rest", "hold", '
    '"lsv", "cv", "ca", "cp", "cc", "gcpl", "gitt", "pitt", "steps", "eis", "sequence"',
    'duration = "1 s"': f'4: {{}}.technique: found nothing; expected one of {_ONE_OF}"sequence", '
    '"steps"',
    'technique = "ocp"': "4: {}.duration: found nothing; "
    'expected a quantity like "2 ms" (for how long at most)',
    OCP + 'vertx = "1 V"': '7: {}.vertx: found the unknown key "vertx"; expected one of after, '
    "bandwidth, current_range, duration, interval, stop_if, technique, until",
    'technique = "ocp"\nduration = "0 s"': '6: {}.duration: found "0 s"; expected more than 0',
    OCP + 'interval = "2 min"': "7: {}.interval: found longer than the step that it samples; "
    "expected a shorter interval",
    OCP + 'after = "on"': '7: {}.after: found "on"; expected one of "ocp", "hold", "off"',
    OCP + 'current_range = "high"': '7: {}.current_range: found "high"; '
    'expected a quantity like "1.2 nA", or "auto"',
    OCP + 'until = "|I| < 1 uA"': '7: {}.until: found "|I| < 1 uA", which the technique itself '
    "sets; expected a condition on E or dE/dt",
    # conditions
    OCP + 'until = "E below 1 V"': '7: {}.until: found "E below 1 V"; expected a condition on '
    'E, I, Q or dE/dt, like "|I| < 10 uA" or "E > 1.5 V"',
    OCP + 'until = "|E < 1 V"': '7: {}.until: found "|E < 1 V"; expected a condition on '
    'E, I, Q or dE/dt, like "|I| < 10 uA" or "E > 1.5 V"',
    OCP + 'until = ["E < 1 V", "E > 3 mA"]': '7: {}.until[1]: found "3 mA", which is not '
    'convertible to V in "E > 3 mA"; '
    'expected a potential like "0.7 V", "50 mV vs OCP" or "OCP"',
    OCP + 'until = "|dE/dt| < 0 V/s"': '7: {}.until: found "|dE/dt| < 0 V/s"; '
    "expected a magnitude compared with more than 0",
    OCP + 'until = "|E| > 0.1 V vs OCP"': '7: {}.until: found "|E| > 0.1 V vs OCP"; '
    "expected E without bars where it is compared with OCP",
    OCP + 'until = "|dE/dt| < 1 mV"': '7: {}.until: found "1 mV", which is not convertible to '
    'V/s in "|dE/dt| < 1 mV"; expected a quantity like "0.3 mV/s"',
    OCP + 'stop_if = "Q > 1 V"': '7: {}.stop_if: found "1 V", which is not convertible to C in '
    '"Q > 1 V"; expected a quantity like "1.2 mAh"',
    OCP + "until = 3": "7: {}.until: found 3 without a unit; expected a condition on "
    'E, I, Q or dE/dt, like "|I| < 10 uA" or "E > 1.5 V"',
    # sweeps
    CV: "4: {}: found neither of both; expected vertex or vertices",
    CV + 'vertex = "0 V"\nvertices = ["0 V", "1 V"]': "9: {}.vertices: found vertex beside it; "
    "expected either vertex or vertices",
    CV + 'vertex = "1 V"': "8: {}.vertex: found the same potential again; "
    "expected another one: the sweep has no length",
    CV + 'vertices = ["0 V", "0 V"]': "8: {}.vertices: found the same potential again; "
    "expected another one: the sweep has no length",
    CV + 'vertices = ["0 V"]': "8: {}.vertices[1]: found nothing; expected one more element",
    CV + 'vertex = "0 V"\nstep = "1 mV"\ninterval = "1 s"': "10: {}.interval: "
    "found step beside it; expected either step or interval",
    CV + 'vertex = "0 V"\nstep = "2 V"': "9: {}.step: found a stair higher than the sweep; "
    "expected a smaller one",
    CV + 'vertex = "0 V"\ninterval = "1 h"': "9: {}.interval: found a stair higher than the "
    "sweep; expected a smaller one",
    CV + 'vertex = "0 V"\ncycles = 0': "9: {}.cycles: found 0; "
    "expected greater than or equal to 1",
    CV + 'vertex = "0 vs OCP"': '8: {}.vertex: found "0" without a unit; '
    'expected a potential like "0.7 V", "50 mV vs OCP" or "OCP"',
    CV + "vertex = 0": "8: {}.vertex: found 0 without a unit; "
    'expected a potential like "0.7 V", "50 mV vs OCP" or "OCP"',
    CV + 'vertex = "200 V"': '8: {}.vertex: found "200 V"; expected at most 100 V',
    LSV: '4: {}.stop: found nothing; expected a potential like "0.7 V", "50 mV vs OCP" or "OCP" '
    "(where the sweep ends)",
    LSV + 'stop = "1 V"': "8: {}.stop: found the same potential again; "
    "expected another one: the sweep has no length",
    'technique = "lsv"\nstart = "1 V"\nstop = "0 V"\nrate = "-1 mV/s"': "8: {}.rate: "
    'found "-1 mV/s"; expected more than 0',
    'technique = "lsv"\nstart = "1 V"\nstop = "0 V"\nrate = "1 mV"': "8: {}.rate: "
    'found "1 mV", which is not convertible to V/s; expected a quantity like "0.3 mV/s"',
    # steps of current and potential
    CP + 'current = "0 A"': "7: {}.current: found 0 A; expected another current",
    CP + 'current = "1 V"': '7: {}.current: found "1 V"; '
    'expected a current like "0.4 mA", "0.4 mA/cm^2" or "C/10"',
    CP + 'current = "C/0"': '7: {}.current: found "C/0"; '
    'expected a current like "0.4 mA", "0.4 mA/cm^2" or "C/10"',
    CP + 'current = "C/10"': '7: {}.current: found "0.1 C" without capacity; '
    'expected capacity = "1.2 mAh" beside it',
    CP + 'current = ["1 mA", "1 mA/cm^2"]': '7: {}.current: found "10 A/m^2" without area; '
    'expected area = "0.5 cm^2" beside it',
    CP + "current = []": "7: {}.current: found an empty array; expected at least one element",
    CP + 'current = "1 mA"\nuntil = "|I| < 1 uA"': '8: {}.until: found "|I| < 1 uA", which the '
    "technique itself sets; expected a condition on E or Q or dE/dt",
    CP + 'current = "1 mA"\ncapacity = "-1 C"': '8: {}.capacity: found "-1 C"; '
    "expected more than 0",
    'technique = "cp"\ncurrent = ["1 mA", "2 mA"]\nduration = ["1 s", "1 s", "1 s"]': "7: "
    "{}.duration: found 3 elements; expected one for all, or one for each current (2)",
    CA + 'potential = "1 V"\nuntil = "|I| < C/50"': '8: {}.until: found "0.02 C" without '
    'capacity; expected capacity = "1.2 mAh" beside it',
    CA + 'potential = "1 V"\nuntil = "E < 1 V"': '8: {}.until: found "E < 1 V", which the '
    "technique itself sets; expected a condition on I or Q",
    CA + 'potential = ["1 V", "x"]': '7: {}.potential[1]: found "x"; '
    'expected a potential like "0.7 V", "50 mV vs OCP" or "OCP"',
    CA + 'potential = "1 V"\ninterval = "2 h"': "8: {}.interval: found longer than the step that "
    "it samples; expected a shorter interval",
    # spectra
    EIS: "4: {}: found neither of both; expected high and low, or frequencies",
    EIS + 'high = "1 kHz"': "4: {}: found neither of both; expected high and low, or frequencies",
    EIS + 'high = "1 kHz"\nlow = "2 kHz"': "7: {}.low: found more than high; "
    "expected a frequency at or below it",
    EIS + 'high = "1 kHz"\nfrequencies = ["1 Hz"]': "7: {}.frequencies: found high or low beside "
    "it; expected either frequencies, or high and low",
    EIS + 'frequencies = ["0 Hz"]': '6: {}.frequencies[0]: found "0 Hz"; expected more than 0',
    EIS + 'frequencies = ["1 Hz"]\namplitude = "2 V"': '7: {}.amplitude: found "2 V"; '
    "expected more than 0 and at most 1 V",
    # batteries
    GCPL: '4: {}.upper: found nothing; expected a potential like "0.7 V", "50 mV vs OCP" or '
    '"OCP" (where charge ends)',
    GCPL + 'upper = "0 V"': "9: {}.upper: found at or below lower; expected a potential above it",
    GCPL + 'upper = "1 V"\nhold_current = "1 uA"': "10: {}.hold_current: "
    "found no hold that it could end; expected upper_hold or lower_hold",
    GCPL.replace("1 mA", "-1 mA") + 'upper = "1 V"': "7: {}.current: found -1 mA; "
    "expected more than 0",
    GCPL.replace('time_limit = "1 h"\n', "") + 'upper = "1 V"': "4: {}.time_limit: "
    "found neither time_limit nor capacity: a charge might never end; expected one of them",
    GCPL + 'upper = "1 V"\nrest = "1 s"\ninterval = "2 s"': "11: {}.interval: "
    "found longer than the step that it samples; expected a shorter interval",
    GITT + 'lower = "1 V"\nupper = "0 V"': "11: {}.upper: found at or below lower; "
    "expected a potential above it",
    GITT + 'rest_until = "|I| < 1 uA"': "10: {}.rest_until: found a current, where there is "
    "none; expected a condition on E or dE/dt",
    GITT + 'back = "yes"': '10: {}.back: found "yes"; expected a valid boolean',
    GITT + 'interval = "2 min"': "10: {}.interval: found longer than the step that it samples; "
    "expected a shorter interval",
    PITT + 'stop = "1 V"\nstep = "10 mV"': "8: {}.stop: found the same potential again; "
    "expected another one",
    PITT + 'stop = "0 V"\nstep = "1 uV"': "9: {}.step: found more than 10000 potentials; "
    "expected a larger step",
    STEPS + 'potentials = ["1 V"]': "7: {}.potentials: found 1 elements; expected at least 2",
    STEPS + 'potentials = ["1 V", "0 V", "0 V"]': "7: {}.potentials: "
    "found the same potential again; expected another one",
    # sequences
    SEQUENCE: "4: {}.techniques: found nothing; "
    "expected an array (tables of techniques, in order; a sequence may stand among them)",
    SEQUENCE + "techniques = []": "6: {}.techniques: found an empty array; "
    "expected at least one element",
    SEQUENCE + "techniques = 3": "6: {}.techniques: found 3; expected an array",
    SEQUENCE + "techniques = [3]": "6: {}.techniques[0]: found 3; expected a table",
    SEQUENCE + f"techniques = [\n{REST},\n{{ technique = 3 }}]": "8: {}.techniques[1].technique: "
    'found 3; expected one of "ocp", "rest", "hold", "lsv", "cv", "ca", "cp", "cc", "gcpl", '
    '"gitt", "pitt", "steps", "eis", "sequence"',
    SEQUENCE + f'techniques = [\n{REST},\n{{ technique = "rest" }}]': "8: "
    '{}.techniques[1].duration: found nothing; expected a quantity like "2 ms" '
    "(for how long at most)",
    SEQUENCE + f'techniques = [\n{{ technique = "sequence", techniques = [\n{REST},\n'
    '{ technique = "rest", duration = "1 V" }] }]': "9: "
    '{}.techniques[0].techniques[1].duration: found "1 V", which is not convertible to s; '
    'expected a quantity like "2 ms"',
    SEQUENCE + 'techniques = [\n{ technique = "ocp", duration = "1 s", after = "off" }]': "7: "
    "{}.techniques[0].after: found a setting of one technique in a sequence; "
    "expected it beside the sequence's own keys, for all",
    SEQUENCE + f"techniques = [\n{FLOW},\n{AT_OCP}]": "8: {}.techniques[1]: "
    "found a potential vs OCP after current has changed it; "
    "expected a potential against the reference, or the technique in a [[step]] of its own",
    SEQUENCE + f"repeat = 2\ntechniques = [\n{REST},\n{AT_OCP}]": "9: {}.techniques[1]: "
    "found a potential vs OCP after current has changed it; "
    "expected a potential against the reference, or the technique in a [[step]] of its own",
    SEQUENCE + f'techniques = [{REST}]\nstop_if = "|I| > 2 C"': '7: {}.stop_if: found "2 C" '
    "without capacity; expected capacity beside it",
    SEQUENCE + 'techniques = [\n{ technique = "cc", current = "2 C", duration = "1 s" }]': "7: "
    '{}.techniques[0].current: found "2 C" without capacity; '
    'expected capacity = "1.2 mAh" beside it',
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_each_key_of_a_technique_is_checked(text: str, run_says: Says) -> None:
    told = "run.toml:" + WRONG[text].replace("{}", "step[0].echem")
    assert run_says(f"{HEAD}{text}\n") == [told]


def test_every_problem_is_told_at_once(run_says: Says) -> None:
    text = 'technique = "cp"\ncurrent = "1"\nduration = "1 V"\nuntl = "E > 1 V"\n'
    assert [line.split(" found")[0] for line in run_says(HEAD + text)] == [
        "run.toml:6: step[0].echem.current:",
        "run.toml:7: step[0].echem.duration:",
        "run.toml:8: step[0].echem.untl:",
    ]


def test_a_sequence_hands_down_the_size_of_the_electrode(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        HEAD + 'technique = "sequence"\ncapacity = "1 mAh"\narea = "2 cm^2"\ntechniques = [\n'
        '{ technique = "cc", current = "C/2", duration = "1 h" },\n'
        '{ technique = "cc", current = "C/2", duration = "1 h", capacity = "2 mAh" },\n'
        '{ technique = "sequence", techniques = [\n'
        '{ technique = "cc", current = "1 mA/cm^2", duration = "1 h" }] }, ' + REST + "]\n"
    )
    sequence = load_experiment(path).model.step[0].echem
    assert isinstance(sequence, Sequence)
    first, second, third, _ = sequence.techniques
    assert not isinstance(first, Sequence) and isinstance(third, Sequence)
    inner = third.techniques[0]
    sizes = [t.size for t in (first, second, inner)]  # type: ignore[union-attr]
    assert sizes == [Size(2e-4, 3.6), Size(2e-4, 7.2), Size(2e-4, 3.6)]


def test_a_key_may_hold_one_value_or_several(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(HEAD + GCPL + 'upper = "1 V"\nuntil = "|Q| > 1 mAh"\nstop_if = ["E > 2 V"]\n')
    gcpl = load_experiment(path).model.step[0].echem
    assert isinstance(gcpl, Gcpl)
    assert gcpl.until == (Condition("Q", True, ">", 3.6),)
    assert gcpl.stop_if == (Condition("E", False, ">", Potential(2.0)),)


POTENTIALS = {
    "0.7 V": Potential(0.7),
    "-50 mV": Potential(-0.05),
    "50 mV vs OCP": Potential(0.05, True),
    "50 mV vs. ocp": Potential(0.05, True),
    "OCP": Potential(0.0, True),
    " ocp ": Potential(0.0, True),
}
CURRENTS = {
    "-0.4 mA": Current(-0.4e-3),
    "0.4 mA/cm^2": Current(4.0, "A/m^2"),
    "0.4 mA cm^-2": Current(4.0, "A/m^2"),
    "C/10": Current(0.1, "C/h"),
    "-C/10": Current(-0.1, "C/h"),
    "2C": Current(2.0, "C/h"),
    "0.5 C": Current(0.5, "C/h"),
    "3 C / 2": Current(1.5, "C/h"),
}
CONDITIONS = {
    "|I| < 10 uA": Condition("I", True, "<", Current(1e-5)),
    "|I|<C/50": Condition("I", True, "<", Current(0.02, "C/h")),
    "I > 0 A": Condition("I", False, ">", Current(0.0)),
    "E <= 5 mV": Condition("E", False, "<", Potential(5e-3)),
    "E > 0.1 V vs OCP": Condition("E", False, ">", Potential(0.1, True)),
    "Q > 1 mAh": Condition("Q", False, ">", 3.6),
    "| dE/dt | < 0.1 mV/h": Condition("dE/dt", True, "<", 0.1e-3 / 3600),
}


@pytest.mark.parametrize("text", POTENTIALS)
def test_potentials_are_read(text: str) -> None:
    assert PotentialText("V").validate(text) == POTENTIALS[text]


@pytest.mark.parametrize("text", CURRENTS)
def test_currents_are_read(text: str) -> None:
    assert CurrentText("A").validate(text) == CURRENTS[text]


@pytest.mark.parametrize("text", CONDITIONS)
def test_conditions_are_read(text: str) -> None:
    read = ConditionText("V").validate(text)
    assert str(read) == str(CONDITIONS[text])
    assert ConditionText("V").validate(str(read)) == read


def test_what_depends_on_the_cell_waits_for_it() -> None:
    assert Potential(0.1, vs_ocp=True).at(1.5) == 1.6
    with pytest.raises(ValueError, match="100 mV vs OCP needs the open-circuit potential"):
        Potential(0.1, vs_ocp=True).at(None)
    assert Current(4.0, "A/m^2").amperes(Size(area=0.5e-4)) == pytest.approx(0.2e-3)
    assert Current(0.1, "C/h").amperes(Size(capacity=3.6)) == pytest.approx(0.1e-3)
    with pytest.raises(ValueError, match="needs the electrode's area"):
        Current(4.0, "A/m^2").amperes(Size(capacity=3.6))


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_text_is_more_than_wrong(text: str) -> None:
    for field in (PotentialText("V"), CurrentText("A"), ConditionText("V")):
        try:
            value = field.validate(text)
        except BadQuantity:
            continue
        assert field.validate(field.serialize(value)) == value


FINITE = st.floats(-99.0, 99.0).filter(lambda x: x == 0 or abs(x) > 1e-12)


@settings(deadline=None)
@given(FINITE, st.booleans())
def test_a_potential_is_written_as_it_is_read(value: float, vs_ocp: bool) -> None:
    written = PotentialText("V").serialize(Potential(value, vs_ocp))
    assert PotentialText("V").validate(written) == Potential(pytest.approx(value, 1e-14), vs_ocp)  # type: ignore[arg-type]


def test_every_technique_has_a_name_of_its_own() -> None:
    names = [n for model in MODELS for n in model.model_fields["technique"].annotation.__args__]  # type: ignore[union-attr]
    assert len(names) == len(set(names)) == 14
