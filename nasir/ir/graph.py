"""The graph: one flat ordered tuple of nodes, operands by name; compared by value; networkx on demand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from nasir.diagnostics import Span
from nasir.ir.dims import Decision, Dim
from nasir.ir.values import Ref, Scalar, Value

if TYPE_CHECKING:
    import networkx as nx

ALTERNATIVE = ":"  # a scope below a choice: `trunk.3:ir_k3.expand` is in the alternative `ir_k3` of the layer `trunk.3`


@dataclass(frozen=True)
class Type:
    """A value's shape without its batch: channel segments and the map's size, or a flat vector (no size).

    `channels` is the ordered channel layout; a convolution makes one segment, `concat` as many as its operands have.
    A gate's is empty: it is a scalar.
    """

    channels: tuple[Value, ...]
    height: Value | None = None
    width: Value | None = None

    @property
    def is_map(self) -> bool:
        return self.height is not None

    def values(self) -> Iterator[Value]:
        yield from self.channels
        if self.height is not None and self.width is not None:
            yield self.height
            yield self.width


@dataclass(frozen=True)
class Node:
    """One op applied to earlier nodes. `attributes` are constants or references to decisions and dims.

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


@dataclass(frozen=True)
class Region:
    """A part of the program that became nodes: `block` names what was called, `values` its parameters and names.

    `kind` is `stages`, `layer`, `alternative` or `block`. Nodes whose names begin with `path` belong to it.
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

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

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
    """Every value the node mentions: attributes, then its type."""
    yield from (value for _, value in node.attributes)
    if node.type is not None:
        yield from node.type.values()


def is_decided(value: Value) -> bool:
    return not isinstance(value, Ref)
