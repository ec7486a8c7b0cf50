"""Fully connected layer."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Argument, Attribute, Call, Channels, Contract, Op, Support, Tensors, layout_size
from nasir.ir.ops.parameters import Parameter
from nasir.ir.sizes import Number, Sizing


class Linear(Op):
    """`linear(width, bias=true)`: of a vector, or of a 1x1 map, which it flattens."""

    name = "linear"
    parameters = (Parameter("width", "count", sizing=True), Parameter("bias", "flag", True))
    contract = Contract.MIXES
    weights = {"weight": ("out", "x"), "bias": ("out",)}
    carries = "x"

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        if not it.x.is_pooled:
            raise mistakes.no_vector(self.name)
        return Type((it["width"],))

    def macs(self, it: Tensors, size: Sizing) -> Number:
        return layout_size(it.x.channels, size) * layout_size(it.out.channels, size)

    def weight_count(self, it: Tensors, size: Sizing) -> Number:
        return self.macs(it, size)

    def params(self, it: Tensors, size: Sizing) -> Number:
        weights = self.weight_count(it, size)
        return weights + layout_size(it.out.channels, size) if it["bias"] else weights

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            "Linear",
            (
                Argument("in_features", Channels("x"), positional=True),
                Argument("out_features", Channels("out"), positional=True),
                Argument("bias", Attribute("bias"), default=True),
            ),
            flatten=it.x.rank > 0,
            search="nasir.supernets.layers:SearchLinear",
        )


offered = (Linear,)
