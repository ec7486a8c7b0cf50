"""Distributions pushed through dims, against enumeration of all decisions."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasir.ir.circuit import Circuit
from nasir.ir.dims import Decision, DimTable, round_to, window
from nasir.ir.distributions import Distributions, TableTooLarge
from nasir.ir.graph import Graph
from nasir.ir.sizes import evaluate, resolve
from nasir.ir.values import Ref


def values_of(circuit: Circuit, gates: list[float]) -> list[float]:
    """Every slot of a circuit, the plain way."""
    slots = list(gates)
    for polynomial in circuit.definitions:
        total = 0.0
        for factors, coefficient in polynomial.terms.items():
            term = coefficient
            for slot in factors:
                term *= slots[slot]
            total += term
        slots.append(total)
    return slots


def enumerated(table: DimTable, refs: tuple[Ref, ...], gates: dict[str, list[float]]) -> dict[tuple, float]:
    """The joint distribution by going through every assignment."""
    graph = Graph("g", tuple(table.decisions.values()), tuple(table.dims.values()))
    found: dict[tuple, float] = {}
    for picks in product(*(range(len(d.options)) for d in graph.decisions)):
        probability = 1.0
        for decision, pick in zip(graph.decisions, picks, strict=True):
            probability *= gates[decision.name][pick]
        known = evaluate(graph, {d.name: d.options[i] for d, i in zip(graph.decisions, picks, strict=True)})
        key = tuple(resolve(ref, known) for ref in refs)
        found[key] = found.get(key, 0.0) + probability
    return found


@st.composite
def tables(draw):
    """A random table: a few decisions, then dims over whatever is there."""
    table = DimTable()
    refs = [
        table.decide(Decision(f"d{i}", tuple(draw(st.lists(st.integers(1, 6), min_size=2, max_size=3, unique=True)))))
        for i in range(draw(st.integers(2, 4)))
    ]
    for i in range(draw(st.integers(1, 5))):
        a, b, c = (draw(st.sampled_from(refs)) for _ in range(3))
        kind = draw(st.sampled_from(["add", "mul", "eq", "min", "select", "round_to"]))
        if kind == "select":
            decision = draw(st.sampled_from(list(table.decisions.values())))
            cases = [b, c, a][: len(decision.options)]
            made = table.select(Ref(decision.name), dict(zip(decision.options, cases, strict=True)), hint=f"n{i}")
        else:
            made = (
                table.apply(kind, 4, a, hint=f"n{i}") if kind == "round_to" else table.apply(kind, a, b, hint=f"n{i}")
            )
        if isinstance(made, Ref):
            refs.append(made)
    chosen = tuple(draw(st.lists(st.sampled_from(refs), min_size=1, max_size=3)))
    return table, chosen


@settings(max_examples=150, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_joint_distributions_equal_enumeration(case, random):
    table, refs = case
    gates = {}
    for decision in table.decisions.values():
        raw = [random.random() + 0.01 for _ in decision.options]
        gates[decision.name] = [r / sum(raw) for r in raw]
    distributions = Distributions(table.decisions, table.dims)
    joint = list(distributions.joint(refs))
    slots = values_of(distributions.circuit, [g for d in table.decisions for g in gates[d]])
    got: dict[tuple, float] = {}
    for assignment, factors in joint:
        probability = 1.0
        for slot in factors:
            probability *= slots[slot]
        got[assignment] = got.get(assignment, 0.0) + probability
    expected = enumerated(table, refs, gates)
    assert set(got) == set(expected)
    assert got == pytest.approx(expected)


def test_widths_behind_skips_do_not_grow():
    """A chain of skips is a linear recurrence: 40 layers, not (2 * 4)^40 combinations."""
    table = DimTable()
    width = 16
    for i in range(40):
        fresh = table.decide(Decision(f"w{i}", (8, 16, 24, 32)))
        block = table.decide(Decision(f"b{i}", ("ir", "skip")))
        width = table.select(block, {"ir": fresh, "skip": width}, hint=f"c{i}")
    distributions = Distributions(table.decisions, table.dims)
    assert distributions.support(width) == (8, 16, 24, 32)
    assert len(distributions.circuit.levels) < 40 * 12


def test_too_many_ties_are_refused():
    table = DimTable()
    total = 0
    for i in range(8):
        total = table.apply(
            "add",
            table.apply("mul", total, 100, hint="t"),
            table.decide(Decision(f"d{i}", tuple(range(1, 9)))),
            hint="t",
        )
    with pytest.raises(TableTooLarge):
        Distributions(table.decisions, table.dims).support(total)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(8 * 5.4566, 48), (24 * 4.7912, 112), (16 * 5.4566, 88), (3, 8), (12, 16), (4 * 1.0, 8), (44, 48)],
)
def test_rounding_is_the_released_networks(value, expected):
    assert round_to(8, value) == expected


def test_rounding_with_mobilenets_share():
    assert round_to(8, 43.65, 0.9) == 40
    assert round_to(8, 43.65, 0.95) == 48


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize(("size", "stride", "out"), [(9, 2, 5), (8, 2, 4), (8, 1, 8), (1, 2, 1), (10, 3, 4)])
def test_the_size_of_a_convolution_s_output_does_not_depend_on_its_kernel(size, stride, out, kernel):
    assert window(size, stride) == out == (size + 2 * (kernel // 2) - kernel) // stride + 1
