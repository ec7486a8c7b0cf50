"""What a pass is, and how a list of passes runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from nasir.ir.facts import Fact, verify
from nasir.ir.graph import Graph


@dataclass(frozen=True)
class Pass:
    """A function from graph to graph. Its options are its fields; what it needs, gives and drops is data."""

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

    def note(self, graph: Graph) -> str:
        """A line about its result, for those who print it."""
        return ""


Observer = Callable[[str, Graph], None]


def run(
    graph: Graph, passes: Sequence[Pass], held: frozenset[Fact] = frozenset(), observer: Observer | None = None
) -> Graph:
    """Run the passes in order, verify every held fact after each, and show each result to `observer`.

    Raises:
        CompileError: from a pass.
        InvalidGraph: where a pass breaks a fact.
    """
    check_order(passes, held)
    facts = held | {Fact.WELL_FORMED}
    for step in passes:
        graph = step.run(graph)
        facts = (facts - step.drops) | step.gives
        verify(graph, facts)
        if observer is not None:
            observer(step.name, graph)
    return graph


def check_order(passes: Sequence[Pass], held: frozenset[Fact]) -> None:
    """An assertion that each pass finds the facts that it needs."""
    facts = held | {Fact.WELL_FORMED}
    for step in passes:
        missing = step.needs - facts
        assert not missing, f"{step.name} needs {', '.join(sorted(f.value for f in missing))}"
        facts = (facts - step.drops) | step.gives
