"""The graph under construction, and the names its nodes get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nasir.diagnostics import Span
from nasir.ir.dims import Decision, DimTable
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Node, Region
from nasir.ir.path import ALTERNATIVE, Path, fresh
from nasir.ir.values import Ref, Scalar, Value, key
from nasir.lang import composition, mistakes
from nasir.lang.narrowing import Narrowing, check_met
from nasir.lang.requirements import Requirement, join_decisions

MOST_NODES = 50_000
MOST_REGIONS = 10_000


def join(path: str, name: str) -> str:
    """`name` in the scope `path`."""
    return f"{path}.{name}" if path else name


@dataclass(frozen=True)
class Tensor:
    """The output of the node `node`; of a table, with the nodes of its named rows. Several `results` have to be named
    apart before anything reads them."""

    node: str
    rows: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    results: int = 1


@dataclass(frozen=True)
class Naming:
    """How the steps of one flow are named: after the name it is bound to, and their own where there are several.

    Names survive derivation: a step that a guard leaves out still takes its name, and a block and the choice that may
    become one have the same name. So the derived program's weights are named as the space's are.

    `path` is the scope that the names are in, `scope` that which the steps are written in.
    """

    path: str
    scope: str
    label: str | None = None
    single: bool = False
    counts: dict[str, int] = field(default_factory=dict[str, int])
    suffix: str = ""

    def next(self, short: str) -> str:
        """The next name `short`, `short_2`, ..."""
        if self.label is not None and self.single:
            return join(self.path, self.label) + self.suffix
        self.counts[short] = self.counts.get(short, 0) + 1
        numbered = short if self.counts[short] == 1 else f"{short}_{self.counts[short]}"
        return join(self.path, f"{self.label}.{numbered}" if self.label else numbered) + self.suffix

    def within(self, scope: str) -> "Naming":
        """The same names, counted on, for steps that are written in another scope."""
        return replace(self, scope=scope)

    def branch(self, option: str) -> "Naming":
        """The names that one alternative at this place has."""
        return replace(self, counts=dict(self.counts), suffix=f"{self.suffix}{ALTERNATIVE}{option}")

    def join(self, branches: list["Naming"]) -> None:
        """Go on after alternatives: past every name that one of them took."""
        for branch in branches:
            for short, count in branch.counts.items():
                self.counts[short] = max(self.counts.get(short, 0), count)


class Builder:
    """Collects decisions, dims, regions and nodes."""

    def __init__(self) -> None:
        self.dims = DimTable()
        self.nodes: dict[str, Node] = {}
        self.regions: dict[str, Region] = {}
        self.flow = ""
        self.docs: dict[str, str] = {}
        self.requirements: list[Requirement] = []
        self.narrowings: Sequence[Narrowing] = ()

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
        if several := [tensor for tensor in operands.values() if tensor.results > 1]:
            raise composition.several_results(span, several[0].results)
        free = fresh(name, self.nodes)
        inputs = tuple((label, tensor.node) for label, tensor in operands.items())
        self.nodes[free] = Node(free, op, inputs, tuple(attributes.items()), None, span, written, self.flow)
        return Tensor(free)

    def mix(self, name: str, selector: Value, branches: Mapping[Scalar, Tensor], span: Span) -> Tensor:
        """A new node: the branch that `selector` picks."""
        operands = {key(option): tensor for option, tensor in branches.items()}
        return self.node(name, "mix", operands, {"selector": selector}, span)

    def decide(self, name: str, options: tuple[Scalar, ...], span: Span) -> Value:
        """A new decision; the option itself, where there is one only."""
        for narrowing in self.narrowings:
            options = narrowing.kept(options) if narrowing.matches(name) else options
        return self.dims.decide(Decision(name, options, span))

    def decision(self, value: Value) -> Decision | None:
        """The decision that `value` refers to."""
        return self.dims.decisions.get(value.name) if isinstance(value, Ref) else None

    def options(self, value: Value) -> tuple[Scalar, ...] | None:
        """What `value` can be, a constant or what follows from decisions; None where it follows from shapes."""
        if not isinstance(value, Ref):
            return (value,)
        if (decision := self.decision(value)) is not None:
            return decision.options
        waiting = [value.name]
        while waiting:
            dim = self.dims.dims.get(waiting.pop())
            if dim is not None and dim.of is not None:
                return None
            waiting += [a.name for a in dim.args if isinstance(a, Ref)] if dim is not None else []
        return Distributions(self.dims.decisions, self.dims.dims).support(value)

    def region_path(self, path: str) -> str:
        """`path`, or the first of `path_2`, ... that no region has."""
        return fresh(path, self.regions)

    def region(self, span: Span, region: Region) -> None:
        """A part of the program at `span`."""
        if len(self.regions) >= MOST_REGIONS:
            raise mistakes.too_large(span, "the space has too many blocks", MOST_REGIONS)
        self.regions[region.path] = region

    def graph(self, name: str, output: Tensor) -> Graph:
        """All that was built, as the program `name`.

        Raises:
            Mistake: where what it requires cannot be met, or nothing is there to be narrowed.
        """
        check_met(self.narrowings, list(self.dims.decisions))
        join_decisions(self.dims, self.requirements)
        return Graph(
            name,
            tuple(self.dims.decisions.values()),
            tuple(self.dims.dims.values()),
            tuple(self.regions[path] for path in sorted(self.regions, key=lambda path: Path(path).order)),
            tuple(self.nodes.values()),
            output.node,
            tuple(sorted(self.docs.items())),
        )
