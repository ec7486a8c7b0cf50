"""Probabilities, masks, effective sizes and costs as one circuit of sums of products over the gates.

Every quantity the supernet needs besides feature maps is a polynomial in the gate values: the probability that a dim
has a value, the survival function that is its mask (Eq. 3), its mean (Eq. 5 and 6), the cost (Eq. 10). A `Circuit`
collects them as slots; `supernets/` evaluates it level by level with a few tensor operations per level.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Monomial = tuple[int, ...]
ONE: Monomial = ()


@dataclass(frozen=True)
class Polynomial:
    """A sum of coefficients times products of slots; supports the arithmetic that cost formulas use."""

    terms: Mapping[Monomial, float] = field(default_factory=dict[Monomial, float])

    def __add__(self, other: "Polynomial | float") -> "Polynomial":
        terms = dict(self.terms)
        for product, coefficient in _polynomial(other).terms.items():
            terms[product] = terms.get(product, 0.0) + coefficient
        return Polynomial(terms)

    def __mul__(self, other: "Polynomial | float") -> "Polynomial":
        terms: dict[Monomial, float] = {}
        for left, a in self.terms.items():
            for right, b in _polynomial(other).terms.items():
                product = tuple(sorted(left + right))
                terms[product] = terms.get(product, 0.0) + a * b
        return Polynomial(terms)

    __radd__ = __add__
    __rmul__ = __mul__


def total(polynomials: Iterable[Polynomial]) -> Polynomial:
    """The sum of polynomials: `+` of each in turn would copy the sum as often."""
    terms: dict[Monomial, float] = {}
    for polynomial in polynomials:
        for product, coefficient in polynomial.terms.items():
            terms[product] = terms.get(product, 0.0) + coefficient
    return Polynomial(terms)


def _polynomial(value: Polynomial | float) -> Polynomial:
    return value if isinstance(value, Polynomial) else Polynomial({ONE: float(value)})


class Circuit:
    """Slots in order; slot `i < gates` is a gate, each later slot a polynomial over earlier ones."""

    def __init__(self, gates: int) -> None:
        self.gates = gates
        self.definitions: list[Polynomial] = []
        self.levels: list[int] = [0] * gates

    def add(self, polynomial: Polynomial) -> int:
        """A slot that holds `polynomial`; an existing one where the polynomial is just that slot."""
        if len(polynomial.terms) == 1:
            (product, coefficient), *_ = polynomial.terms.items()
            if coefficient == 1.0 and len(product) == 1:
                return product[0]
        level = max((self.levels[s] for product in polynomial.terms for s in product), default=0) + 1
        self.definitions.append(polynomial)
        self.levels.append(level)
        return len(self.levels) - 1

    def total(self, products: Iterable[Monomial]) -> int:
        """A slot that holds the sum of the given products."""
        terms: dict[Monomial, float] = {}
        for product in products:
            ordered = tuple(sorted(product))
            terms[ordered] = terms.get(ordered, 0.0) + 1.0
        return self.add(Polynomial(terms))
