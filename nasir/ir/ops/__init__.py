"""The ops: one class in one file each, and the one table that lists them."""

from collections.abc import Mapping

from nasir.ir.ops.activation import ACTIVATIONS, Activation
from nasir.ir.ops.arithmetic import Add, Mul
from nasir.ir.ops.base import (
    Argument,
    Attribute,
    Call,
    Channels,
    Op,
    OpError,
    Parameter,
    Placement,
    Tensors,
    layout_size,
    resolve_argument,
)
from nasir.ir.ops.bn import BatchNorm
from nasir.ir.ops.concat import Concat
from nasir.ir.ops.conv import Conv
from nasir.ir.ops.dwconv import DepthwiseConv
from nasir.ir.ops.gating import GATES, Blend, Gate, GateProduct, GateSum, Sum
from nasir.ir.ops.image import Image
from nasir.ir.ops.linear import Linear
from nasir.ir.ops.mask import Mask
from nasir.ir.ops.mix import Mix
from nasir.ir.ops.pool import AvgPool, GlobalAvgPool, MaxPool
from nasir.ir.ops.shortcut import Shortcut
from nasir.ir.ops.shuffle import Shuffle

OPS: Mapping[str, Op] = {
    op.name: op
    for op in (
        Image(),
        Conv(),
        DepthwiseConv(),
        BatchNorm(),
        *ACTIVATIONS,
        MaxPool(),
        AvgPool(),
        GlobalAvgPool(),
        Linear(),
        Add(),
        Mul(),
        Concat(),
        Shuffle(),
        Shortcut(),
        Mix(),
        Mask(),
        Gate(),
        GateProduct(),
        GateSum(),
        Sum(),
        Blend(),
    )
}

__all__ = [
    "GATES",
    "OPS",
    "Activation",
    "Argument",
    "Attribute",
    "Call",
    "Channels",
    "Op",
    "OpError",
    "Parameter",
    "Placement",
    "Tensors",
    "layout_size",
    "resolve_argument",
]
