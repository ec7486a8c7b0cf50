"""Functions of decisions and dims as decision diagrams: ordered, reduced, each function once.

A diagram asks one decision or dim and goes on with the case of its value, down to a leaf (Bryant, "Graph-Based
Algorithms for Boolean Function Manipulation", 1986; with numbers as leaves, Bahar et al., 1993). Conditions along a
chain of layers, which written out as clauses grow with its square or worse, are as long as the chain, and share its
parts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nasir.diagnostics import CompileError, Diagnostic
from nasir.ir.values import Scalar

MOST_NODES = 500_000


class TooManyNodes(CompileError):
    """The diagrams of one graph have more than `MOST_NODES` nodes."""

    def __init__(self) -> None:
        message = f"the conditions under which parts are in a network ask more than {MOST_NODES:,} questions"
        hint = "nest fewer choices, or tie fewer of them together"
        super().__init__(Diagnostic("E0406", message, None, (hint,)))


@dataclass(frozen=True, eq=False)
class Diagram:
    """A leaf with a value; or a question, `name`, with a case for each value that `index` numbers. Equal functions of
    one `Diagrams` are one object."""

    value: int = 0
    name: str = ""
    cases: tuple["Diagram", ...] = ()
    index: Mapping[Scalar, int] = field(default_factory=dict[Scalar, int], repr=False)

    def at(self, known: Mapping[str, Scalar]) -> int:
        """The function's value, given those of all that it asks."""
        here = self
        while here.cases:
            here = here.cases[here.index[known[here.name]]]
        return here.value

    def nodes(self) -> list["Diagram"]:
        """Its questions, each once, what a question leads to before it."""
        found: list[Diagram] = []
        seen: set[Diagram] = set()
        waiting: list[tuple[Diagram, bool]] = [(self, False)]
        while waiting:
            diagram, done = waiting.pop()
            if done:
                found.append(diagram)
            elif diagram.cases and diagram not in seen:
                seen.add(diagram)
                waiting.append((diagram, True))
                waiting += [(case, False) for case in diagram.cases if case.cases]
        return found

    def asks(self) -> set[str]:
        """All that it asks."""
        return {diagram.name for diagram in self.nodes()}


FALSE, TRUE = Diagram(0), Diagram(1)

_OPERATIONS: Mapping[str, Callable[[int, int], int]] = {
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
}


class Diagrams:
    """The diagrams over one set of decisions and dims."""

    def __init__(self, order: Callable[[str], tuple[int, ...]], support: Callable[[str], Sequence[Scalar]]) -> None:
        """What is asked first comes first in `order`; `support` has the values of each."""
        self._order = order
        self._support = support
        self._indices: dict[str, Mapping[Scalar, int]] = {}
        self._nodes: dict[tuple[object, ...], Diagram] = {}
        self._leaves: dict[int, Diagram] = {0: FALSE, 1: TRUE}
        self._known: dict[tuple[str, Diagram, Diagram], Diagram] = {}

    def leaf(self, value: int) -> Diagram:
        """The constant."""
        if value not in self._leaves:
            self._leaves[value] = Diagram(value)
        return self._leaves[value]

    def ask(self, name: str, case: Callable[[Scalar], Diagram]) -> Diagram:
        """The function that is `case(value)` where `name` has this value. Cases ask what comes later."""
        if name not in self._indices:
            self._indices[name] = {value: i for i, value in enumerate(self._support(name))}
        return self._node(name, tuple(map(case, self._indices[name])))

    def test(self, name: str, values: Iterable[Scalar]) -> Diagram:
        """Whether `name` has one of these values."""
        wanted = set(values)
        return self.ask(name, lambda value: TRUE if value in wanted else FALSE)

    def _node(self, name: str, cases: tuple[Diagram, ...]) -> Diagram:
        if all(case is cases[0] for case in cases):
            return cases[0]
        key = (name, *map(id, cases))  # cases live as long as the diagrams that are made of them
        if key not in self._nodes:
            if len(self._nodes) >= MOST_NODES:
                raise TooManyNodes
            self._nodes[key] = Diagram(0, name, cases, self._indices[name])
        return self._nodes[key]

    def both(self, a: Diagram, b: Diagram) -> Diagram:
        """`a and b`."""
        return self._combine("and", a, b)

    def either(self, a: Diagram, b: Diagram) -> Diagram:
        """`a or b`."""
        return self._combine("or", a, b)

    def product(self, a: Diagram, b: Diagram) -> Diagram:
        """a * b."""
        return self._combine("mul", a, b)

    def weighted(self, condition: Diagram, true: int, false: int) -> Diagram:
        """The number `true` where the condition holds, `false` elsewhere."""
        known = {TRUE: self.leaf(true), FALSE: self.leaf(false)}
        for diagram in condition.nodes():
            known[diagram] = self._node(diagram.name, tuple(known[case] for case in diagram.cases))
        return known[condition]

    def sum_over(self, diagram: Diagram) -> Diagram:
        """The sum of the cases of what the diagram asks first."""
        total = diagram.cases[0]
        for case in diagram.cases[1:]:
            total = self._combine("add", total, case)
        return total

    def _combine(self, operation: str, a: Diagram, b: Diagram) -> Diagram:
        """The operation at each leaf: by a stack, for chains are longer than Python's own is deep."""
        waiting = [(a, b)]
        while waiting:
            pair = waiting[-1]
            if self._combined(operation, *pair) is not None:
                waiting.pop()
                continue
            parts = self._parts(*pair)
            missing = [part for part in parts if self._combined(operation, *part) is None]
            if missing:
                waiting += missing
                continue
            cases = [self._combined(operation, *part) for part in parts]
            name = min((d.name for d in pair if d.cases), key=self._order)
            self._known[operation, *pair] = self._node(name, tuple(case for case in cases if case is not None))
            waiting.pop()
        found = self._combined(operation, a, b)
        assert found is not None, "it was just computed"
        return found

    def _combined(self, operation: str, a: Diagram, b: Diagram) -> Diagram | None:
        """The result where it is known or plain to see."""
        if not a.cases and not b.cases:
            return self.leaf(_OPERATIONS[operation](a.value, b.value))
        for one, other in ((a, b), (b, a)):
            if (operation == "or" and one is FALSE) or (operation in {"and", "mul"} and one is TRUE):
                return other
            if (operation == "or" and one is TRUE) or (operation in {"and", "mul"} and one is FALSE):
                return one
        if a is b and operation in {"and", "or"}:
            return a
        return self._known.get((operation, a, b)) or self._known.get((operation, b, a))

    def _parts(self, a: Diagram, b: Diagram) -> list[tuple[Diagram, Diagram]]:
        """The pairs that the cases of the first question leave."""
        if not b.cases or (a.cases and self._order(a.name) < self._order(b.name)):
            return [(case, b) for case in a.cases]
        if not a.cases or self._order(b.name) < self._order(a.name):
            return [(a, case) for case in b.cases]
        return list(zip(a.cases, b.cases, strict=True))
