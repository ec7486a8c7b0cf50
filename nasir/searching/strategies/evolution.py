"""Evolution over shared weights (Guo et al., 2020, section 3.4; Cai et al., 2020): the weights as `random` trains them;
in the end networks within the bounds are crossed and mutated, and judged with these weights. The best few are trained
from scratch for part of an epoch, the better half of them for all of it, and the best by that is the one."""

import math
from collections.abc import Sequence

from nasir.ir.graph import Choices
from nasir.jobs.signals import Pauses
from nasir.searching.candidates import best
from nasir.searching.judging import ShortTraining
from nasir.searching.strategies.random import Random
from nasir.searching.strategy import Found

_GENERATIONS = 6
_PARENTS = 0.25
"""The share of a generation that the next one comes from."""
_JUDGED = 1_000
"""Inputs that a generation is judged by; the best ones in the end by all."""
_LEAST = 0.9
"""A child uses at least this share of the tightest bound."""
_SHARES = (0.4, 1.0)
"""Where in the epoch finalists are compared."""
_FINALISTS = 8
"""So many are trained in the end. Shared weights favour networks that learn fast with them, those of few layers first
of all; what a network's own weights come to in an epoch says more of what it is worth."""


class Evolution(Random):
    """Generations of `candidates` networks."""

    def choose(self, pauses: Pauses) -> Found:
        count = self._settings.candidates
        losses: dict[str, tuple[float, Choices]] = {}
        generation = [self._candidates.drawn(-1 - i, _LEAST) for i in range(count)]
        self._descent.average.put()
        for number in range(_GENERATIONS):
            for choices in generation:
                key = self._candidates.source(choices)
                if key not in losses:
                    losses[key] = self.evaluate(choices, pauses, _JUDGED)[0], choices
            if number + 1 < _GENERATIONS:
                parents = best(losses.values(), max(2, round(_PARENTS * count)))
                generation = list(self._candidates.children(parents, number, count, _LEAST))
        self._descent.average.put()
        ranked = self.ranked(self.landed(best(losses.values(), max(2, count // 2))), pauses)
        landing = [one for one in ranked if one.lands == ranked[0].lands]  # the budget's use comes before the loss
        return self._best_trained(landing[:_FINALISTS], pauses)

    def _best_trained(self, finalists: Sequence[Found], pauses: Pauses) -> Found:
        """The one that has the least loss after a short training from scratch; after part of it the better half is
        left."""
        if len(finalists) == 1:
            return finalists[0]
        trained = [ShortTraining(self._task, one.choices, self._candidates.made(one.choices)) for one in finalists]
        left = list(range(len(finalists)))
        for until in _SHARES:
            losses = {i: trained[i].train(until, pauses) for i in left}
            left = sorted(left, key=losses.__getitem__)[: max(2, math.ceil(len(left) / 2))]
        return finalists[left[0]]
