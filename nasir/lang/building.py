"""The graph under construction, and the names its nodes get."""

from dataclasses import dataclass, field, replace

from nasir.diagnostics import Span
from nasir.ir.dims import DimTable
from nasir.ir.graph import Graph, Node, Region
from nasir.ir.path import ALTERNATIVE
from nasir.ir.values import Value
from nasir.lang import mistakes
from nasir.lang.things import Composed, Conditional, Function, Tensor, step_name

MOST_NODES = 50_000
MOST_REGIONS = 10_000


def join(path: str, name: str) -> str:
    """`name` in the scope `path`."""
    return f"{path}.{name}" if path else name


@dataclass
class Naming:
    """How the steps of one flow are named: after the name it is bound to, and their own where there are several.

    Names survive derivation: a step that a guard leaves out still takes its name, and a block and the choice that may
    become one have the same name. So the derived program's weights are named as the space's are.
    """

    path: str
    label: str | None = None
    single: bool = False
    counts: dict[str, int] = field(default_factory=dict[str, int])
    suffix: str = ""

    def name(self, function: Function) -> str:
        """The name of a step, the next one of its kind."""
        return self.next(step_name(function))

    def next(self, short: str) -> str:
        """The next name `short`, `short_2`, ..."""
        if self.label is not None and self.single:
            return join(self.path, self.label) + self.suffix
        self.counts[short] = self.counts.get(short, 0) + 1
        numbered = short if self.counts[short] == 1 else f"{short}_{self.counts[short]}"
        return join(self.path, f"{self.label}.{numbered}" if self.label else numbered) + self.suffix

    def skip(self, function: Function) -> None:
        """Take the names of a function that is left out."""
        match function:
            case Composed():
                for part in function.functions:
                    self.skip(part)
            case Conditional():
                self.skip(function.function)
            case _:
                self.name(function)

    def branch(self, option: str) -> "Naming":
        """The names that one alternative at this place has."""
        return replace(self, counts=dict(self.counts), suffix=f"{self.suffix}{ALTERNATIVE}{option}")

    def join(self, branches: list["Naming"]) -> None:
        """Go on after alternatives: past every name that one of them took."""
        for branch in branches:
            for short, count in branch.counts.items():
                self.counts[short] = max(self.counts.get(short, 0), count)


@dataclass(frozen=True)
class Fixed:
    """One name whatever is asked for: that of an op at one option of its attributes."""

    fixed: str

    def name(self, function: Function) -> str:
        return self.fixed


@dataclass
class Record:
    """What each set, each choice and each layer of the program became: enough to write the derived program.

    `sites` holds the value of a set by the scope and the place it was evaluated in, `sets` the names of the functions
    it is among; `layers` the function that a layer is; `choices` the alternatives of each use of a choice; `tables` a
    table's layers; `depths` the depth of a layer's row and its place in it; `uses` the path of a function written at
    a place in a scope, `applied` the function applied at a path. `choosing` are the statements that bind functions
    which are written out where they are used, `inlined` the parameters of a block, by its path, that are given such (of
    the space at the empty path), `given` those that are given anything.
    """

    sites: dict[tuple[str, Span], Value] = field(default_factory=dict[tuple[str, Span], Value])
    sets: dict[tuple[str, Span], tuple[str, ...]] = field(default_factory=dict[tuple[str, Span], tuple[str, ...]])
    layers: dict[str, Function] = field(default_factory=dict[str, Function])
    choices: dict[str, tuple[Value, dict[str, Function]]] = field(
        default_factory=dict[str, tuple[Value, dict[str, Function]]]
    )
    tables: dict[tuple[str, Span], list[str]] = field(default_factory=dict[tuple[str, Span], list[str]])
    depths: dict[str, tuple[Value, int]] = field(default_factory=dict[str, tuple[Value, int]])
    applied: dict[str, Function] = field(default_factory=dict[str, Function])
    uses: dict[tuple[str, Span], str] = field(default_factory=dict[tuple[str, Span], str])
    choosing: set[tuple[str, Span]] = field(default_factory=set[tuple[str, Span]])
    inlined: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    given: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


class Builder:
    """Collects decisions, dims, regions and nodes."""

    def __init__(self) -> None:
        self.dims = DimTable()
        self.record = Record()
        self.nodes: dict[str, Node] = {}
        self.regions: dict[str, Region] = {}
        self.flow = ""

    def node(
        self,
        name: str,
        op: str,
        operands: dict[str, Tensor],
        attributes: dict[str, Value],
        span: Span,
        written: tuple[tuple[str, str], ...] = (),
    ) -> Tensor:
        """A new node under a free name."""
        if len(self.nodes) >= MOST_NODES:
            raise mistakes.too_large(span, "the space has too many nodes", MOST_NODES)
        free = self._free(name, self.nodes)
        inputs = tuple((label, tensor.node) for label, tensor in operands.items())
        self.nodes[free] = Node(free, op, inputs, tuple(attributes.items()), None, span, written, self.flow)
        return Tensor(free)

    def region_path(self, path: str) -> str:
        """`path`, or the first of `path_2`, ... that no region has."""
        return self._free(path, self.regions)

    def region(self, span: Span, region: Region) -> None:
        """A part of the program at `span`."""
        if len(self.regions) >= MOST_REGIONS:
            raise mistakes.too_large(span, "the space has too many blocks", MOST_REGIONS)
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
