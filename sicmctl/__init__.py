"""sicmctl runs an operando scanning ion conductance microscope together with a potentiostat."""

__version__ = "0.1.0"
