"""Evolution over shared weights (Guo et al., 2020, section 3.4; Cai et al., 2020): the weights as `random` trains them;
in the end networks within the bounds are crossed and mutated, and judged with these weights."""

import random
from collections.abc import Iterable, Sequence

from nasir.ir.graph import Choices
from nasir.jobs.signals import Pauses
from nasir.searching.strategies.random import Random
from nasir.searching.strategy import Found

_GENERATIONS = 6
_PARENTS = 0.25
"""The share of a generation that the next one comes from."""
_MUTATED = 0.15
"""The share of a child's decisions that are drawn anew."""
_JUDGED = 1_000
"""Inputs that a generation is judged by; the best ones in the end by all."""
_LEAST = 0.9
"""A child uses at least this share of the tightest bound."""


class Evolution(Random):
    """Generations of `candidates` networks."""

    def choose(self, pauses: Pauses) -> Found:
        count = self._settings.candidates
        losses: dict[tuple[object, ...], tuple[float, Choices]] = {}
        generation = [self._near(-1 - i, _LEAST) for i in range(count)]
        self._average.put()
        for number in range(_GENERATIONS):
            for choices in generation:
                key = tuple(choices.values())
                if key not in losses:
                    losses[key] = self.evaluate(choices, pauses, _JUDGED)[0], choices
            if number + 1 < _GENERATIONS:
                parents = _best(losses.values(), max(2, round(_PARENTS * count)))
                generation = list(self._children(parents, number, count))
        self._average.put()
        return self.best_of(self.landed(_best(losses.values(), max(2, count // 2))), pauses)

    def _children(self, parents: Sequence[Choices], number: int, count: int) -> Iterable[Choices]:
        """So many: each a parent or a cross of two, with some decisions drawn anew, brought within the bounds."""
        chance = random.Random(f"{self._task.seed} generation {number}")
        options = {one.name: one.options for one in self._task.space.decisions}
        for _ in range(count):
            one, other = chance.choice(parents), chance.choice(parents)
            child = {name: chance.choice((one, other))[name] for name in one}
            drawn = {name: chance.choice(options[name]) for name in child if chance.random() < _MUTATED}
            yield self._brought({**child, **drawn}, _LEAST, chance.getrandbits(32))


def _best(judged: Iterable[tuple[float, Choices]], count: int) -> list[Choices]:
    """The networks with the least loss."""
    return [choices for _, choices in sorted(judged, key=lambda one: one[0])[:count]]
