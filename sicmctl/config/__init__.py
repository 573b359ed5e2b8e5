"""What the operator writes: rig.toml and experiment.toml, as validated models."""

from .experiment import Experiment
from .load import LoadedExperiment, LoadedRig, load_experiment, load_rig
from .problems import ConfigError, Problem
from .rig import Rig

__all__ = [
    "ConfigError",
    "Experiment",
    "LoadedExperiment",
    "LoadedRig",
    "Problem",
    "Rig",
    "load_experiment",
    "load_rig",
]
