"""nasir: a compiler for neural architecture search spaces.

A `.nas` file describes a space of networks; nasir compiles it to a masked supernet (DMaskingNAS of FBNetV2, Wan et
al., CVPR 2020), searches it within a budget, and emits the network it finds as one standalone PyTorch file.
"""

from nasir.api import Space, emit, load, supernet
from nasir.diagnostics import CompileError, Diagnostic

__version__ = "0.1.0"

__all__ = ["CompileError", "Diagnostic", "Space", "emit", "load", "supernet"]
