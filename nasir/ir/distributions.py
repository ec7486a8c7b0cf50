"""Distributions of dims: probability vectors pushed through the dim table, never an enumeration of all decisions.

Independent dims multiply. Dims that share a decision are expanded, youngest first, until they do not: the joint of a
width behind `skip` with the width before it is then a linear recurrence along the chain, with no case for it.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

from nasir.diagnostics import CompileError, Diagnostic, Span
from nasir.ir.circuit import ONE, Circuit, Monomial, Polynomial
from nasir.ir.diagrams import FALSE, TRUE, Diagram, Diagrams
from nasir.ir.dims import FUNCTIONS, SELECT, Decision, Dim
from nasir.ir.values import Ref, Scalar, Value

Assignment = tuple[Scalar, ...]
Table = Mapping[Assignment, Monomial]

LARGEST_TABLE = 100_000
MOST_ENTRIES = 1_000_000
"""Of all tables of a space together."""
MOST_VALUES = 10_000
"""That one size can have."""
Age = tuple[int, ...]


class TableTooLarge(CompileError):
    """The joint distribution of these dims has more entries than `LARGEST_TABLE`."""

    hint = "tie fewer decisions together, or give them fewer options"

    def __init__(self, names: tuple[str, ...], span: Span | None = None) -> None:
        self.names = names
        listed = ", ".join(f"${name}" for name in names[:6]) + (", ..." if len(names) > 6 else "")
        super().__init__(Diagnostic("E0406", self.message(listed), span, (self.hint,)))

    def message(self, listed: str) -> str:
        """What is wrong with the distribution of these names."""
        return f"the joint distribution of {listed} has more than {LARGEST_TABLE:,} entries"

    def at(self, span: Span | None) -> "TableTooLarge":
        """The same mistake at a place of the program."""
        return type(self)(self.names, span)


class TooManyEntries(TableTooLarge):
    """All tables of a space together have more than `MOST_ENTRIES` entries."""

    def message(self, listed: str) -> str:
        return f"with {listed} the joint distributions of the space have more than {MOST_ENTRIES:,} entries together"


class TooManyValues(TableTooLarge):
    """The dim can have more than `MOST_VALUES` values."""

    hint = "give the decisions that it is computed from fewer options"

    def message(self, listed: str) -> str:
        return f"{listed} can have more than {MOST_VALUES:,} values"


class Distributions:
    """The distributions of the dims of one table, as slots of a circuit whose gates are the decisions' options."""

    def __init__(self, decisions: Mapping[str, Decision], dims: dict[str, Dim]) -> None:
        self.decisions = decisions
        self.dims = dims
        self.first_gate: dict[str, int] = {}
        gates = 0
        for decision in decisions.values():
            self.first_gate[decision.name] = gates
            gates += len(decision.options)
        self.circuit = Circuit(gates)
        self._ages: dict[str, Age] = {}
        self._roots: dict[str, int] = {}
        """The decisions that each dim depends on, as the bits of a number."""
        self._conditions: dict[Diagram, str] = {}
        self._own: dict[str, Dim] = {}
        """Conditions as dims: they are not the graph's."""
        self._tables: dict[tuple[str, ...], Table] = {}
        self._entries = self._met = 0
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

    def each_probability(self, value: Value) -> tuple[int, ...]:
        """The slots of the probabilities of all that it can be, as `support` has it."""
        products = {found: product for (found,), product in self.joint((value,))}
        return tuple(self.circuit.total([products[found]]) for found in self.support(value))

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

    def moment(self, values: Sequence[Value], condition: Value) -> Monomial:
        """The mean of the product of the values where the condition is true, and of 0 where it is not, as a product of
        slots: one for each group of them that share no decision with the others."""
        if condition is False:
            return (self.circuit.add(Polynomial()),)
        groups = self._independent_groups(self._ordered({v.name for v in (*values, condition) if isinstance(v, Ref)}))
        slots: list[int] = []
        for group in groups:
            own = tuple(v for v in values if isinstance(v, Ref) and v.name in group)
            under = condition if isinstance(condition, Ref) and condition.name in group else True
            terms: dict[Monomial, float] = {}
            for (truth, *numbers), product in self.joint((under, *own)):
                if truth:
                    terms[product] = terms.get(product, 0.0) + math.prod(map(float, numbers))
            slots.append(self.circuit.add(Polynomial(terms)))
        return tuple(sorted(slots))

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

    @cached_property
    def diagrams(self) -> Diagrams:
        """Conditions on the decisions and dims; the oldest is asked first, as chains of layers share their ends."""
        return Diagrams(self._age, lambda name: self.support(Ref(name)))

    @cached_property
    def _reversed(self) -> Diagrams:
        return Diagrams(lambda name: tuple(-n for n in self._age(name)), lambda name: self.support(Ref(name)))

    def truth(self, condition: Diagram) -> int:
        """The slot of the probability that a condition is true."""
        return self.probability(self.condition(condition), lambda truth: truth is True)

    def condition(self, condition: Diagram) -> Value:
        """A condition as a value, true or false.

        Each question of the condition becomes a selection among what follows, a dim of its own. Where the questions
        share decisions the youngest is asked first: the selections then expand along the chain of what they ask, as
        dims do.
        """
        bits = 0
        for name in condition.asks():
            if bits & self._bits(name):
                condition = self._turned(condition)
                break
            bits |= self._bits(name)
        return self._condition(condition)

    def _turned(self, condition: Diagram) -> Diagram:
        """The same condition, the youngest asked first."""
        diagrams, found = self._reversed, {TRUE: TRUE, FALSE: FALSE}
        for diagram in condition.nodes():
            total = FALSE
            for value, case in zip(diagram.index, diagram.cases, strict=True):
                under = diagrams.both(diagrams.test(diagram.name, (value,)), found[case])
                total = diagrams.either(total, under)
            found[diagram] = total
        return found[condition]

    def _condition(self, condition: Diagram) -> Value:
        for diagram in condition.nodes():
            if diagram in self._conditions:
                continue
            name = f"?{len(self._own)}"
            cases = [case.value == 1 if not case.cases else Ref(self._conditions[case]) for case in diagram.cases]
            self._own[name] = Dim(name, SELECT, (Ref(diagram.name), *cases), tuple(diagram.index))
            bits, age = self._bits(diagram.name), self._age(diagram.name)[0]
            for case in cases:
                if isinstance(case, Ref):
                    bits, age = bits | self._roots[case.name], max(age, self._ages[case.name][0])
            self._roots[name], self._ages[name] = bits, (age, 1 + len(self._own))  # younger than all that it reads
            self._conditions[diagram] = name
        return condition.value == 1 if not condition.cases else Ref(self._conditions[condition])

    def _age(self, name: str) -> Age:
        if name not in self._ages:
            self._meet()
        return self._ages[name]

    def _meet(self) -> None:
        """Take note of the dims that the table has got since last time; operands stand before their users."""
        if not self._met:
            for i, decision in enumerate(self.decisions):
                self._ages[decision], self._roots[decision] = (i, 0), 1 << i
        new = list(islice(reversed(self.dims.values()), len(self.dims) - self._met))
        for dim in reversed(new):
            self._ages[dim.name] = (len(self.decisions) + self._met, 0)
            bits = 0
            for argument in dim.args:
                if isinstance(argument, Ref):
                    bits |= self._roots[argument.name]
            self._roots[dim.name] = bits
            self._met += 1

    def _ordered(self, names: set[str]) -> tuple[str, ...]:
        return tuple(sorted(names, key=self._age))

    def _bits(self, name: str) -> int:
        if name not in self._roots:
            self._meet()
        return self._roots[name]

    def decisions_of(self, name: str) -> frozenset[str]:
        """The decisions that a dim, or a decision itself, depends on."""
        bits = self._bits(name)
        return frozenset(decision for i, decision in enumerate(self.decisions) if bits >> i & 1)

    def _table(self, names: tuple[str, ...]) -> Table:
        """The joint distribution of these names, by a stack: chains of dims are longer than Python's own is deep."""
        waiting = [names]
        while waiting:
            wanted = waiting[-1]
            missing = () if wanted in self._tables else [n for n in self._needs(wanted) if n not in self._tables]
            if missing:
                waiting += missing
                continue
            if wanted not in self._tables:
                self._tables[wanted] = self._compute(wanted)
                self._entries += len(self._tables[wanted])
                if self._entries > MOST_ENTRIES:
                    raise TooManyEntries(wanted)
            waiting.pop()
        return self._tables[names]

    def _needs(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The tables that one table is made of."""
        groups = self._independent_groups(names)
        if len(groups) != 1:
            return groups
        youngest = names[-1]
        if youngest in self.decisions:
            return []
        dim, rest = self._dim(youngest), set(names[:-1])
        if self._compares_apart(dim, names):
            return [(argument.name,) for argument in dim.args if isinstance(argument, Ref)]
        if dim.function != SELECT:
            return [self._ordered(rest | {a.name for a in dim.args if isinstance(a, Ref)})]
        selector, *cases = dim.args
        assert isinstance(selector, Ref), "a decided selection is folded"
        needed = {rest_and(rest, selector, case): rest_and(rest, case) for case in cases}
        found: list[tuple[str, ...]] = []
        for one, others in sorted(needed.items(), key=lambda pair: sorted(pair[0])):
            every = self._ordered(set(one))
            apart = self._stands_apart(selector, others)
            found += [self._ordered(set(others)), *self._independent_groups(every)] if apart else [every]
        return found

    def _dim(self, name: str) -> Dim:
        return self._own[name] if name in self._own else self.dims[name]

    def _compute(self, names: tuple[str, ...]) -> Table:
        groups = self._independent_groups(names)
        if len(groups) != 1:
            return self._product(names, [self._tables[g] for g in groups], groups)
        youngest = names[-1]
        if youngest in self.decisions:
            first = self.first_gate[youngest]
            return {(option,): (first + i,) for i, option in enumerate(self.decisions[youngest].options)}
        dim = self._dim(youngest)
        return self._compared(dim) if self._compares_apart(dim, names) else self._expand(dim, names)

    def _independent_groups(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        if len(names) == 1:
            return [names]
        groups: list[tuple[int, set[str]]] = []
        for name in names:
            bits, members = self._bits(name), {name}
            apart: list[tuple[int, set[str]]] = []
            for other_bits, others in groups:
                if bits & other_bits:
                    bits, members = bits | other_bits, members | others
                else:
                    apart.append((other_bits, others))
            groups = [*apart, (bits, members)]
        return [self._ordered(members) for _, members in groups]

    def _compares_apart(self, dim: Dim, names: tuple[str, ...]) -> bool:
        """Whether it tells two independent values equal: as many products as values, not as pairs of them."""
        if dim.function not in {"eq", "ne"} or len(names) > 1:
            return False
        a, b = dim.args
        return isinstance(a, Ref) and isinstance(b, Ref) and not self._bits(a.name) & self._bits(b.name)

    def _compared(self, dim: Dim) -> Table:
        a, b = (self._tables[argument.name,] for argument in dim.args if isinstance(argument, Ref))
        equal = self.circuit.total(product + b[value] for value, product in a.items() if value in b)
        other = self.circuit.add(Polynomial({ONE: 1.0, (equal,): -1.0}))
        is_equal = dim.function == "eq"
        found: dict[Assignment, Monomial] = {}
        if a.keys() & b.keys():
            found[is_equal,] = (equal,)
        if not len(a) == len(b) == 1 or a.keys() != b.keys():
            found[not is_equal,] = (other,)
        return found

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
            for assignment, product in self._selected(dim, rest):
                products.setdefault(assignment, []).append(product)
        else:
            function, arity = FUNCTIONS[dim.function], len(dim.args)
            for assignment, product in self.joint((*dim.args, *rest)):
                value = function(*assignment[:arity])
                products.setdefault((*assignment[arity:], value), []).append(product)
        if len(products) > LARGEST_TABLE:
            raise TableTooLarge(names)
        if len(names) == 1 and len(products) > MOST_VALUES:
            raise TooManyValues(names)
        return {assignment: (self.circuit.total(terms),) for assignment, terms in products.items()}

    def _selected(self, dim: Dim, rest: tuple[Ref, ...]) -> Iterator[tuple[Assignment, Monomial]]:
        """Each possible assignment of what lies behind a selection, of the rest and the case in this order."""
        selector, *cases = dim.args
        assert isinstance(selector, Ref), "a decided selection is folded"
        names = {ref.name for ref in rest}
        chances = self._table((selector.name,))
        known: dict[object, Mapping[Scalar, Sequence[tuple[Assignment, Monomial]]]] = {}
        for wanted, case in zip(dim.keys, cases, strict=True):
            if self._stands_apart(selector, rest_and(names, case)):
                if (wanted,) in chances:
                    for assignment, product in self.joint((*rest, case)):
                        yield assignment, chances[wanted,] + product
                continue
            what = type(case), case
            if what not in known:
                known[what] = self._by_first((selector, *rest, case))
            yield from known[what].get(wanted, ())

    def _by_first(self, values: tuple[Value, ...]) -> Mapping[Scalar, Sequence[tuple[Assignment, Monomial]]]:
        """Each possible assignment of the values but the first, by what the first is there."""
        found: dict[Scalar, list[tuple[Assignment, Monomial]]] = {}
        for (first, *others), product in self.joint(values):
            found.setdefault(first, []).append((tuple(others), product))
        return found

    def _stands_apart(self, value: Ref, names: frozenset[str]) -> bool:
        """Whether it shares no decision with any of them."""
        return not any(self._bits(value.name) & self._bits(name) for name in names)


def rest_and(rest: set[str], *values: Value) -> frozenset[str]:
    """The names, and those of the values that have one."""
    return frozenset((*rest, *(value.name for value in values if isinstance(value, Ref))))
