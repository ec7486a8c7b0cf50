"""The printed IR back to a graph: `parse_graph(print_graph(g)) == g`."""

import json
from dataclasses import dataclass
from typing import Any

from lark import Token, Transformer

from nasir.ir.dims import Decision, Dim
from nasir.ir.graph import Graph, Node, Region, Type
from nasir.ir.values import Ref, Scalar, Value
from nasir.lang.parser import lark_tree


def parse_graph(text: str) -> Graph:
    """The graph that `text` prints.

    Raises:
        lark.UnexpectedInput: where `text` is no printed graph; printed IR is the tests' and developers' own.
    """
    return _Builder().transform(lark_tree("ir.lark", text))


@dataclass(frozen=True)
class _Operand:
    name: str
    node: str


@dataclass(frozen=True)
class _Flow:
    name: str


@dataclass(frozen=True)
class _Attribute:
    name: str
    value: Value
    written: str | None


class _Builder(Transformer[Token, Graph]):
    """Lark's tree, bottom up; one method a rule."""

    def start(self, children: list[Any]) -> Graph:
        name, *parts, output = children

        def of(kind: type) -> tuple[Any, ...]:
            return tuple(p for p in parts if isinstance(p, kind))

        return Graph(str(name), of(Decision), of(Dim), of(Region), of(Node), output)

    def decision(self, children: list[Any]) -> Decision:
        name, *options = children
        return Decision(str(name), tuple(options))

    def dim(self, children: list[Any]) -> Dim:
        name, function, (args, keys, of) = children
        return Dim(str(name), str(function), args, keys, of)

    def of(self, children: list[Any]) -> tuple[tuple[Value, ...], tuple[Scalar, ...], str | None]:
        return (), (), children[0]

    def select(self, children: list[Any]) -> tuple[tuple[Value, ...], tuple[Scalar, ...], str | None]:
        selector, *cases = children
        return (selector, *(value for _, value in cases)), tuple(key for key, _ in cases), None

    def values(self, children: list[Any]) -> tuple[tuple[Value, ...], tuple[Scalar, ...], str | None]:
        return tuple(children), (), None

    def case(self, children: list[Any]) -> tuple[Scalar, Value]:
        return children[0], children[1]

    def region(self, children: list[Any]) -> Region:
        path, kind, block, *values = children
        return Region(str(path), str(kind), str(block), tuple(v for v in values if v is not None))

    def named(self, children: list[Any]) -> tuple[str, Value]:
        return str(children[0]), children[1]

    def node(self, children: list[Any]) -> Node:
        name, op, *parts = children
        operands = tuple((p.name, p.node) for p in parts if isinstance(p, _Operand))
        attributes = [p for p in parts if isinstance(p, _Attribute)]
        type = next((p for p in parts if isinstance(p, Type)), None)
        pairs = tuple((a.name, a.value) for a in attributes)
        written = tuple((a.name, a.written) for a in attributes if a.written is not None)
        flow = next((p.name for p in parts if isinstance(p, _Flow)), "")
        return Node(name, str(op), operands, pairs, type, None, written, flow)

    def flow(self, children: list[Any]) -> "_Flow":
        return _Flow(str(children[0]))

    def attribute(self, children: list[Any]) -> "_Attribute":
        name, value, written = children
        return _Attribute(str(name), value, None if written is None else str(written))

    def operand(self, children: list[Any]) -> "_Operand":
        return _Operand(str(children[0]), children[1])

    def type(self, children: list[Any]) -> Type:
        return Type(*children)

    def scalar_type(self, children: list[Any]) -> Type:
        return Type(())

    def layout(self, children: list[Any]) -> tuple[Value, ...]:
        return tuple(children)

    def ref(self, children: list[Any]) -> Ref:
        return Ref(str(children[0]))

    def node_ref(self, children: list[Any]) -> str:
        return str(children[0])

    def number(self, children: list[Any]) -> int | float:
        written = str(children[0])
        return float(written) if set(written) & set(".einf") else int(written)

    def string(self, children: list[Any]) -> str:
        return json.loads(str(children[0]))

    def true(self, children: list[Any]) -> bool:
        return True

    def false(self, children: list[Any]) -> bool:
        return False
