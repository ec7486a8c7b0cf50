"""How likely each kernel is under even choices: what is measured first where there is no time for all."""

import math
from collections.abc import Mapping, Sequence

from nasir.cost.kernels import Fusions, kernels
from nasir.cost.model import CostModel
from nasir.cost.tabled import instances
from nasir.ir.circuit import Circuit, Monomial, Polynomial


def kernel_masses(model: CostModel, fusions: Fusions) -> Mapping[str, float]:
    """Every kernel that a network of the space can have, as text, with how often a network has it on average where each
    option is as likely as the others; in the order in which networks run them."""
    products: dict[str, list[Monomial]] = {}
    for kernel in kernels(model.graph, model.distributions, fusions):
        for product, _, text in instances(model, kernel):
            products.setdefault(text, []).append(product)
    values = _even(model)
    return {text: sum(_product(one, values) for one in found) for text, found in products.items()}


def _even(model: CostModel) -> Sequence[float]:
    """The values of all slots where gates are even."""
    decisions = model.distributions.decisions.values()
    values = [1 / len(decision.options) for decision in decisions for _ in decision.options]
    return _evaluated(model.distributions.circuit, values)


def _evaluated(circuit: Circuit, gates: list[float]) -> Sequence[float]:
    values = list(gates)
    for definition in circuit.definitions:
        values.append(_value(definition, values))
    return values


def _value(polynomial: Polynomial, values: Sequence[float]) -> float:
    return sum(coefficient * _product(product, values) for product, coefficient in polynomial.terms.items())


def _product(product: Monomial, values: Sequence[float]) -> float:
    return math.prod(values[slot] for slot in product)
