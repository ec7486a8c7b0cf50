"""Networks within a search's bounds: drawn at random, bred of others, and told apart."""

import random
from collections.abc import Iterable, Sequence

from nasir.api import emit
from nasir.ir.graph import Choices
from nasir.searching.landing import Standing, near
from nasir.searching.strategy import Task

_MUTATED = 0.15
"""The share of a child's decisions that are drawn anew."""


class Candidates:
    """Networks that keep the bounds, each a function of the search's seed and of a number."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._options = {one.name: one.options for one in task.space.decisions}
        self._sources: dict[tuple[object, ...], str] = {}

    def drawn(self, number: int, least: float) -> Choices:
        """A random network that uses at least this share of the tightest bound."""
        seed = self._task.seed * 1_000_003 + number
        return self.brought(self._task.space.sample(seed), least, seed)

    def children(self, parents: Sequence[Choices], number: int, count: int, least: float) -> Iterable[Choices]:
        """So many, the generation of this number: each a parent or a cross of two, with some decisions drawn anew."""
        chance = random.Random(f"{self._task.seed} generation {number}")
        for _ in range(count):
            one, other = chance.choice(parents), chance.choice(parents)
            child = {name: chance.choice((one, other))[name] for name in one}
            drawn = {name: chance.choice(self._options[name]) for name in child if chance.random() < _MUTATED}
            yield self.brought({**child, **drawn}, least, chance.getrandbits(32))

    def source(self, choices: Choices) -> str:
        """The module that is emitted for a network: one for all choices that differ where nothing depends on them, as
        on the width of a layer that is skipped."""
        key = tuple(choices[name] for name in self._options)
        if key not in self._sources:
            self._sources[key] = emit(self._task.space.at(choices))
        return self._sources[key]

    def brought(self, start: Choices, least: float, seed: int) -> Choices:
        """A network near to `start` that keeps the bounds and uses at least the share `least` of the tightest."""
        space, goal = self._task.space, self._task.targets
        standing = Standing(space.costs, start, goal.bounds, goal.spent)
        return near(standing, self._options, least, seed)


def best(judged: Iterable[tuple[float, Choices]], count: int) -> list[Choices]:
    """The networks with the least loss."""
    return [choices for _, choices in sorted(judged, key=lambda one: one[0])[:count]]
