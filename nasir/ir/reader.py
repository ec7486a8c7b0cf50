"""The printed IR back to a graph, by hand: `read_graph(print_graph(g)) == g`. Blanks and line ends mean nothing."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from nasir.ir.dims import Decision, Dim
from nasir.ir.gates import Event, Gate
from nasir.ir.graph import SPACE, Graph, Node, Region, Type
from nasir.ir.ops import OPS
from nasir.ir.path import Path
from nasir.ir.values import Pair, Ref, Scalar, Value

T = TypeVar("T")

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<string>"(?:[^"\\]|\\.)*")
    |(?P<number>-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|inf)(?![\w.:]))
    |(?P<name>[%$]?[.:]?\w[\w.:?]*)
    |(?P<mark>->|[{}()\[\],=*+@:])""",
    re.VERBOSE,
)


class MalformedGraph(ValueError):
    """Text that is no printed graph; printed IR is the tests' and developers' own."""


def read_graph(text: str) -> Graph:
    """The graph that `text` prints.

    Raises:
        MalformedGraph: with the line, where it prints none.
    """
    return _Reader(text).graph()


@dataclass
class _Found:
    """What has been read so far."""

    decisions: list[Decision] = field(default_factory=list[Decision])
    dims: list[Dim] = field(default_factory=list[Dim])
    regions: list[Region] = field(default_factory=list[Region])
    nodes: list[Node] = field(default_factory=list[Node])
    docs: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._scopes: list[str] = [""]
        self._flow = ""
        self._found = _Found()

    def graph(self) -> Graph:
        self._word("graph")
        name = self._next()
        if self._took("("):
            values = tuple(self._separated(")", self._named))
            self._found.regions.append(Region("", SPACE, name, values))
        self._mark("{")
        while self._peek() != "return":
            self._entry()
        self._word("return")
        output = self._node_name()
        self._mark("}")
        if self._at < len(self._tokens):
            raise self._wrong("the end")
        found = self._found
        regions = sorted(found.regions, key=lambda region: Path(region.path).order)
        return Graph(
            name,
            tuple(found.decisions),
            tuple(found.dims),
            tuple(regions),
            tuple(found.nodes),
            output,
            tuple(found.docs),
        )

    # Tokens

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at == len(self._tokens):
            raise self._wrong("more")
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _took(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self._at += 1
        return True

    def _mark(self, text: str) -> None:
        if not self._took(text):
            raise self._wrong(f"`{text}`")

    _word = _mark

    def _wrong(self, wanted: str) -> MalformedGraph:
        text, line = self._tokens[min(self._at, len(self._tokens) - 1)] if self._tokens else ("", 1)
        return MalformedGraph(f"line {line}: {wanted} is wanted before `{text}`")

    def _separated(self, end: str, one: Callable[[], T]) -> list[T]:
        """What stands between commas up to the mark `end`."""
        found: list[T] = []
        if self._took(end):
            return found
        while True:
            found.append(one())
            if self._took(end):
                return found
            self._mark(",")

    # Names and values

    def _whole(self, name: str) -> str:
        """A name with the scope that it is written in."""
        return self._scopes[-1] + name if name[:1] in {".", ":"} else name

    def _name(self) -> str:
        # A number may be a name: that of a mixture's operand, or of a layer.
        return self._whole(self._next())

    def _node_name(self) -> str:
        return self._sigil("%")

    def _ref(self) -> Ref:
        return Ref(self._sigil("$"))

    def _sigil(self, sigil: str) -> str:
        if not self._peek().startswith(sigil):
            raise self._wrong(f"a `{sigil}` name")
        return self._whole(self._next()[1:])

    def _value(self) -> Value:
        return self._ref() if self._peek().startswith("$") else self._scalar()

    def _scalar(self) -> Scalar:
        text = self._next()
        if text.startswith('"'):
            return json.loads(text)
        if text in {"true", "false"}:
            return text == "true"
        if Pair.FORM.fullmatch(text):
            return Pair(text)
        try:
            return float(text) if set(text) & set(".einf") else int(text)
        except ValueError:
            self._at -= 1
            raise self._wrong("a value") from None

    # Entries

    def _entry(self) -> None:
        match self._peek():
            case "doc":
                self._next()
                self._found.docs.append((self._next(), str(self._scalar())))
            case "decision":
                self._next()
                self._found.decisions.append(self._decision())
            case "dim":
                self._next()
                self._found.dims.append(self._dim())
            case "region":
                self._next()
                self._region()
            case "in":
                self._next()
                self._open(self._name())
            case "flow":
                self._next()
                self._flow = "" if self._peek()[:1] in "%}" else self._name()
            case "}":
                self._next()
                self._scopes.pop()
                if not self._scopes:
                    raise self._wrong("`return`")
            case _:
                self._found.nodes.append(self._node())

    def _open(self, path: str) -> None:
        self._mark("{")
        self._scopes.append(path)

    def _decision(self) -> Decision:
        name = self._name()
        self._mark("=")
        self._mark("{")
        return Decision(name, tuple(self._separated("}", self._scalar)))

    def _dim(self) -> Dim:
        name = self._name()
        self._mark("=")
        function = self._next()
        self._mark("(")
        if self._peek().startswith("%"):
            of = self._node_name()
            self._mark(")")
            return Dim(name, function, of=of)
        arguments = self._separated(")", self._case)
        keys = tuple(key for key, _ in arguments if key is not None)
        return Dim(name, function, tuple(value for _, value in arguments), keys)

    def _case(self) -> tuple[Scalar | None, Value]:
        value = self._value()
        if isinstance(value, Ref) or not self._took("->"):
            return None, value
        return value, self._value()

    def _region(self) -> None:
        path = self._name()
        self._mark("=")
        kind, block = self._next(), self._next()
        self._mark("(")
        self._scopes.append(path)
        values = tuple(self._separated(")", self._named))
        self._found.regions.append(Region(path, kind, block, values))
        self._scopes.pop()
        if self._peek() == "{":
            self._open(path)

    def _named(self) -> tuple[str, Value]:
        name = self._next()
        self._mark("=")
        return name, self._value()

    def _node(self) -> Node:
        name = self._node_name()
        self._mark("=")
        op = self._next()
        self._mark("(")
        gates: list[tuple[str, Gate]] = []
        operands = tuple(self._separated(")", lambda: self._operand(gates)))
        if self._took("*"):
            gates.append(("", self._gate()))
        attributes = _with_defaults(op, self._separated("}", self._attribute) if self._took("{") else [])
        clears = self._next() if self._took("clears") else ""
        type = self._type() if self._took(":") else None
        pairs = tuple((attribute, value) for attribute, value, _ in attributes)
        written = tuple((attribute, text) for attribute, _, text in attributes if text is not None)
        return Node(name, op, operands, pairs, type, None, written, self._flow, tuple(gates), clears)

    def _operand(self, gates: list[tuple[str, Gate]]) -> tuple[str, str]:
        label = self._next()
        self._mark("=")
        operand = self._node_name()
        if self._took("*"):
            gates.append((label, self._gate()))
        return label, operand

    def _gate(self) -> Gate:
        self._mark("(")
        products = [self._product()]
        while not self._took(")"):
            self._mark("+")
            products.append(self._product())
        return tuple(products)

    def _product(self) -> tuple[Event, ...]:
        if self._took("1"):
            return ()
        events = [self._event()]
        while self._took("*"):
            events.append(self._event())
        return tuple(events)

    def _event(self) -> Event:
        self._word("P")
        self._mark("(")
        ref = self._ref()
        self._mark("=")
        option = self._scalar()
        self._mark(")")
        return ref, option

    def _attribute(self) -> tuple[str, Value, str | None]:
        name, value = self._named()
        return name, value, self._next() if self._took("as") else None

    def _type(self) -> Type:
        if self._took("("):
            return Type(parts=tuple(self._separated(")", self._type)))
        self._mark("[")
        channels = [self._value()]
        while self._took("+"):
            channels.append(self._value())
        if self._took("]"):
            return Type(tuple(channels))
        self._mark(",")
        return Type(tuple(channels), tuple(self._separated("]", self._value)))


def _with_defaults(op: str, written: list[tuple[str, Value, str | None]]) -> list[tuple[str, Value, str | None]]:
    """The attributes with those parameters that were left out, in the op's order; then those that passes set."""
    found = {name: (name, value, text) for name, value, text in written}
    parameters = OPS[op].parameters if op in OPS else ()
    defaults = {p.name: (p.name, p.default, None) for p in parameters if p.default is not None}
    names = [p.name for p in parameters if p.name in found or p.name in defaults]
    return [*(found.get(name) or defaults[name] for name in names), *(a for a in written if a[0] not in names)]


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """The tokens with their lines."""
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise MalformedGraph(f"line {line}: `{text[at]}` means nothing")
        if match.lastgroup:
            yield match[0], line
        line += match[0].count("\n")
        at = match.end()
