"""Layer normalisation over channels."""

from nasir.ir.ops.base import Argument, Call, Channels, Contract, Op, Tensors, layout_size
from nasir.ir.sizes import Number, Sizing


class LayerNorm(Op):
    """`layer_norm`: each pixel's channels, or each vector, to mean 0 and variance 1, then scaled and shifted (Ba et
    al., 2016; of a map as ConvNeXt has it).

    Its statistics are over the channels that are there. In a supernet they are weighted by the channels' survival M
    (Eq. 3): mean = sum(M x) / sum(M), variance = sum(M (x - mean)^2) / sum(M). Its shift fills cleared channels.
    """

    name = "layer_norm"
    contract = Contract.STATISTICS
    keeps_zero = False
    weights = {"weight": ("out",), "bias": ("out",)}

    def params(self, it: Tensors, size: Sizing) -> Number:
        return 2 * layout_size(it.out.channels, size)

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            "LayerNorm",
            (Argument("normalized_shape", Channels("out"), positional=True),),
            channels_last=it.x.rank > 0,
            search="nasir.supernets.layers:SearchLayerNorm",
        )


offered = (LayerNorm,)
