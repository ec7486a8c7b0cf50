"""The ops: one class in one file each. Files of this package are found, not listed; packages outside it add theirs by
the entry point group `nasir.ops` (`docs/write-an-op.md`)."""

from collections.abc import Mapping

from nasir import extensions
from nasir.ir.ops.base import (
    Argument,
    Attribute,
    Call,
    Channels,
    Contract,
    Op,
    SoftCall,
    Tensors,
    elements,
    layout_size,
    resolve_argument,
    tensors,
    torch_argument,
)
from nasir.ir.ops.mistakes import OpError
from nasir.ir.ops.parameters import WORDS, Parameter

OPS: Mapping[str, Op] = {op.name: op for op in extensions.OPS.instances(Op)}

__all__ = [
    "OPS",
    "WORDS",
    "Argument",
    "Attribute",
    "Call",
    "Channels",
    "Contract",
    "Op",
    "OpError",
    "Parameter",
    "SoftCall",
    "Tensors",
    "elements",
    "layout_size",
    "resolve_argument",
    "tensors",
    "torch_argument",
]
