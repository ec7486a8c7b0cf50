"""Batch normalisation."""

from nasir.ir.ops.base import Argument, Call, Channels, Contract, Op, Tensors, layout_size
from nasir.ir.sizes import Number, Sizing


class BatchNorm(Op):
    """`bn`: over each channel of a map. Its shift fills channels that a mask had cleared, so a mask is due after it."""

    name = "bn"
    contract = Contract.CHANNELWISE
    keeps_zero = False
    weights = {"weight": ("out",), "bias": ("out",), "running_mean": ("out",), "running_var": ("out",)}
    carries = "out"

    def params(self, it: Tensors, size: Sizing) -> Number:
        return 2 * layout_size(it.out.channels, size)

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            f"BatchNorm{max(1, it.x.rank)}d",
            (Argument("num_features", Channels("out"), positional=True),),
            search="nasir.supernets.layers:SearchBatchNorm",
        )


offered = (BatchNorm,)
