"""Learned factors."""

from nasir.ir.ops.base import Argument, Attribute, Call, Channels, Contract, Op, Tensors, layout_size
from nasir.ir.ops.parameters import Parameter
from nasir.ir.sizes import Number, Sizing


class Scale(Op):
    """`scale(init=1.0)`: each channel times a learned factor, as ConvNeXt and CaiT scale their layers (Touvron et al.,
    2021)."""

    name = "scale"
    parameters = (Parameter("init", "number", 1.0),)
    contract = Contract.CHANNELWISE
    weights = {"gamma": ("out", "-", "-")}
    carries = "out"

    def params(self, it: Tensors, size: Sizing) -> Number:
        return layout_size(it.out.channels, size)

    def call(self, it: Tensors) -> Call:
        return Call(
            "helper",
            "nasir.carried:Scale",
            (
                Argument("channels", Channels("out"), positional=True),
                Argument("axes", it.out.rank, default=2),
                Argument("init", Attribute("init"), default=1.0),
            ),
            search="nasir.supernets.layers:SearchScale",
        )


offered = (Scale,)
