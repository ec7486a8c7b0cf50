"""The graph under construction, and the names its nodes get."""

from dataclasses import dataclass, field, replace

from nasir.diagnostics import Span
from nasir.ir.dims import DimTable
from nasir.ir.graph import ALTERNATIVE, Graph, Node, Region
from nasir.ir.values import Value
from nasir.lang import mistakes
from nasir.lang.things import Function, Tensor

MOST_NODES = 50_000


def join(path: str, name: str) -> str:
    """`name` in the scope `path`."""
    return f"{path}.{name}" if path else name


@dataclass(frozen=True)
class Naming:
    """How the steps of one flow are named: after the name it is bound to, and their own where there are several."""

    path: str
    label: str | None = None
    single: bool = False
    suffix: str = ""

    def name(self, short: str) -> str:
        if self.label is None:
            return join(self.path, short) + self.suffix
        return join(self.path, self.label if self.single else f"{self.label}.{short}") + self.suffix

    def alternative(self, option: str) -> "Naming":
        """The same names, as those of one alternative at this place."""
        return replace(self, suffix=f"{self.suffix}{ALTERNATIVE}{option}")


@dataclass
class Record:
    """What each set, each choice and each layer of the program became: enough to write the derived program.

    `sites` holds the value of a set by the scope and the place it was evaluated in; `applied` the function that a
    layer is, and for each use of a choice its alternatives by name, under the path it was applied at; `uses` the path
    of a function written at a place in a scope.
    """

    sites: dict[tuple[str, Span], Value] = field(default_factory=dict[tuple[str, Span], Value])
    layers: dict[str, Function] = field(default_factory=dict[str, Function])
    choices: dict[str, tuple[Value, dict[str, Function]]] = field(
        default_factory=dict[str, tuple[Value, dict[str, Function]]]
    )
    tables: dict[tuple[str, Span], list[str]] = field(default_factory=dict[tuple[str, Span], list[str]])
    uses: dict[tuple[str, Span], str] = field(default_factory=dict[tuple[str, Span], str])


class Builder:
    """Collects decisions, dims, regions and nodes."""

    def __init__(self) -> None:
        self.dims = DimTable()
        self.record = Record()
        self.nodes: dict[str, Node] = {}
        self.regions: dict[str, Region] = {}

    def node(
        self,
        name: str,
        op: str,
        operands: dict[str, Tensor],
        attributes: dict[str, Value],
        span: Span,
    ) -> Tensor:
        """A new node under a free name."""
        if len(self.nodes) >= MOST_NODES:
            raise mistakes.too_large(span, "the space has too many nodes", MOST_NODES)
        free = self._free(name, self.nodes)
        inputs = tuple((label, tensor.node) for label, tensor in operands.items())
        self.nodes[free] = Node(free, op, inputs, tuple(attributes.items()), None, span)
        return Tensor(free)

    def region_path(self, path: str) -> str:
        """`path`, or the first of `path_2`, ... that no region has."""
        return self._free(path, self.regions)

    def region(self, region: Region) -> None:
        self.regions[region.path] = region

    def _free(self, name: str, taken: object) -> str:
        assert isinstance(taken, dict)
        free, count = name, 1
        while free in taken:
            count += 1
            free = f"{name}_{count}"
        return free

    def graph(self, name: str, output: Tensor) -> Graph:
        return Graph(
            name,
            tuple(self.dims.decisions.values()),
            tuple(self.dims.dims.values()),
            tuple(self.regions[path] for path in sorted(self.regions, key=path_order)),
            tuple(self.nodes.values()),
            output.node,
        )


def path_order(path: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts paths as one reads them: parents first, layer 10 after layer 9."""
    parts = path.replace(ALTERNATIVE, ".").split(".")
    return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts)
