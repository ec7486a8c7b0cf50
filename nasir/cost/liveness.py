"""Which values are in memory while each kernel runs, in the order in which an emitted module runs."""

from collections.abc import Iterator
from dataclasses import dataclass

from nasir.cost.flows import Flows
from nasir.cost.kernels import Kernel, kernels, usual_fusions
from nasir.ir.activity import ALWAYS, NEVER, Activity
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Type
from nasir.ir.ops import OPS
from nasir.ir.path import Path

_AT_THE_END = 1 << 60


@dataclass(frozen=True)
class Live:
    """A value that is in memory while a kernel runs, under a condition."""

    type: Type
    condition: Activity


@dataclass(frozen=True)
class Moment:
    """A kernel while it runs, with all that is in memory then. Of kernels with one `place` no network has two: they are
    what a network's layer is in its alternatives."""

    place: str
    kernel: Kernel
    values: tuple[Live, ...]


def moments(graph: Graph, distributions: Distributions) -> list[Moment]:
    """Each kernel of the space with what is alive."""
    return _Liveness(graph, distributions).found()


class _Liveness:
    def __init__(self, graph: Graph, distributions: Distributions) -> None:
        self._graph = graph
        self._diagrams = distributions.diagrams
        self._flows = Flows(graph, distributions)
        self._places = {node.name: place for place, node in enumerate(graph.nodes)}
        found = kernels(graph, distributions, usual_fusions())
        self._kernels = sorted(found, key=lambda kernel: self._places[kernel.nodes[0]])
        self._reads: dict[str, list[tuple[int, Activity]]] = {}
        """The readers of each value as it is named, the last one first: their places and conditions."""
        for kernel in reversed(self._kernels):
            for name in kernel.reads:
                self._reads.setdefault(name, []).append((self._places[kernel.nodes[0]], kernel.condition))
        self._reads.setdefault(graph.output, []).insert(0, (_AT_THE_END, ALWAYS))

    def found(self) -> list[Moment]:
        """The moments, in order."""
        return [Moment(self._place(kernel), kernel, tuple(self._alive(kernel))) for kernel in self._kernels]

    def _place(self, kernel: Kernel) -> str:
        """The kernel's place with what names its alternatives left out."""
        return Path(kernel.nodes[0]).flat

    def _alive(self, kernel: Kernel) -> Iterator[Live]:
        place = self._places[kernel.nodes[0]]
        counted: list[tuple[str, Activity]] = []
        for name, readers in self._reads.items():
            if self._places[name] > place or all(at < place for at, _ in readers):
                continue
            condition = self._needed(name, place, kernel.condition)
            for other, under in counted:
                condition = self._but(condition, self._diagrams.both(under, self._shared(name, other)))
            if condition is not NEVER:
                counted.append((name, condition))
                yield Live(self._graph.by_name[name].shape, condition)
        written = self._but(kernel.condition, self._in_place(kernel))
        if written is not NEVER:
            made = self._graph.by_name[kernel.nodes[-1]].shape
            yield from (Live(type, written) for type in made.parts or (made,))

    def _needed(self, name: str, place: int, under: Activity) -> Activity:
        """Where a value is made before this place, and read there or later."""
        made, read = NEVER, NEVER
        for maker, condition in self._flows.makers[name].items():
            if self._places[maker] < place:
                made = self._diagrams.either(made, condition)
        for at, condition in self._reads[name]:
            if at >= place:
                read = self._diagrams.either(read, condition)
        return self._diagrams.both(under, self._diagrams.both(made, read))

    def _shared(self, a: str, b: str) -> Activity:
        """Where two values are one map in memory."""
        makers, others = self._flows.makers[a], self._flows.makers[b]
        found = NEVER
        for name in makers.keys() & others.keys():
            found = self._diagrams.either(found, self._diagrams.both(makers[name], others[name]))
        return found

    def _in_place(self, kernel: Kernel) -> Activity:
        """Where an op of single elements writes over what it alone reads."""
        op, found = OPS[kernel.ops[0]], NEVER
        if len(kernel.ops) > 1 or not (op.module or op.carries == "out"):
            return NEVER
        for maker, condition in self._flows.makers[kernel.reads[0]].items():
            if maker != self._graph.input.name:
                found = self._diagrams.either(found, self._diagrams.both(condition, self._flows.readers[maker].one))
        return found

    def _but(self, a: Activity, b: Activity) -> Activity:
        return self._diagrams.both(a, self._flows.opposite(b))
