"""The mixture: a weighted sum of alternatives, one of which a derived network keeps."""

from collections.abc import Iterator
from dataclasses import replace

from nasir.ir.dims import DimTable
from nasir.ir.gates import Gate, gate_of
from nasir.ir.graph import Node, Type
from nasir.ir.ops.arithmetic import shape_text
from nasir.ir.ops.base import (
    Chances,
    Channels,
    Condition,
    Contract,
    Op,
    Operands,
    OpError,
    SoftCall,
    Support,
    Tensors,
)
from nasir.ir.path import ALTERNATIVE
from nasir.ir.values import Ref, Scalar, Value, key


class Mix(Op):
    """Sum over i of P(selector = i) * (mask of operand i o operand i), each padded to the widest (Eq. 1).

    The operands are named by the selector's values. A `choice`, a `when` whose condition depends on decisions and a
    set among functions are all this op. Its width is a selection by the same selector: `skip` keeps the input's.
    """

    name = "mix"
    operands = ("...",)
    internal = ("selector",)
    contract = Contract.MIXTURE
    in_language = False
    is_soft = True

    def infer(self, it: Tensors, dims: DimTable, support: Support) -> Type:
        selector = it["selector"]
        if not isinstance(selector, Ref):
            return it.operands[key(selector)]
        options = support(selector)
        if not all(key(option) in it.operands for option in options):
            raise OpError("E0301", "the condition of `when` is not always true or false")
        types = {option: it.operands[key(option)] for option in options}
        first = next(iter(types.values()))
        for option, other in types.items():
            if other.sizes != first.sizes:
                raise _differ_in_size(it, next(iter(types)), first, option, other)
        if all(other.channels == first.channels for other in types.values()):
            return first
        if any(len(other.channels) > 1 for other in types.values()):
            raise OpError("E0405", "alternatives with concatenated channels must have the same channels")
        cases: dict[Scalar, Value] = {option: other.channels[0] for option, other in types.items()}
        return Type((dims.select(selector, cases, hint=f"{it.node.name}.channels"),), first.sizes)

    def decided(self, node: Node, support: Support) -> Node:
        options = support(node["selector"])
        kept = tuple((label, name) for label, name in node.operands if label == key(options[0]))
        return replace(node, operands=kept) if len(options) == 1 and kept else node

    def simplified(self, node: Node) -> Node | str:
        operands = dict(node.operands)
        if not isinstance(selector := node["selector"], Ref):
            return operands[key(selector)]
        first, *others = operands.values()
        return first if all(other == first for other in others) else node

    def live(self, node: Node, support: Support) -> Iterator[tuple[str, Condition | None]]:
        selector, operands = node["selector"], dict(node.operands)
        if not isinstance(selector, Ref):
            yield from super().live(node, support)
            return
        options: dict[str, list[Scalar]] = {}
        for option in support(selector):
            options.setdefault(operands[key(option)], []).append(option)
        yield from ((operand, (selector, tuple(values))) for operand, values in options.items())

    def terms(self, it: Tensors, support: Support) -> Iterator[tuple[str, Gate]]:
        selector = it["selector"]
        assert isinstance(selector, Ref), "a decided mixture is canonicalised away"
        yield from ((key(option), gate_of(selector, option)) for option in support(selector))

    def soft_call(self, it: Tensors) -> SoftCall:
        arguments = (Chances("selector"), Operands(), Channels("out"))
        return SoftCall("nasir.supernets.layers:mixture", arguments)


def _differ_in_size(it: Tensors, name: Scalar, first: Type, option: Scalar, other: Type) -> OpError:
    shapes = f"{shape_text(first)} for `{key(name)}` and {shape_text(other)} for `{key(option)}`"
    if all(f"{ALTERNATIVE}stride_" in operand for operand in it.node.inputs):
        return OpError(
            "E0404",
            f"a set of strides makes maps of several sizes, which cannot be mixed: {shapes}",
            "decide the stride; to search where maps shrink, write a `choice` of blocks that end alike",
        )
    return OpError(
        "E0404",
        f"the alternatives differ in map size: {shapes}",
        "drop the alternative where it does not fit: `identity when stride == 1`",
    )


offered = (Mix,)
