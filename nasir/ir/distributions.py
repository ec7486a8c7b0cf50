"""Distributions of dims: probability vectors pushed through the dim table, never an enumeration of all decisions.

Independent dims multiply. Dims that share a decision are expanded, youngest first, until they do not: the joint of a
width behind `skip` with the width before it is then a linear recurrence along the chain, with no case for it.
"""

from collections.abc import Callable, Iterator, Mapping

from nasir.diagnostics import CompileError, Diagnostic, Span
from nasir.ir.circuit import ONE, Circuit, Monomial, Polynomial
from nasir.ir.dims import FUNCTIONS, SELECT, Decision, Dim
from nasir.ir.values import Ref, Scalar, Value

Assignment = tuple[Scalar, ...]
Table = Mapping[Assignment, Monomial]

LARGEST_TABLE = 250_000


class TableTooLarge(CompileError):
    """The joint distribution of these dims has more entries than `LARGEST_TABLE`."""

    def __init__(self, names: tuple[str, ...], span: Span | None = None) -> None:
        listed = ", ".join(f"${name}" for name in names[:6]) + (", ..." if len(names) > 6 else "")
        message = f"the joint distribution of {listed} has more than {LARGEST_TABLE:,} entries"
        hint = "tie fewer decisions together, or give them fewer options"
        super().__init__(Diagnostic("E0406", message, span, (hint,)))
        self.names = names


class Distributions:
    """The distributions of the dims of one table, as slots of a circuit whose gates are the decisions' options."""

    def __init__(self, decisions: Mapping[str, Decision], dims: Mapping[str, Dim]) -> None:
        self.decisions = decisions
        self.dims = dims
        self.first_gate: dict[str, int] = {}
        gates = 0
        for decision in decisions.values():
            self.first_gate[decision.name] = gates
            gates += len(decision.options)
        self.circuit = Circuit(gates)
        self._age = {name: i for i, name in enumerate((*decisions, *dims))}
        self._roots: dict[str, frozenset[str]] = {}
        self._tables: dict[tuple[str, ...], Table] = {}
        self._means: dict[str, int] = {}
        self._supports: dict[str, tuple[Scalar, ...]] = {}

    def support(self, value: Value) -> tuple[Scalar, ...]:
        """The values it can have: numbers ascending, a decision's options in their order."""
        if not isinstance(value, Ref):
            return (value,)
        if value.name not in self._supports:
            decision = self.decisions.get(value.name)
            found = decision.options if decision else [a for (a,) in self._table((value.name,))]
            is_text = any(isinstance(v, str) for v in found)
            self._supports[value.name] = tuple(found if is_text else sorted(found, key=float))
        return self._supports[value.name]

    def largest(self, value: Value) -> int:
        """The largest size it can have: the size of the supernet's tensor."""
        return int(self.support(value)[-1])

    def probability(self, value: Value, holds: Callable[[Scalar], bool]) -> int:
        """The slot of P(holds(value))."""
        return self.event((value,), lambda assignment: holds(assignment[0]))

    def event(self, values: tuple[Value, ...], holds: Callable[[Assignment], bool]) -> int:
        """The slot of the probability that `holds` is true of the values' joint assignment."""
        return self.circuit.total(product for assignment, product in self.joint(values) if holds(assignment))

    def mean(self, value: Value) -> Polynomial:
        """The mean, the effective size of Eq. 5 and 6, as a polynomial of one slot or a constant."""
        if not isinstance(value, Ref):
            return Polynomial({ONE: float(value)})
        if value.name not in self._means:
            moment = Polynomial()
            for (size,), product in self.joint((value,)):
                moment = moment + Polynomial({product: float(size)})
            self._means[value.name] = self.circuit.add(moment)
        return Polynomial({(self._means[value.name],): 1.0})

    def joint(self, values: tuple[Value, ...]) -> Iterator[tuple[Assignment, Monomial]]:
        """Each possible assignment of the values with the product of slots that is its probability."""
        names = self._ordered({v.name for v in values if isinstance(v, Ref)})
        # Constants stand behind the assignment, so that every value is a position in one tuple.
        constants = tuple(v for v in values if not isinstance(v, Ref))
        behind = iter(range(len(names), len(names) + len(constants)))
        places = [names.index(v.name) if isinstance(v, Ref) else next(behind) for v in values]
        for assignment, product in self._table(names).items():
            known = assignment + constants
            yield tuple([known[place] for place in places]), product

    def _ordered(self, names: set[str]) -> tuple[str, ...]:
        if names - self._age.keys():  # the table has grown
            for name in (*self.decisions, *self.dims):
                self._age.setdefault(name, len(self._age))
        return tuple(sorted(names, key=self._age.__getitem__))

    def decisions_of(self, name: str) -> frozenset[str]:
        """The decisions that a dim, or a decision itself, depends on."""
        if name in self.decisions:
            return frozenset((name,))
        if name not in self._roots:
            args = (a.name for a in self.dims[name].args if isinstance(a, Ref))
            self._roots[name] = frozenset[str]().union(*map(self.decisions_of, args))
        return self._roots[name]

    def _table(self, names: tuple[str, ...]) -> Table:
        if names not in self._tables:
            self._tables[names] = self._compute(names)
        return self._tables[names]

    def _compute(self, names: tuple[str, ...]) -> Table:
        groups = self._independent_groups(names)
        if len(groups) != 1:
            return self._product(names, [self._table(g) for g in groups], groups)
        youngest = names[-1]
        if youngest in self.decisions:
            first = self.first_gate[youngest]
            return {(option,): (first + i,) for i, option in enumerate(self.decisions[youngest].options)}
        return self._expand(self.dims[youngest], names)

    def _independent_groups(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        groups: list[tuple[frozenset[str], set[str]]] = []
        for name in names:
            roots, members = self.decisions_of(name), {name}
            apart: list[tuple[frozenset[str], set[str]]] = []
            for other_roots, others in groups:
                if roots & other_roots:
                    roots, members = roots | other_roots, members | others
                else:
                    apart.append((other_roots, others))
            groups = [*apart, (roots, members)]
        return [self._ordered(members) for _, members in groups]

    def _product(self, names: tuple[str, ...], tables: list[Table], groups: list[tuple[str, ...]]) -> Table:
        entries: dict[Assignment, Monomial] = {(): ONE}
        for table in tables:
            if len(entries) * len(table) > LARGEST_TABLE:
                raise TableTooLarge(names)
            entries = {a + b: p + q for a, p in entries.items() for b, q in table.items()}
        order = [name for group in groups for name in group]
        positions = [order.index(name) for name in names]
        return {tuple(assignment[i] for i in positions): product for assignment, product in entries.items()}

    def _expand(self, dim: Dim, names: tuple[str, ...]) -> Table:
        """Replace the youngest dim by its operands and push their joint distribution through its function."""
        rest = tuple(map(Ref, names[:-1]))
        products: dict[Assignment, list[Monomial]] = {}
        if dim.function == SELECT:
            selector, *cases = dim.args
            for wanted, case in zip(dim.keys, cases, strict=True):
                for (selected, value, *others), product in self.joint((selector, case, *rest)):
                    if selected == wanted:
                        products.setdefault((*others, value), []).append(product)
        else:
            function, arity = FUNCTIONS[dim.function], len(dim.args)
            for assignment, product in self.joint((*dim.args, *rest)):
                value = function(*assignment[:arity])
                products.setdefault((*assignment[arity:], value), []).append(product)
        if len(products) > LARGEST_TABLE:
            raise TableTooLarge(names)
        return {assignment: (self.circuit.total(terms),) for assignment, terms in products.items()}
