"""infer-shapes: a type for every node; `x.channels` and its like become the dims they stand for."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.dims import Dim
from nasir.ir.distributions import Distributions, TableTooLarge
from nasir.ir.facts import Fact
from nasir.ir.graph import Graph, Node, Region, Type, values_of
from nasir.ir.ops import OPS, Contract, Op, OpError, Tensors, elements
from nasir.ir.ops.mistakes import (
    dealt_out,
    no_contract,
    no_such_size,
    other_layout,
    parts_of_options,
    too_large,
    undecided_attribute,
    wrong_attribute,
)
from nasir.ir.ops.parts import Layout, Refinement, Relayout
from nasir.ir.pending import is_cut
from nasir.ir.values import Ref, Scalar, Value
from nasir.passes import mistakes
from nasir.passes.base import Pass
from nasir.passes.rewriting import DimRewriter

MOST_ELEMENTS = 2**31
"""Of what an op makes of one image."""
MOST_WEIGHTS = 10_000_000_000
"""Of a supernet: no machine trains more."""


@dataclass(frozen=True)
class InferShapes(Pass):
    """Types for all nodes; dims that read shapes are what they stand for.

    Before::

        graph g {
          decision w = {4, 8}
          dim half = channels(%wide)
          dim narrow = div($half, 2)
          %x = image() {channels=3, size=8}
          %wide = conv(x=%x) {kernel=3, width=$w, stride=2}
          %out = conv(x=%wide) {kernel=1, width=$narrow}
          return %out
        }

    After::

        graph g {
          decision w = {4, 8}
          dim narrow = div($w, 2)
          %x = image() {channels=3, size=8} : [3, 8, 8]
          %wide = conv(x=%x) {kernel=3, width=$w, stride=2} : [$w, 4, 4]
          %out = conv(x=%wide) {kernel=1, width=$narrow} : [$narrow, 4, 4]
          return %out
        }
    """

    name = "infer-shapes"
    gives = frozenset((Fact.SHAPED,))

    def run(self, graph: Graph) -> Graph:
        parts: dict[str, int] = {}
        layouts: dict[str, Layout] = {}
        while True:
            try:
                return _Inference(graph, parts, layouts).run()
            except Refinement as wanted:  # a width is needed in equal parts: all values of it are laid out so
                parts[wanted.name] = math.lcm(wanted.count, parts.get(wanted.name, 1))
            except Relayout as wanted:  # and one that is a sum as the sum's terms are
                layouts[wanted.name] = wanted.layout


MOST_PARTS = 256
"""Of one width: each is a segment of its own."""


class _Untyped(Exception):
    """A dim reads the shape of a node that has none because of a mistake reported already."""


class _Inference:
    def __init__(self, graph: Graph, parts: Mapping[str, int], layouts: Mapping[str, Layout]) -> None:
        """`parts` are the widths that are laid out in equal parts, and how many; `layouts` those that are laid out as
        sums."""
        self._graph, self._parts, self._layouts = graph, parts, layouts
        self._types: dict[str, Type] = {}
        self._dims = DimRewriter(graph, {}, self._read_shape)
        self._distributions = Distributions(self._dims.table.decisions, self._dims.table.dims)
        self._failed: dict[str, tuple[Diagnostic, ...]] = {}
        self._refinements: dict[str, Refinement | Relayout] = {}
        self._nodes: list[Node] = []
        self._weights = 0

    def run(self) -> Graph:
        read: dict[str, tuple[str, ...]] = {}
        for node in self._graph.nodes:
            decided = self._decided(node)
            read[node.name] = decided.inputs
            if all(name in self._types for name in decided.inputs):
                self._infer(decided)
        wanted = self._wanted(read)
        for name in wanted:  # what a guard leaves out for every choice lays out nothing
            if name in self._refinements:
                raise self._refinements[name]
        if found := [d for name in wanted for d in self._failed.get(name, ())]:
            raise CompileError(found)
        return replace(
            self._graph,
            decisions=self._dims.decisions,
            regions=tuple(map(self._region, self._graph.regions)),
            nodes=tuple(self._nodes),
            dims=self._dims.dims,
        )

    def _region(self, region: Region) -> Region:
        """The region; of what a guard leaves out for every choice, without the values that have no shape."""
        values: list[tuple[str, Value]] = []
        for name, value in region.values:
            try:
                values.append((name, self._dims.value(value)))
            except (_Untyped, OpError, ValueError, TypeError, ArithmeticError):
                continue
        return replace(region, values=tuple(values))

    def _decided(self, node: Node) -> Node:
        """A mixture whose selector has one value for every choice, as that operand alone: what is left out is not
        checked, for a guard on shapes protects its branch."""
        try:
            return OPS[node.op].decided(node, lambda value: self._distributions.support(self._dims.value(value)))
        except (_Untyped, OpError, ValueError, TypeError, ArithmeticError, TableTooLarge):
            return node  # said where the node itself is inferred

    def _wanted(self, read: Mapping[str, tuple[str, ...]]) -> Sequence[str]:
        """The nodes that something reads at some choice, or that nothing was meant to read, in order."""
        every = {name for node in self._graph.nodes for name in node.inputs}
        wanted = {node.name for node in self._graph.nodes if node.name not in every} | {self._graph.output}
        for node in reversed(self._graph.nodes):  # users before what they use
            if node.name in wanted:
                wanted.update(read[node.name])
        return [node.name for node in self._graph.nodes if node.name in wanted]

    def _infer(self, node: Node) -> None:
        op = OPS[node.op]
        try:
            typed = self._dims.node(node)
            it = Tensors(typed, {label: self._types[name] for label, name in node.operands})
            self._check_attributes(typed)
            type = self._folded(self._laid_out(op, it))
            typed = replace(typed, attributes=op.settled(it, self._dims.table, self._distributions.support), type=type)
            _check_contract(op, typed, it)
            self._check_sizes(typed)
        except OpError as error:
            self._failed[node.name] = (Diagnostic(error.code, error.message, node.span, error.hints),)
            return
        except (Refinement, Relayout) as wanted:
            self._refinements[node.name] = wanted
            return
        except _Untyped:
            return
        except (ValueError, TypeError, ArithmeticError) as error:
            reason = "division by zero" if isinstance(error, ZeroDivisionError) else str(error)
            self._failed[node.name] = (mistakes.not_computable(node.span, reason),)
            return
        except TableTooLarge as error:
            self._failed[node.name] = error.at(node.span).diagnostics
            return
        self._types[node.name] = type
        self._nodes.append(typed)

    def _laid_out(self, op: Op, it: Tensors) -> Type:
        """The node's type, an undecided width of its own in as many parts as any op needs it in."""
        table = self._dims.table
        try:
            type = op.infer(it, table, self._distributions.support)
        except Refinement as wanted:
            known = self._parts.get(wanted.name, 1)
            if known % wanted.count == 0:  # it is laid out so where it is made, and was dealt out since
                raise dealt_out(wanted.name, wanted.count) from None
            raise
        except Relayout as wanted:
            if wanted.name in self._layouts:  # it is laid out otherwise already
                raise other_layout(wanted.layout) from None
            raise
        whole = table.whole(type.channels) if op.contract is Contract.MIXES else None
        if whole is None:
            return type
        if len(type.channels) == 1 and whole.name in self._layouts:
            return Type(self._layouts[whole.name], type.sizes)
        base, divisor = table.base(whole)
        known, count = self._parts.get(base.name, 1), len(type.channels)
        if known % (divisor * count) and count > 1:
            raise Refinement(base.name, divisor * count)
        needed = known // math.gcd(known, divisor)
        if needed > MOST_PARTS:
            raise too_large(f"${whole.name} is laid out in {needed:,} equal parts; the limit is {MOST_PARTS:,}")
        if wrong := [option for option in self._distributions.support(whole) if float(option) % needed]:
            raise parts_of_options(whole.name, needed, wrong)
        return Type(table.parts(whole, needed), type.sizes)

    def _folded(self, type: Type) -> Type:
        """The type with a map's size a constant where every choice makes it the same, as rules of shapes expect it."""

        def size(value: Value) -> Value:
            support = self._distributions.support(value)
            return support[0] if len(support) == 1 else value

        sizes = tuple(map(size, type.sizes))
        if sizes == type.sizes and not type.parts:
            return type
        return replace(type, sizes=sizes, parts=tuple(map(self._folded, type.parts)))

    def _check_attributes(self, node: Node) -> None:
        for parameter in OPS[node.op].parameters:
            if isinstance(node[parameter.name], Ref) and not parameter.sizing:
                raise undecided_attribute(parameter.name)
            support = self._distributions.support(node[parameter.name])
            for value in support:
                if problem := parameter.problem(value):
                    raise wrong_attribute(parameter.name, problem, value, always=len(support) == 1)

    def _check_sizes(self, node: Node) -> None:
        # The support of every dim the node mentions is computed here, where a mistake has a place in the text.
        supports: Iterator[tuple[Scalar, ...]] = map(self._distributions.support, values_of(node))
        for support in supports:
            assert support, f"%{node.name} has a size without a value"
        largest = self._distributions.largest
        count = sum(int(elements(type, largest)) for type in (node.shape.parts or (node.shape,)))  # pyright: ignore[reportArgumentType]
        if count > MOST_ELEMENTS:
            message = f"this makes up to {count:,} numbers of one image; the limit is {MOST_ELEMENTS:,}"
            raise too_large(message)
        self._weights += self._largest_weights(node)
        if self._weights > MOST_WEIGHTS:
            message = f"the space has more than {MOST_WEIGHTS:,} weights from here on, all alternatives together"
            raise too_large(message)

    def _largest_weights(self, node: Node) -> int:
        """The weights of a node at its largest sizes."""
        it = Tensors(node, {label: self._types[name] for label, name in node.operands})
        count = OPS[node.op].params(it, self._distributions.largest)
        assert isinstance(count, (int, float)), "sizes are numbers here"
        return int(count)

    def _read_shape(self, dim: Dim) -> Value:
        assert dim.of is not None, f"${dim.name} reads no node's shape"
        if dim.of not in self._types:
            raise _Untyped
        type = self._types[dim.of]
        if dim.function == "channels":
            return self._dims.table.total(type.channels, hint=dim.name)
        size = type.size(dim.function)
        if size is None:
            raise no_such_size(type, dim.function)
        return size


def _check_contract(op: Op, node: Node, it: Tensors) -> None:
    """An op that does not say what it does with a cut of its channels takes and makes decided ones alone."""
    if op.contract is None and any(map(is_cut, (node.shape, *it.operands.values()))):
        raise no_contract(op.name)
