"""What strategies of one supernet have in common: its weights, how its networks are judged by them, and its state."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from nasir.ir.graph import Choices
from nasir.ir.values import Scalar
from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.passes.pipeline import Strategy as Lowering
from nasir.searching import mistakes
from nasir.searching.candidates import Candidates
from nasir.searching.descent import Descent
from nasir.searching.judging import estimation_images, judge
from nasir.searching.landing import land, scores
from nasir.searching.strategy import WEIGHTS, Found, Images, Task
from nasir.searching.subnets import Subnet
from nasir.searching.training import lowered, place
from nasir.supernets import Supernet, build
from nasir.supernets.starting import Started, start_anywhere

Network = tuple[dict[str, Scalar], bool]
"""A network, and whether it uses its budget up."""


class OneShot:
    """A supernet whose weights all its networks share."""

    lowering: ClassVar[Lowering] = "masked"
    """How the supernet has its widths."""

    def __init__(self, task: Task) -> None:
        self._task, self._settings, self._ranks = task, task.settings, task.ranks
        graph, resolution = task.space.graph, self._settings.resolution
        self.supernet: Supernet = build(graph, resolution, self.lowering, costs=task.space.shown_costs)
        self._candidates = Candidates(task)
        self._started = start_anywhere(self.supernet, task.start) if task.start is not None else None
        self.supernet.synchronise_batch_norms(task.synchronised and self._ranks.count > 1)
        place(self.supernet, task.device)
        (self._logits,) = self.supernet.architecture()
        self._logits.requires_grad_(False)  # so that data-parallel steps of the weights leave it alone
        self._weights = list(self.supernet.weights())
        of_epoch = task.counts[WEIGHTS]
        steps = self._settings.epochs * of_epoch
        # Settled weights are trained for one network, and that from a rate of its own.
        again = self._settings.open_epochs * of_epoch % steps
        self._descent = Descent(self._weights, self._settings.weights, steps, self._settings.ema, again)

    def begin(self, epoch: int) -> None:
        self.supernet.train()

    def descend(self, step: Step[Images], at: int, loss: Tensor) -> None:
        """Step number `at` of the search on the weights, down the gradient of the loss of this rank's part."""

        def agree() -> None:
            self.share_gradients()
            step.check(loss.detach())

        self._descent.step(at, step.share.weigh(loss), agree)

    def share_gradients(self) -> None:
        """Have the weights' gradients averaged over the ranks, where the network that was run does not do it."""

    def lowered(self) -> torch.autocast:
        """The precision that networks run in."""
        return lowered(self._settings, self._task.device)

    def probabilities(self) -> Mapping[str, Mapping[Scalar, float]]:
        return self.supernet.probabilities()

    def best_of(self, found: Sequence[Network], pauses: Pauses) -> Found:
        """The first of those that are `ranked`. Nothing is said of distributions.

        Raises:
            CompileError: where no network's loss is a number.
        """
        return self.ranked(found, pauses)[0]

    def ranked(self, found: Sequence[Network], pauses: Pauses) -> list[Found]:
        """The networks by their loss with the supernet's weights, the least first; those that use their budget up
        before those that do not. One whose loss is no number is left out.

        Raises:
            CompileError: where no network's loss is a number.
        """
        self._descent.average.put()
        compared = [(not lands, *self.evaluate(choices, pauses), choices) for choices, lands in found]
        self._descent.average.put()
        ranked = sorted((one for one in compared if math.isfinite(one[1])), key=lambda one: one[:2])
        if not ranked:
            raise mistakes.diverged(
                math.inf, "every network with the supernet's weights", "search.weights", self._settings.weights
            )
        return [Found(choices, not missed, score, None, choices) for missed, _, score, choices in ranked]

    def landed(self, starts: Iterable[Choices]) -> list[Network]:
        """The networks nearest to these that keep the bounds and use them up, none twice."""
        likely, model, goal = scores(self.supernet.probabilities()), self._task.space.costs, self._task.targets
        found: dict[str, Network] = {}
        for start in {tuple(start.values()): start for start in starts}.values():
            one = land(start, likely, model, goal.bounds, goal.spent)
            if self._keeps_bounds(one[0]):
                found.setdefault(self._candidates.source(one[0]), one)
        if not found:  # several bounds, and single changes lead from none of the starts to where all are kept
            return [land(goal.within, likely, model, goal.bounds, goal.spent)]
        return list(found.values())

    def _discrete(self, choices: Mapping[str, Scalar]) -> Mapping[str, int]:
        """The costs of one network."""
        return self._task.space.costs.at(choices, self._task.space.cost_names)

    def _keeps_bounds(self, choices: Mapping[str, Scalar]) -> bool:
        costs = self._discrete(choices)
        return all(costs[bound.cost] <= bound.limit for bound in self._task.targets.bounds)

    def evaluate(self, choices: Choices, pauses: Pauses, most: int | None = None) -> tuple[float, float]:
        """The loss and the score of a network with the supernet's weights (`judging.judge`)."""
        network = Subnet(self._task.space, self.supernet, choices, self._candidates.made(choices))
        return judge(self._task, network, pauses, most)

    def started(self) -> Started | None:
        return self._started

    def weights(self, choices: Mapping[str, Scalar]) -> Mapping[str, Tensor]:
        self._descent.average.put()
        self.supernet.reestimate_batch_norms(choices, estimation_images(self._task))
        found = self.supernet.state_for(choices)
        self._descent.average.put()
        return found

    def parameters(self) -> Iterable[Tensor]:
        return self.supernet.parameters()

    def state(self) -> dict[str, Any]:
        return {
            "supernet": self.supernet.state_dict(),
            "descent": self._descent.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.supernet.load_state_dict(state["supernet"])
        self._descent.restore(state["descent"])
