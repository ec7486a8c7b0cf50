"""The mixture: a weighted sum of alternatives, one of which a derived network keeps."""

from collections.abc import Iterator
from dataclasses import replace

from nasir.ir.dims import DimTable
from nasir.ir.gates import Gate, gate_of
from nasir.ir.graph import Node, Type
from nasir.ir.ops import mistakes
from nasir.ir.ops.base import (
    Chances,
    Channels,
    Condition,
    Contract,
    Op,
    Operands,
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
            raise mistakes.no_condition()
        types = {option: it.operands[key(option)] for option in options}
        first = next(iter(types.values()))
        for option, other in types.items():
            if other.sizes != first.sizes:
                strides = all(f"{ALTERNATIVE}stride_" in operand for operand in it.node.inputs)
                name = next(iter(types))
                raise mistakes.alternatives_differ_in_size(name, first, option, other, strides=strides)
        if all(other.channels == first.channels for other in types.values()):
            return first
        if any(len(other.channels) > 1 for other in types.values()):
            raise mistakes.concatenated_alternatives()
        cases: dict[Scalar, Value] = {option: other.channels[0] for option, other in types.items()}
        return Type((dims.select(selector, cases, hint=f"{it.node.name}.channels"),), first.sizes)

    def decided(self, node: Node, support: Support) -> Node:
        options = {key(option) for option in support(node["selector"])}
        kept = tuple((label, name) for label, name in node.operands if label in options)
        return replace(node, operands=kept) if kept else node

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


offered = (Mix,)
