"""Any potentiostat with an external input and monitor outputs, through a data-acquisition card.

The card's outputs and inputs share one sample clock, so potential and current are sampled together
and waveforms run on that clock. What it cannot do by itself, such as changing a range or switching
between potential and current control, is done by hand and said in rig.toml.
"""

from .driver import AnalogPotentiostat
from .panel import Options

__all__ = ["AnalogPotentiostat", "Options"]
