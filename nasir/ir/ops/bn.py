"""Batch normalisation."""

from nasir.ir.ops.base import Argument, Attribute, Call, Channels, Contract, Op, Tensors, layout_size
from nasir.ir.ops.parameters import Parameter
from nasir.ir.sizes import Number, Sizing


class BatchNorm(Op):
    """`bn(eps=1e-5, momentum=0.1)`: over each channel of a map. Its shift fills channels that a mask had cleared, so a
    mask is due after it."""

    name = "bn"
    parameters = (Parameter("eps", "positive", 1e-5), Parameter("momentum", "positive", 0.1))
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
            (
                Argument("num_features", Channels("out"), positional=True),
                Argument("eps", Attribute("eps"), default=1e-5),
                Argument("momentum", Attribute("momentum"), default=0.1),
            ),
            search="nasir.supernets.layers:SearchBatchNorm",
        )


offered = (BatchNorm,)
