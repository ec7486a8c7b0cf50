"""What a pass is, and how a list of passes runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from nasir.ir.facts import Fact, verify
from nasir.ir.graph import Graph


@dataclass(frozen=True)
class Pass:
    """A function from graph to graph. Its options are its fields; what it needs, gives and drops is data. Its docstring
    shows a graph before and after it (`tests/passes/test_passes.py` runs it)."""

    name: ClassVar[str]
    needs: ClassVar[frozenset[Fact]] = frozenset()
    gives: ClassVar[frozenset[Fact]] = frozenset()
    drops: ClassVar[frozenset[Fact]] = frozenset()

    def run(self, graph: Graph) -> Graph:
        """The changed graph.

        Raises:
            CompileError: where the program breaks a rule that this pass checks.
        """
        raise NotImplementedError

    def given(self, graph: Graph) -> frozenset[Fact]:
        """The facts that it makes true, of the graph that it made."""
        return self.gives

    def note(self, graph: Graph) -> str:
        """A line about its result, for those who print it."""
        return ""


Observer = Callable[[str, Graph], None]


class OutOfOrder(AssertionError):
    """A pass runs where the facts that it needs are not given: a fault of who lists the passes."""

    def __init__(self, step: Pass, missing: frozenset[Fact]) -> None:
        self.step, self.missing = step, missing
        super().__init__(f"{step.name} needs {', '.join(sorted(fact.value for fact in missing))}")


def run(
    graph: Graph, passes: Sequence[Pass], held: frozenset[Fact] = frozenset(), observer: Observer | None = None
) -> Graph:
    """Run the passes in order, verify every held fact after each, and show each result to `observer`.

    Raises:
        CompileError: from a pass.
        OutOfOrder: where a pass needs a fact that is not given.
        InvalidGraph: where a pass breaks a fact.
    """
    facts = held | {Fact.WELL_FORMED}
    for step in passes:
        if missing := step.needs - facts:
            raise OutOfOrder(step, missing)
        graph = step.run(graph)
        facts = (facts - step.drops) | step.given(graph)
        verify(graph, facts)
        if observer is not None:
            observer(step.name, graph)
    return graph
