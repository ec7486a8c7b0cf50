"""Multiply-adds under their true expectation."""

from typing import TYPE_CHECKING

from nasir.cost.costs.macs import Macs
from nasir.ir.circuit import Monomial, Polynomial, total
from nasir.ir.values import Ref, Value

if TYPE_CHECKING:
    from nasir.cost.model import CostModel


class ExactMacs(Macs):
    """`macs(exact)`: the expectation of the multiply-adds under the gates.

    Eq. 10 multiplies mean sizes, which is another number where one decision feeds several of them: both ends of a
    convolution, or a size and whether its layer is there. Here each product of sizes has its own mean, from their joint
    distribution. At one-hot gates the two agree.
    """

    name = "macs(exact)"
    quantity = "macs"
    unit = "multiply-adds (exact)"
    title = "Multiply-adds (exact expectation)"
    words = "macs; between the networks their true expectation, where `macs` multiplies mean sizes (Eq. 10)"
    is_standard = False

    def expected(self, model: "CostModel") -> Polynomial:
        parts: list[Polynomial] = []
        for one in model.sums(self).priced:
            names: list[str] = []

            def variable(value: Value, names: list[str] = names) -> Polynomial:
                """A size as an unknown: the price is then a polynomial in the sizes."""
                if not isinstance(value, Ref):
                    return Polynomial({(): float(value)})
                if value.name not in names:
                    names.append(value.name)
                return Polynomial({(names.index(value.name),): 1.0})

            price = self.price(one.op, one.it, variable)
            terms = price.terms if isinstance(price, Polynomial) else {(): float(price)}
            present = model.distributions.condition(one.activity)
            for product, coefficient in terms.items():
                moment: Monomial = model.distributions.moment([Ref(names[i]) for i in product], present)
                parts.append(Polynomial({moment: coefficient}))
        return total(parts)


offered = (ExactMacs,)
