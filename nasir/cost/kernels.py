"""The kernels of a space: what a runtime executes as one, in each of its networks.

A runtime folds a batch norm into the convolution before it and computes an activation while it writes the result: a
chain of ops, each the only reader of the one before it, is one kernel where the runtime's rules fuse it. Which kernels
a network has depends on its decisions: each comes with the condition under which it is there.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from nasir.cost.flows import Flows
from nasir.ir.activity import NEVER, Activity
from nasir.ir.distributions import Distributions
from nasir.ir.graph import Graph, Node, Type
from nasir.ir.ops import OPS
from nasir.ir.sizes import resolve
from nasir.ir.values import Ref, Scalar, Value, key

Sequence = tuple[str, ...]
"""Names of ops, one after another."""
Fusions = Collection[Sequence]
"""The sequences of ops that a runtime executes as one, and the beginnings of them."""


@dataclass(frozen=True)
class Step:
    """An op of a kernel: its attributes where they are not what the op has without them, and the types of what it reads
    from outside of the kernel."""

    op: str
    attributes: tuple[tuple[str, Value], ...]
    operands: tuple[tuple[str, Type], ...]


@dataclass(frozen=True)
class Kernel:
    """A chain of ops, and the condition under which it is in the network. `nodes` are those of the graph, `reads` the
    values that it reads from outside, by their names."""

    nodes: Sequence
    reads: Sequence
    steps: tuple[Step, ...]
    condition: Activity

    @property
    def ops(self) -> Sequence:
        return tuple(step.op for step in self.steps)

    @property
    def values(self) -> tuple[Value, ...]:
        """All that its time may depend on."""
        return tuple(
            value
            for step in self.steps
            for value in (*(v for _, v in step.attributes), *(v for _, type in step.operands for v in type.values()))
        )

    @property
    def refs(self) -> tuple[Ref, ...]:
        """The decisions and dims among its values, each once."""
        return tuple(dict.fromkeys(value for value in self.values if isinstance(value, Ref)))

    def text(self, known: Mapping[str, Scalar]) -> str:
        """The kernel at known sizes as one line: `16x56x56 -> conv(kernel=1, width=64) -> bn -> relu`."""
        head, *others = self.steps
        inputs = ", ".join(_shape(type, known) for _, type in head.operands)
        return " -> ".join((inputs, _call(head, (), known), *(_call(step, step.operands, known) for step in others)))


def _call(step: Step, operands: tuple[tuple[str, Type], ...], known: Mapping[str, Scalar]) -> str:
    arguments = [_shape(type, known) for _, type in operands]
    arguments += [f"{name}={key(resolve(value, known))}" for name, value in step.attributes]
    return f"{step.op}({', '.join(arguments)})" if arguments else step.op


def _shape(type: Type, known: Mapping[str, Scalar]) -> str:
    """Channels and sizes, `16x56x56`."""
    channels = sum(int(resolve(segment, known)) for segment in type.channels)
    return "x".join(str(size) for size in (channels, *(resolve(size, known) for size in type.sizes)))


def usual_fusions(*last: str) -> Fusions:
    """What every runtime for deployment executes as one: a convolution or a linear layer with the batch norm behind it
    and an activation, or with one of the ops `last`."""
    roots = [op.name for op in OPS.values() if op.multiplies]
    folded = [op.name for op in OPS.values() if op.carries == "out"]
    behind = [*folded, *(op.name for op in OPS.values() if op.module), *last]
    between = ((), *((name,) for name in folded))
    return frozenset((root, *norm, op) for root in roots for norm in between for op in behind if (op,) != norm)


def kernels(graph: Graph, distributions: Distributions, fusions: Fusions) -> list[Kernel]:
    """The kernels of all networks of a graph with shapes, in the order in which they run."""
    return _Chains(graph, distributions, frozenset(fusions)).found()


@dataclass
class _Chain:
    """Nodes that run as one up to here, under a condition: that of those networks in which none comes behind them."""

    nodes: tuple[Node, ...]
    condition: Activity


class _Chains:
    def __init__(self, graph: Graph, distributions: Distributions, fusions: frozenset[Sequence]) -> None:
        self._graph, self._fusions = graph, fusions
        self._flows = Flows(graph, distributions)
        self._diagrams = distributions.diagrams
        self._last = {sequence[-1] for sequence in fusions if len(sequence) > 1}
        self._ends: dict[str, list[_Chain]] = {}
        """The chains that end at each node so far."""
        self._places = {node.name: place for place, node in enumerate(graph.nodes)}

    def found(self) -> list[Kernel]:
        """The kernels, in the order of their last nodes."""
        for node in self._graph.nodes:
            self._ends[node.name] = []
            for acting, condition in self._flows.acting(node.name):
                if not OPS[acting.op].is_free:
                    self._place(acting, condition)
        chains = (chain for ends in self._ends.values() for chain in ends)
        return [self._kernel(chain) for chain in chains if chain.condition is not NEVER]

    def _place(self, node: Node, condition: Activity) -> None:
        """Put a node behind the chain that it fuses with, the latest one where there are several, or at the beginning
        of one of its own."""
        left = condition
        if self._last & {node.op}:
            for maker, under in self._before(node):
                for chain in self._ends[maker]:
                    if (*(one.op for one in chain.nodes), node.op) not in self._fusions:
                        continue
                    joined = self._both(self._both(chain.condition, under), left)
                    if joined is NEVER:
                        continue
                    self._ends[node.name].append(_Chain((*chain.nodes, node), joined))
                    chain.condition = self._but(chain.condition, joined)
                    left = self._but(left, joined)
        if left is not NEVER:
            self._ends[node.name].append(_Chain((node,), left))

    def _before(self, node: Node) -> Iterator[tuple[str, Activity]]:
        """The nodes whose results it alone may read, the latest first, each with the condition under which it does."""
        found: dict[str, Activity] = {}
        for operand in dict.fromkeys(node.inputs):
            for maker, condition in self._flows.makers[operand].items():
                if (one := self._both(condition, self._flows.readers[maker].one)) is not NEVER:
                    found[maker] = self._diagrams.either(found.get(maker, NEVER), one)
        yield from sorted(found.items(), key=lambda pair: -self._places[pair[0]])

    def _both(self, a: Activity, b: Activity) -> Activity:
        return self._diagrams.both(a, b)

    def _but(self, a: Activity, b: Activity) -> Activity:
        return self._diagrams.both(a, self._flows.opposite(b))

    def _kernel(self, chain: _Chain) -> Kernel:
        before, steps, reads = "", list[Step](), dict[str, None]()
        for node in chain.nodes:
            defaults = {parameter.name: parameter.default for parameter in OPS[node.op].parameters}
            attributes = tuple((n, v) for n, v in node.attributes if n not in defaults or v != defaults[n])
            outside = [
                (label, operand)
                for label, operand in node.operands
                if not before or before not in self._flows.makers[operand]
            ]
            types = tuple((label, self._graph.by_name[operand].shape) for label, operand in outside)
            steps.append(Step(node.op, attributes, types))
            reads |= dict.fromkeys(operand for _, operand in outside)
            before = node.name
        return Kernel(tuple(node.name for node in chain.nodes), tuple(reads), tuple(steps), chain.condition)
