"""The mixture: a weighted sum of alternatives, one of which a derived network keeps."""

from nasir.ir.dims import DimTable
from nasir.ir.graph import ALTERNATIVE, Type
from nasir.ir.ops.arithmetic import shape_text
from nasir.ir.ops.base import Op, OpError, Placement, Support, Tensors
from nasir.ir.values import Ref, Scalar, Value, key


class Mix(Op):
    """Sum over i of P(selector = i) * (mask of operand i o operand i), each padded to the widest (Eq. 1).

    The operands are named by the selector's values. A `choice`, a `when` whose condition depends on decisions and a
    set among functions are all this op. Its width is a selection by the same selector: `skip` keeps the input's.
    """

    name = "mix"
    operands = ("...",)
    placement = Placement.GATED
    in_language = False

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        selector = it["selector"]
        if not isinstance(selector, Ref):
            return it.operands[key(selector)]
        options = support(selector)
        if not all(key(option) in it.operands for option in options):
            raise OpError("E0301", "the condition of `when` is not always true or false")
        types = {option: it.operands[key(option)] for option in options}
        first = next(iter(types.values()))
        hint = it.node.name
        for option, other in types.items():
            if (other.height, other.width) != (first.height, first.width):
                name = key(next(iter(types)))
                shapes = f"{shape_text(first)} for `{name}` and {shape_text(other)} for `{key(option)}`"
                if all(f"{ALTERNATIVE}stride_" in operand for operand in it.node.inputs):
                    raise OpError(
                        "E0404",
                        f"a set of strides makes maps of several sizes, which cannot be mixed: {shapes}",
                        "decide the stride; to search where maps shrink, write a `choice` of blocks that end alike",
                    )
                raise OpError(
                    "E0404",
                    f"the alternatives differ in map size: {shapes}",
                    "drop the alternative where it does not fit: `identity when stride == 1`",
                )
        if all(other.channels == first.channels for other in types.values()):
            return first
        if any(len(other.channels) > 1 for other in types.values()):
            raise OpError("E0405", "alternatives with concatenated channels must have the same channels")
        cases: dict[Scalar, Value] = {option: other.channels[0] for option, other in types.items()}
        return Type((dims.select(selector, cases, hint=f"{hint}.channels"),), first.height, first.width)
