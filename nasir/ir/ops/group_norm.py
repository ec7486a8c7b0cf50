"""Normalisation over the pixels of a channel, or of a group of channels."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import (
    Argument,
    Attribute,
    Call,
    Channels,
    Contract,
    Op,
    Support,
    Tensors,
    layout_size,
    require_map,
)
from nasir.ir.ops.parameters import Parameter
from nasir.ir.sizes import Number, Sizing
from nasir.ir.values import Ref


class GroupNorm(Op):
    """`group_norm(groups, eps=1e-5)`: each group of channels of an image to mean 0 and variance 1, then scaled and
    shifted (Wu and He, 2018).

    It has no contract: which channels are a group must be decided.
    """

    name = "group_norm"
    parameters = (Parameter("groups", "count", sizing=True), Parameter("eps", "positive", 1e-5))
    weights = {"weight": ("out",), "bias": ("out",)}

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        groups, (first, *others) = it["groups"], it.x.channels
        if others or isinstance(first, Ref) or isinstance(groups, Ref):
            message = "a `group_norm` of undecided channels has no meaning"
            raise mistakes.undecided_groups(message, "decide the widths, or use `layer_norm`, which needs no groups")
        if int(first) % int(groups):
            raise mistakes.groups_do_not_divide(groups, it.x.channels)
        return it.x

    def params(self, it: Tensors, size: Sizing) -> Number:
        return 2 * layout_size(it.out.channels, size)

    def call(self, it: Tensors) -> Call:
        return Call(
            "module",
            "GroupNorm",
            (
                Argument("num_groups", Attribute("groups"), positional=True),
                Argument("num_channels", Channels("out"), positional=True),
                Argument("eps", Attribute("eps"), default=1e-5),
            ),
        )


class InstanceNorm(Op):
    """`instance_norm(eps=1e-5)`: each channel of an image to mean 0 and variance 1 (Ulyanov et al., 2016)."""

    name = "instance_norm"
    parameters = (Parameter("eps", "positive", 1e-5),)
    contract = Contract.CHANNELWISE

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        return it.x

    def call(self, it: Tensors) -> Call:
        return Call("function", "instance_norm", (Argument("eps", Attribute("eps"), default=1e-5),))


offered = (GroupNorm, InstanceNorm)
