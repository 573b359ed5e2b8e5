"""Run an experiment, count what happens meanwhile, and read the heights back."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np

from sicmctl import client
from sicmctl.data.runfile import RunFile
from sicmctl.messages import Alarm, AnyMessage, HopDone


def measure(rig: Path, experiment: Path, out: Path) -> float:
    """Run, and return the mean height of the first scan, m."""
    statuses: Counter[str] = Counter()

    def on_message(message: AnyMessage) -> None:
        match message:
            case HopDone():
                statuses[message.status] += 1
            case Alarm():
                print(f"{message.level}: {message.text}", file=sys.stderr)
            case _:
                pass

    result = client.run(rig, experiment, out, on_message)
    print(f"{result.outcome.outcome}: {dict(statuses)}")
    for act in result.outcome.safe:
        print(f"  {act}")
    with RunFile(result.file) as run:
        return float(np.nanmean(run.scan(0).frame("height")))


if __name__ == "__main__":
    mean = measure(*(Path(name) for name in sys.argv[1:4]))
    print(f"mean height {mean * 1e6:.3f} um")
