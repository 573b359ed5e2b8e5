"""The keys of a modulated bias."""

from typing import Any

import pytest
from pydantic import ValidationError

from sicmctl.config.hop import Hop


@pytest.mark.parametrize(
    ("hop", "said"),
    [
        ({"modulation_frequency": "2 kHz"}, "modulation_frequency"),
        ({"phase_shift": "1 deg"}, "phase_shift"),
        ({"mode": "absolute", "level": "3 nA", "modulated_by": "phase"}, "modulated_by"),
        ({"mode": "modulated", "phase_shift": "1 deg"}, "phase_shift"),
        ({"mode": "modulated", "modulated_by": "phase", "setpoint": "1 %"}, "setpoint"),
        ({"mode": "modulated", "engine": "comparator"}, "engine"),
        ({"mode": "modulated", "adaptive": True}, "adaptive"),
        ({"mode": "modulated", "level": "3 nA"}, "level"),
        ({"mode": "modulated", "modulation_frequency": "1 Hz"}, "modulation_frequency"),
        ({"mode": "modulated", "modulated_by": "phase", "phase_shift": "60 deg"}, "phase_shift"),
    ],
)
def test_keys_that_do_not_go_together(hop: dict[str, Any], said: str) -> None:
    with pytest.raises((ValidationError, ValueError)) as caught:
        Hop.model_validate(hop)
    assert said in str(caught.value)


def test_what_is_usual() -> None:
    hop = Hop.model_validate({"mode": "modulated"})
    assert (hop.modulation_frequency, hop.modulation_amplitude) == (1e3, 50e-3)
    assert (hop.modulated_by, hop.setpoint) == ("amplitude", 0.02)
