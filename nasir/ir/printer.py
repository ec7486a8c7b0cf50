"""The graph as text. `ir/reader.py` reads it back: `read_graph(print_graph(g)) == g`.

Regions indent, and a name that begins with `.` or `:` is one of the innermost region that is open around it. `flow`
says which statement of the space the nodes after it are of.
"""

from collections.abc import Iterator

from nasir.ir.dims import Decision, Dim
from nasir.ir.gates import gate_text
from nasir.ir.graph import Graph, Node, Region, Type
from nasir.ir.ops import OPS
from nasir.ir.path import Path
from nasir.ir.values import Ref, Value, text

WIDTH = 120
_INDENT = 2


def print_graph(graph: Graph) -> str:
    """Decisions, dims, then regions with their nodes, in order, in lines of at most `WIDTH` columns (but for longer
    names). Parameters of ops that have their defaults are left out."""
    return "\n".join([*_Printer(graph).lines(), "}"]) + "\n"


class _Printer:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._regions = graph.region_map
        self._open: list[Path] = []
        self._lines: list[str] = []
        self._headers: set[str] = set()
        self._headed = True
        """Whether regions are only referred to: their headers stand with the nodes."""

    def lines(self) -> list[str]:
        root = self._regions.get("")
        values = "" if root is None else f"({self._named(root)})"
        self._lines += wrapped(f"graph {self._graph.name}{values} {{", 0)
        for name, doc in self._graph.docs:
            self._put(f"doc {name} {text(doc)}")
        for decision in self._graph.decisions:
            self._enter(decision.name)
            self._put(self._decision(decision))
        self._close(0)
        for dim in self._graph.dims:
            self._enter(dim.name)
            self._put(self._dim(dim))
        self._close(0)
        self._nodes()
        self._close(0)
        self._put(f"return {self._node_name(self._graph.output)}")
        return self._lines

    def _nodes(self) -> None:
        self._headed = False
        flow = ""
        for thing in self._in_order():
            self._enter(thing.path if isinstance(thing, Region) else thing.name)
            if isinstance(thing, Region):
                self._headers.add(thing.path)
                self._put(self._region(thing, ""))
                continue
            if thing.flow != flow:
                self._put(f"flow {thing.flow}".rstrip())
                flow = thing.flow
            self._put(self._node(thing))

    def _in_order(self) -> Iterator[Region | Node]:
        """The nodes, and the regions without any, each before the regions that come after it."""
        graph = self._graph
        with_nodes = {scope for node in graph.nodes for scope in Path(node.name).scopes}
        place = {region.path: i for i, region in enumerate(graph.regions)}
        empty = [region for region in graph.regions if region.path and region.path not in with_nodes]
        for node in graph.nodes:
            last = max((place[path] for path in self._around(node.name)), default=-1)
            while empty and place[empty[0].path] < last:
                yield empty.pop(0)
            yield node
        yield from empty

    # Scopes

    def _around(self, name: str) -> list[Path]:
        """The regions around a name, the outermost first."""
        return [path for path in Path(name).scopes if path in self._regions][::-1]

    def _enter(self, name: str) -> None:
        """Close and open regions until the innermost open one is the innermost around the name."""
        wanted = self._around(name)
        shared = 0
        while shared < min(len(wanted), len(self._open)) and wanted[shared] == self._open[shared]:
            shared += 1
        self._close(shared)
        for path in wanted[shared:]:
            self._begin(path)

    def _begin(self, path: Path) -> None:
        if self._headed or path in self._headers:
            self._put(f"in {self._local(path)} {{")
        else:
            self._headers.add(path)
            self._put(self._region(self._regions[path], "{"))
        self._open.append(path)

    def _close(self, count: int) -> None:
        while len(self._open) > count:
            self._open.pop()
            self._put("}")

    def _put(self, line: str) -> None:
        self._lines += wrapped(line, _INDENT * (1 + len(self._open)))

    # Entries

    def _local(self, name: str, scope: str | None = None) -> str:
        around = (self._open[-1] if self._open else "") if scope is None else scope
        return Path(name).within(around)

    def _value(self, value: Value, scope: str | None = None) -> str:
        return f"${self._local(value.name, scope)}" if isinstance(value, Ref) else text(value)

    def _node_name(self, name: str) -> str:
        return f"%{self._local(name)}"

    def _decision(self, decision: Decision) -> str:
        return f"decision {self._local(decision.name)} = {{{', '.join(map(text, decision.options))}}}"

    def _dim(self, dim: Dim) -> str:
        if dim.of is not None:
            arguments = self._node_name(dim.of)
        elif dim.keys:
            cases = zip(dim.keys, dim.args[1:], strict=True)
            shown = (f"{text(key)} -> {self._value(value)}" for key, value in cases)
            arguments = ", ".join([self._value(dim.args[0]), *shown])
        else:
            arguments = ", ".join(map(self._value, dim.args))
        return f"dim {self._local(dim.name)} = {dim.function}({arguments})"

    def _region(self, region: Region, brace: str) -> str:
        kind = f"{region.kind} {region.block}({self._named(region)})"
        return f"region {self._local(region.path)} = {kind} {brace}".rstrip()

    def _named(self, region: Region) -> str:
        return ", ".join(f"{name}={self._value(value, region.path)}" for name, value in region.values)

    def _node(self, node: Node) -> str:
        gates = {label: f" * ({self._gate(label, node)})" for label, _ in node.gates}
        operands = ", ".join(f"{label}={self._node_name(name)}{gates.get(label, '')}" for label, name in node.operands)
        parts = [f"{self._node_name(node.name)} = {node.op}({operands}){gates.get('', '')}"]
        if attributes := list(self._attributes(node)):
            parts.append(f"{{{', '.join(attributes)}}}")
        if node.clears:
            parts.append(f"clears {node.clears}")
        if node.type is not None:
            parts.append(f": {self._type(node.type)}")
        return " ".join(parts)

    def _gate(self, label: str, node: Node) -> str:
        local = tuple(
            tuple((Ref(self._local(ref.name)), option) for ref, option in product)
            for product in dict(node.gates)[label]
        )
        return gate_text(local)

    def _attributes(self, node: Node) -> Iterator[str]:
        names = dict(node.written)
        defaults = {p.name: text(p.default) for p in OPS[node.op].parameters if p.default is not None}
        for name, value in node.attributes:
            if name not in names and defaults.get(name) == text(value):
                continue
            written = f" as {names[name]}" if name in names else ""
            yield f"{name}={self._value(value)}{written}"

    def _type(self, type: Type) -> str:
        if type.parts:
            return f"({', '.join(map(self._type, type.parts))})"
        channels = " + ".join(map(self._value, type.channels))
        return f"[{', '.join([channels, *map(self._value, type.sizes)])}]"


def wrapped(line: str, indent: int) -> list[str]:
    """The line behind so many blanks; where it is too long, broken after commas, or else at blanks."""
    space, room = " " * indent, WIDTH - indent
    if len(line) <= room:
        return [space + line]
    lines, current = list[str](), space
    for piece in _pieces(line, room - 2 * _INDENT):
        if len(current) + len(piece.rstrip()) > WIDTH and current.strip():
            lines.append(current.rstrip())
            current = space + " " * 2 * _INDENT
        current += piece
    return [*lines, current.rstrip()]


def _pieces(line: str, room: int) -> Iterator[str]:
    """A line cut after commas, and what is then too long still at blanks; never in a string."""
    for piece in _cut(line, ", "):
        yield from [piece] if len(piece.rstrip()) <= room else _cut(piece, " ")


def _cut(line: str, end: str) -> Iterator[str]:
    quoted, start = False, 0
    for i, letter in enumerate(line):
        if letter == '"' and line[i - 1] != "\\":
            quoted = not quoted
        elif not quoted and line.startswith(end, i):
            yield line[start : i + len(end)]
            start = i + len(end)
    yield line[start:]
