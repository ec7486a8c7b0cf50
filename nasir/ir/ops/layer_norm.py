"""Normalisation over the channels of a pixel, a step or a vector."""

from nasir.ir.ops.base import Argument, Attribute, Call, Channels, Contract, Op, Tensors, layout_size
from nasir.ir.ops.parameters import Parameter
from nasir.ir.sizes import Number, Sizing


class LayerNorm(Op):
    """`layer_norm(eps=1e-5)`: each pixel's channels, or each vector, to mean 0 and variance 1, then scaled and shifted
    (Ba et al., 2016; of a map as ConvNeXt has it).

    Its statistics are over the channels that are there. In a supernet they are weighted by the channels' survival M
    (Eq. 3): mean = sum(M x) / sum(M), variance = sum(M (x - mean)^2) / sum(M). Its shift fills cleared channels.
    """

    name = "layer_norm"
    parameters = (Parameter("eps", "positive", 1e-5),)
    contract = Contract.STATISTICS
    keeps_zero = False
    weights = {"weight": ("out",), "bias": ("out",)}

    def params(self, it: Tensors, size: Sizing) -> Number:
        return 2 * layout_size(it.out.channels, size)

    def call(self, it: Tensors) -> Call:
        return _norm(it, "LayerNorm", 1e-5)


class RMSNorm(Op):
    """`rms_norm(eps=1e-6)`: each pixel's channels, or each vector, over their root mean square, then scaled (Zhang and
    Sennrich, 2019). In a supernet the mean is sum(M x^2) / sum(M)."""

    name = "rms_norm"
    parameters = (Parameter("eps", "positive", 1e-6),)
    contract = Contract.STATISTICS
    weights = {"weight": ("out",)}

    def params(self, it: Tensors, size: Sizing) -> Number:
        return layout_size(it.out.channels, size)

    def call(self, it: Tensors) -> Call:
        return _norm(it, "RMSNorm", None)


def _norm(it: Tensors, target: str, default: float | None) -> Call:
    return Call(
        "module",
        target,
        (
            Argument("normalized_shape", Channels("out"), positional=True),
            Argument("eps", Attribute("eps"), default=default),
        ),
        channels_last=it.x.rank > 0,
        search=f"nasir.supernets.layers:Search{target}",
    )


offered = (LayerNorm, RMSNorm)
