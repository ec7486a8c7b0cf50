"""What a cost is: all that the rest of nasir asks of one."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nasir.ir.circuit import Polynomial
from nasir.ir.graph import Choices
from nasir.ir.ops import Op, Tensors
from nasir.ir.sizes import Number, Sizing

if TYPE_CHECKING:
    from nasir.cost.model import CostModel, Network, Walk


@dataclass(frozen=True)
class Counters:
    """What torch tells of a module that ran on one image: its flop counter's figure, and its parameters."""

    flops: int
    parameters: int


class Cost(ABC):
    """One cost of a network: a whole number, to be minimised or bounded.

    `name` is what programs call it; `quantity` what it is a count of, by which conventions are compared (`macs` and
    `published_macs` both count `macs`); `unit` and `title` are what figures and columns show, `words` says what it
    counts. `is_standard` ones are shown and recorded everywhere; others where they are asked for.
    """

    name: str
    quantity: str = ""
    unit: str
    title: str
    words: str
    convention: str = "ours"
    is_standard: bool = False

    @abstractmethod
    def at(self, network: "Network") -> int:
        """Its value at one network, exactly."""

    @abstractmethod
    def expected(self, model: "CostModel") -> Polynomial:
        """Its value under the gates, over slots of `model.distributions.circuit`; exact at one-hot gates."""

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

    def expected(self, model: "CostModel") -> Polynomial:
        return model.sums(self).expected((self,))[self.name]

    def walk(self, model: "CostModel", choices: Choices) -> "Walk":
        from nasir.cost.walks import Sum

        return Sum(model.sums(self), self, choices)

    def growing(self, model: "CostModel") -> frozenset[str]:
        return model.sums(self).growing
