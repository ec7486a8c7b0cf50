"""The parts of the search for a loop of one's own: the prices of the bounds, and the landing on them."""

from collections.abc import Mapping

from torch import Tensor

from nasir.api import Space
from nasir.ir.values import Scalar
from nasir.searching.landing import land, scores
from nasir.searching.prices import Prices, targets
from nasir.supernets import Supernet


class Bounds:
    """The objective of a space for a supernet of one's own: `loss` in each step of the architecture, `update` after it,
    `land` at the end."""

    def __init__(self, space: Space, steps: int) -> None:
        """`steps` of the architecture make the search.

        Raises:
            CompileError: where no network keeps the bounds.
        """
        self._space = space
        self._prices = Prices(targets(space.settings.objective, space.costs), steps)

    @property
    def prices(self) -> Mapping[str, float]:
        """The price of each bound: above 0 where its cost is too high, below where the budget is to be used up."""
        return dict(self._prices.values)

    def loss(self, loss: Tensor, cost: Mapping[str, Tensor]) -> Tensor:
        """The loss of the architecture, a float64 scalar: the objective with the network's own `loss` in it, as
        cross-entropy, and what the bounds cost at their prices. `cost` is the supernet's `out.cost`."""
        return self._prices.loss(loss, cost)

    def update(self, supernet: Supernet, cost: Mapping[str, Tensor]) -> None:
        """Change the prices after a step (dual ascent): by its costs, and by those of the likeliest network."""
        discrete = self._space.costs.at(supernet.argmax(), self._space.cost_names)
        self._prices.update({name: float(c.detach()) for name, c in cost.items()}, discrete, supernet.entropy())

    def land(self, supernet: Supernet) -> dict[str, Scalar]:
        """The choices nearest to the likeliest that keep every bound and use up the tightest (`landing.land`)."""
        goal, likely = self._prices.targets, scores(supernet.probabilities())
        choices, _ = land(supernet.argmax(), likely, self._space.costs, goal.bounds, goal.spent)
        return choices
