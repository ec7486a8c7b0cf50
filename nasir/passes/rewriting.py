"""Dims rebuilt in a new table: constants fold, equal definitions fall together, dims that nothing reads go."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from nasir.ir.dims import SELECT, SHAPE_FUNCTIONS, Decision, Dim, DimTable
from nasir.ir.graph import Graph, Node, Region, Type
from nasir.ir.values import Ref, Scalar, Value


def needed_names(graph: Graph, names: Iterable[str]) -> set[str]:
    """The names, and those of the decisions and dims that theirs are computed from."""
    needed = set(names)
    for dim in reversed(graph.dims):  # users before what they use
        if dim.name in needed:
            needed.update(a.name for a in dim.args if isinstance(a, Ref))
    return needed


class DimRewriter:
    """Maps values of an old graph to values over a new table, under constants for some decisions and dims."""

    def __init__(
        self,
        graph: Graph,
        constants: Mapping[str, Scalar],
        shape: Callable[[Dim], Value] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """`names` are new ones for some dims."""
        kept = [d for d in graph.decisions if d.name not in constants]
        self.table = DimTable(kept)
        self._old = graph.dim_map
        self._shape = shape
        self._names = names or {}
        self._new: dict[str, Value] = {**{d.name: Ref(d.name) for d in kept}, **constants}

    def value(self, value: Value) -> Value:
        """The value over the new table."""
        if not isinstance(value, Ref):
            return value
        if value.name not in self._new:
            self._new[value.name] = self._rebuild(self._old[value.name])
        return self._new[value.name]

    def _rebuild(self, dim: Dim) -> Value:
        if dim.function in SHAPE_FUNCTIONS:
            return self._shape(dim) if self._shape else self.table.define(dim)
        args, hint = [self.value(a) for a in dim.args], self._names.get(dim.name, dim.name)
        if dim.function == SELECT:
            return self.table.select(args[0], dict(zip(dim.keys, args[1:], strict=True)), hint=hint)
        return self.table.apply(dim.function, *args, hint=hint)

    def type(self, type: Type | None) -> Type | None:
        """The type over the new table."""
        return None if type is None else type.changed(self.value)

    def node(self, node: Node) -> Node:
        """The node over the new table; most often it is the old one."""
        attributes, type = tuple((name, self.value(value)) for name, value in node.attributes), self.type(node.type)
        if attributes == node.attributes and type == node.type:
            return node
        return replace(node, attributes=attributes, type=type)

    def region(self, region: Region) -> Region:
        """The region over the new table."""
        values = tuple((name, self.value(value)) for name, value in region.values)
        return region if values == region.values else replace(region, values=values)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return tuple(self.table.decisions.values())

    @property
    def dims(self) -> tuple[Dim, ...]:
        return tuple(self.table.dims.values())
