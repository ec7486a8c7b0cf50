"""The graph: one flat ordered tuple of nodes, operands by name; compared by value; networkx on demand."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nasir.diagnostics import Span
from nasir.ir.dims import Decision, Dim
from nasir.ir.gates import Gate, refs
from nasir.ir.values import Ref, Scalar, Value

if TYPE_CHECKING:
    import networkx as nx

SIZE_NAMES: tuple[tuple[str, ...], ...] = ((), ("length",), ("height", "width"))
"""What the spatial sizes of a vector, a sequence and a map are called."""
KINDS = ("flat vector", "sequence", "map")


@dataclass(frozen=True)
class Type:
    """A value's shape without its batch: channel segments and spatial sizes, none of a vector, one of a sequence, two
    (height and width) of a map.

    `channels` is the ordered channel layout; a convolution makes one segment, `concat` as many as its operands have.
    `parts` are the types of several results together, which only `result` takes apart.
    """

    channels: tuple[Value, ...] = ()
    sizes: tuple[Value, ...] = ()
    parts: tuple["Type", ...] = ()

    @property
    def rank(self) -> int:
        """The number of spatial sizes."""
        return len(self.sizes)

    @property
    def is_pooled(self) -> bool:
        """Whether it is a vector, or a map of one pixel."""
        return all(size == 1 for size in self.sizes)

    @property
    def kind(self) -> str:
        """What one calls it: a map, a sequence, a flat vector."""
        return KINDS[self.rank]

    def size(self, name: str) -> Value | None:
        """Its `height`, `width` or `length`; None where it has none."""
        return dict(zip(SIZE_NAMES[self.rank], self.sizes, strict=True)).get(name)

    def values(self) -> Iterator[Value]:
        yield from self.channels
        yield from self.sizes
        for part in self.parts:
            yield from part.values()

    def changed(self, value: Callable[[Value], Value]) -> "Type":
        """The type with every value replaced; decided neighbours among the channels become one segment."""
        channels = layout_of(map(value, self.channels))
        return Type(channels, tuple(map(value, self.sizes)), tuple(part.changed(value) for part in self.parts))


@dataclass(frozen=True)
class Node:
    """One op applied to earlier nodes; its value is a tensor. `attributes` are constants or references to decisions and
    dims. In a supernet `gates` are what its operands are multiplied by, by their labels, and at the empty label what
    its result is; `clears` is `x` where its weights read x under x's mask, `out` where they make its output masked.

    `written` holds the names the program gave attributes where it gave them names, `conv(kernel, mid)`, or the
    `x.channels` of a block's input; `flow` is the statement of the space that the node is of, `return` for the last.
    """

    name: str
    op: str
    operands: tuple[tuple[str, str], ...] = ()
    attributes: tuple[tuple[str, Value], ...] = ()
    type: Type | None = None
    span: Span | None = field(default=None, compare=False)
    written: tuple[tuple[str, str], ...] = ()
    flow: str = ""
    gates: tuple[tuple[str, Gate], ...] = ()
    clears: str = ""

    @cached_property
    def _attribute_map(self) -> Mapping[str, Value]:
        return dict(self.attributes)

    def __getitem__(self, attribute: str) -> Value:
        return self._attribute_map[attribute]

    def has(self, attribute: str) -> bool:
        return attribute in self._attribute_map

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.operands)

    @property
    def shape(self) -> Type:
        """The type; an assertion where `infer-shapes` has not run."""
        assert self.type is not None, f"%{self.name} has no type yet"
        return self.type


SPACE = "space"
"""The kind of the region that is the whole program."""


@dataclass(frozen=True)
class Region:
    """A part of the program that became nodes: `block` names what was called, `values` its parameters and names.

    `kind` is `stages`, `layer`, `alternative` or `block`. Nodes whose names begin with `path` belong to it. The program
    itself is the region `space` at the empty path.
    """

    path: str
    kind: str
    block: str
    values: tuple[tuple[str, Value], ...] = ()

    def get(self, name: str) -> Value | None:
        return dict(self.values).get(name)


@dataclass(frozen=True)
class Graph:
    """A network, or a space of networks where it has decisions."""

    name: str
    decisions: tuple[Decision, ...] = ()
    dims: tuple[Dim, ...] = ()
    regions: tuple[Region, ...] = ()
    nodes: tuple[Node, ...] = ()
    output: str = ""
    docs: tuple[tuple[str, str], ...] = ()
    """What the program's own comments (`##`) say of its blocks, and of itself, by name."""

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def input(self) -> Node:
        """The network's one input."""
        return next(node for node in self.nodes if not node.operands)

    @cached_property
    def users(self) -> Mapping[str, tuple[Node, ...]]:
        """Each node's users, in order; the output has no user for being the output."""
        found: dict[str, list[Node]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for operand in dict.fromkeys(node.inputs):
                found[operand].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def decision_map(self) -> Mapping[str, Decision]:
        return {d.name: d for d in self.decisions}

    @cached_property
    def dim_map(self) -> dict[str, Dim]:
        return {d.name: d for d in self.dims}

    @cached_property
    def region_map(self) -> Mapping[str, Region]:
        return {r.path: r for r in self.regions}

    def networkx(self) -> "nx.MultiDiGraph[str]":
        """A view for graph algorithms: an edge from each operand to its user, labelled with the operand's name."""
        import networkx as nx  # 0.13 s to import

        view: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        view.add_nodes_from(node.name for node in self.nodes)
        for node in self.nodes:
            for label, name in node.operands:
                view.add_edge(name, node.name, key=label)
        return view


Choices = Mapping[str, Scalar]
"""One option for each decision, by the decision's name."""


def layout_of(segments: Iterable[Value]) -> tuple[Value, ...]:
    """A channel layout in its one form: decided neighbours are one segment, for no mask tells them apart."""
    layout: list[Value] = []
    for segment in segments:
        if layout and isinstance(segment, int) and isinstance(layout[-1], int):
            layout[-1] += segment
        else:
            layout.append(segment)
    return tuple(layout)


def values_of(node: Node) -> Iterator[Value]:
    """Every value the node mentions: attributes, gates, then its type."""
    yield from (value for _, value in node.attributes)
    yield from (ref for _, gate in node.gates for ref in refs(gate))
    if node.type is not None:
        yield from node.type.values()


def is_decided(value: Value) -> bool:
    return not isinstance(value, Ref)
