"""Successive halving (Jamieson and Talwalkar, 2016) with offspring: many networks within the bounds are trained from
scratch for a short while, and the best few of them anew for longer. The first ones are near to networks that are alike
in all layers, which differ more from one another than random ones do; the later ones of the first round are bred of the
best before them. No weights are shared: where a training is short, that tells networks apart better than a supernet of
the same price (docs/results.md)."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from nasir.ir.graph import Choices
from nasir.ir.values import Scalar
from nasir.jobs.signals import Pauses
from nasir.jobs.steps import Step
from nasir.searching import mistakes, optimizers
from nasir.searching.candidates import Candidates, best
from nasir.searching.descent import Descent
from nasir.searching.forecasting import Predictor
from nasir.searching.judging import judge
from nasir.searching.landing import Standing, land
from nasir.searching.strategy import WEIGHTS, Found, Images, Task, check_changing
from nasir.searching.subnets import Standalone
from nasir.searching.training import lowered, place
from nasir.supernets.layers import wide

_KEPT = 5
"""One in so many goes on to the next round."""
_DESIGNED = 3
"""One in so many of the first round is of one design; each of the others is bred of the best before it."""
_PARENTS = 3
"""One in so many of those that are judged are parents: the best, as predicted."""
_BEST = 3
"""One in so many of the first round say what the search tends to."""
_DESIGNS = 4
"""So many are tried for one that was not trained yet."""
_CHILDREN, _LEAST = 24, 0.9
"""Of so many children that use this share of the tightest bound, the most promising one is trained."""


class Halving:
    """Rounds of trainings, each of as many steps in all: first `candidates` networks, then a fifth of them."""

    def __init__(self, task: Task) -> None:
        """
        Raises:
            CompileError: where the search is to be compiled, or batch statistics taken over all ranks.
        """
        check_changing(task)
        self._task, self._settings, self._ranks = task, task.settings, task.ranks
        self._candidates = Candidates(task)
        steps = self._settings.epochs * task.counts[WEIGHTS]
        self._counts = _rounds(self._settings.candidates, steps)
        lengths = [_part(steps, len(self._counts), i) for i in range(len(self._counts))]
        self._slots = [(i, _part(lengths[i], count, j)) for i, count in enumerate(self._counts) for j in range(count)]
        self._begins = list(accumulate((length for _, length in self._slots), initial=0))
        self._judged: list[list[tuple[float, float, Choices]]] = [[] for _ in self._counts]
        """Of each round the loss, the score and the network of those that are done."""
        self._network: Standalone | None = None
        """The one in training, if any."""

    def notes(self) -> Sequence[str]:
        asked, first = self._settings.candidates, self._counts[0]
        if first == asked:
            return ()
        return (f"{self._begins[-1]:,} steps are too few for {asked:,} candidates: it trains {first:,}",)

    def begin(self, epoch: int) -> None:
        pass

    def train_weights(self, step: Step[Images], at: int) -> None:
        slot = bisect_right(self._begins, at) - 1
        at_round, length = self._slots[slot]
        network = self._network or self._start(self._next(at_round), length)
        images, labels = step.batch
        with lowered(self._settings, self._task.device):
            outputs = network(images)
        loss = self._task.loss(wide(outputs), labels)

        def agree() -> None:
            optimizers.share_gradients(network.module.parameters(), self._ranks)
            step.check(loss.detach())

        self._descent.step(at - self._begins[slot], step.share.weigh(loss), agree)
        if at + 1 == self._begins[slot + 1]:
            self._descent.average.put()
            self._judged[at_round].append((*judge(self._task, network, Pauses()), self._choices))
            self._network = None

    def _start(self, choices: Choices, steps: int) -> Standalone:
        torch.manual_seed(self._task.seed)  # the same start for all, as near as it can be
        self._choices, self._length = choices, steps
        self._network = Standalone(self._task.space, choices, self._candidates.made(choices))
        place(self._network.module, self._task.device)
        self._network.train()
        weights = self._network.module.parameters()
        self._descent = Descent(weights, self._settings.weights, steps, self._settings.ema)
        return self._network

    def _next(self, at_round: int) -> Choices:
        """The network whose turn it is, a function of what was judged before."""
        done = [(loss, choices) for loss, _, choices in self._judged[at_round]]
        if at_round:
            return best(((loss, choices) for loss, _, choices in self._judged[at_round - 1]), len(done) + 1)[-1]
        known = {self._candidates.source(choices) for _, choices in done}
        fresh = (one for one in self._promising(done) if self._candidates.source(one) not in known)
        return next(fresh, None) or self._landed(self._candidates.drawn(-1 - len(done), _LEAST))

    def _promising(self, done: Sequence[tuple[float, Choices]]) -> Iterable[Choices]:
        """What may come next in the first round, the best first: some of one design, or children of the best."""
        if len(done) < self._counts[0] / _DESIGNED:
            for number in range(len(done), _DESIGNS * self._counts[0], self._counts[0]):
                yield self._landed(self._candidates.designed(-1 - number, _LEAST))
        else:
            predicted = Predictor(self._task.space, done)
            parents = sorted((choices for _, choices in done), key=predicted)[: max(2, len(done) // _PARENTS)]
            children = self._candidates.children(parents, len(done), _CHILDREN, _LEAST)
            for one in sorted(children, key=predicted):
                yield self._landed(one, predicted)

    def _landed(self, choices: Choices, predicted: Predictor | None = None) -> Choices:
        """The network nearest to these choices that keeps the bounds and uses them up, by what is predicted."""
        goal = self._task.targets
        likely = {
            one.name: {option: -predicted.adds(one.name, option) if predicted else 0.0 for option in one.options}
            for one in self._task.space.decisions
        }
        return land(choices, likely, self._task.space.costs, goal.bounds, goal.spent)[0]

    def metrics(self) -> Mapping[str, float | int | None]:
        done = [one for one in self._judged if one]
        least = min(loss for loss, _, _ in done[-1]) if done else math.inf
        return {
            "round": len(done),
            "judged": sum(map(len, done)),
            "best_loss": least if math.isfinite(least) else None,
        }

    def probabilities(self) -> Mapping[str, Mapping[Scalar, float]]:
        """How often each option is among the best third of what the first round has judged."""
        done = [(loss, choices) for loss, _, choices in self._judged[0]]
        kept = best(done, max(1, len(done) // _BEST))
        return {
            one.name: {
                option: sum(choices[one.name] == option for choices in kept) / len(kept)
                if kept
                else 1 / len(one.options)
                for option in one.options
            }
            for one in self._task.space.decisions
        }

    def choose(self, pauses: Pauses) -> Found:
        """The best of the last round.

        Raises:
            CompileError: where the loss of none is a number.
        """
        loss, score, choices = min(self._judged[-1], key=lambda one: one[0])
        if math.isinf(loss):
            raise mistakes.diverged(loss, "every network of the last round", "search.weights", self._settings.weights)
        goal = self._task.targets
        lands = Standing(self._task.space.costs, choices, goal.bounds, goal.spent).now.lands
        return Found(dict(choices), lands, score, None, dict(choices))

    def parameters(self) -> Iterable[Tensor]:
        return self._network.module.parameters() if self._network is not None else ()

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = {"judged": self._judged}
        if self._network is not None:
            state |= {
                "choices": dict(self._choices),
                "length": self._length,
                "network": self._network.module.state_dict(),
                "descent": self._descent.state(),
            }
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        self._judged = [[(loss, score, choices) for loss, score, choices in one] for one in state["judged"]]
        if "network" in state:
            self._start(state["choices"], int(state["length"])).module.load_state_dict(state["network"])
            self._descent.restore(state["descent"])


def _rounds(count: int, steps: int) -> list[int]:
    """How many networks each round has, down to two; fewer where there are not steps enough for so many."""
    for first in range(min(count, steps), 1, -1):
        found = [first]
        while (following := round(found[-1] / _KEPT)) >= 2:
            found.append(following)
        if first <= steps // len(found):
            return found
    return [1]


def _part(whole: int, parts: int, at: int) -> int:
    """Part number `at` of so many that are as equal as can be."""
    return whole * (at + 1) // parts - whole * at // parts
