"""Electrochemical techniques as data: from experiment.toml to programs of a potentiostat."""
