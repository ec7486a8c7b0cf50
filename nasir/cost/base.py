"""What a cost is: all that the rest of nasir asks of one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nasir.ir.circuit import Polynomial
from nasir.ir.graph import Choices
from nasir.ir.ops import Op, Tensors
from nasir.ir.sizes import Number, Sizing, exact
from nasir.ir.values import Scalar

if TYPE_CHECKING:
    from nasir.cost.model import CostModel, Network, Walk
    from nasir.cost.steps import PricedNode


@dataclass(frozen=True)
class Counters:
    """What torch tells of a module that ran on one image: its flop counter's figure, and its parameters."""

    flops: int
    parameters: int


class Cost(ABC):
    """One cost of a network: a whole number, to be minimised or bounded.

    `name` is what programs call it; `quantity` what it is a count of, by which conventions are compared (`macs` and
    `published_macs` both count `macs`); `unit` and `title` are what figures and columns show, `words` says what it
    counts; `units` are those in which programs write limits, with what each stands for; `scale` of its whole numbers
    are one `unit`. `is_standard` ones are shown and recorded everywhere; others where they are asked for.
    """

    name: str
    quantity: str = ""
    unit: str
    title: str
    words: str
    convention: str = "ours"
    is_standard: bool = False
    units: Mapping[str, float] = {"": 1}
    scale: float = 1

    @abstractmethod
    def at(self, network: "Network") -> int:
        """Its value at one network, exactly."""

    @abstractmethod
    def expected(self, model: "CostModel") -> Polynomial | tuple[Polynomial, ...]:
        """Its value under the gates, over slots of `model.distributions.circuit`, exact at one-hot gates; of several
        polynomials the largest."""

    @property
    def label(self) -> str:
        """What an amount is of, in a table: its unit, of its convention."""
        return self.unit

    def amount(self, value: float) -> str:
        """A value as it is shown, in its `unit`, with three figures at least."""
        if self.scale == 1:
            return f"{round(value):,}"
        scaled = value / self.scale
        return f"{scaled:,.3f}" if abs(scaled) >= 1 or scaled == 0 else f"{scaled:.3g}"

    def written(self, value: float) -> str:
        """A value with its unit, where programs write one behind a limit."""
        return self.amount(value) + ("" if [*self.units] == [""] else f" {self.unit.partition(' ')[0]}")

    def shares(self, network: "Network") -> Mapping[str, int] | None:
        """What of its value is each node's, by the node's name; None of a cost that is no sum."""
        return None

    def told(self, counters: Counters) -> int | None:
        """Its value as torch's own counters have it; None where they cannot tell."""
        return None

    def walk(self, model: "CostModel", choices: Choices) -> "Walk":
        """Its value at a network whose decisions change one at a time. A cost that knows what a change leads to does
        better than to look at the whole network again."""
        from nasir.cost.walks import Anew

        return Anew(model, self, choices)

    def growing(self, model: "CostModel") -> frozenset[str]:
        """Decisions that it grows with, whatever the others are: known without a look at their options."""
        return frozenset()


class AdditiveCost(Cost):
    """A cost that is a sum over the ops of a network: `price` is all that it says of itself.

    Under the gates it is what Eq. 10 has: each op's price at mean sizes, times the probability that the op is there.
    """

    @abstractmethod
    def price(self, op: Op, it: Tensors, size: Sizing) -> Number:
        """What one op costs; `size` gives exact sizes, or effective ones as polynomials. It has no minus in it."""

    def prices(self, op: Op) -> bool:
        """Whether an op can cost something: those that cannot are not looked at."""
        return op.is_priced

    def at(self, network: "Network") -> int:
        cost = sum((self.price(op, it, network.size) for op, it in network.active(self)), 0)
        assert isinstance(cost, int), "sizes are exact, and so are costs"
        return cost

    def shares(self, network: "Network") -> Mapping[str, int]:
        found = {it.node.name: self.price(op, it, network.size) for op, it in network.active(self)}
        return {name: price for name, price in found.items() if isinstance(price, int)}

    def expected(self, model: "CostModel") -> Polynomial:
        return model.sums(self).expected((self,))[self.name]

    def walk(self, model: "CostModel", choices: Choices) -> "Walk":
        from nasir.cost.walks import Sum

        def rule(known: Mapping[str, Scalar]) -> "Callable[[PricedNode], Number]":
            size = exact(known)
            return lambda one: self.price(one.op, one.it, size)

        return Sum(model.sums(self), rule, choices)

    def growing(self, model: "CostModel") -> frozenset[str]:
        return model.sums(self).growing
