"""Channel shuffle."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import Argument, Attribute, Call, Op, Parameter, Support, Tensors, require_map
from nasir.ir.values import Ref


class Shuffle(Op):
    """`shuffle(groups)`: channels dealt out across groups, as after a grouped convolution (ShuffleNet).

    It has no contract: a cut of dealt-out channels is not the shuffle of a cut.
    """

    name = "shuffle"
    parameters = (Parameter("groups", "count", sizing=True),)

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        require_map(it, self.name)
        groups, (first, *others) = it["groups"], it.x.channels
        if others or isinstance(first, Ref) or isinstance(groups, Ref):
            raise mistakes.undecided_groups("a shuffle of undecided channels has no meaning", "decide the widths")
        if int(first) % int(groups):
            raise mistakes.groups_do_not_divide(groups, it.x.channels)
        return it.x

    def call(self, it: Tensors) -> Call:
        return Call("function", "channel_shuffle", (Argument("groups", Attribute("groups"), positional=True),))


offered = (Shuffle,)
