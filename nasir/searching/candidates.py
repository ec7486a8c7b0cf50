"""Networks within a search's bounds: drawn at random, bred of others, and told apart."""

import random
from collections.abc import Iterable, Mapping, Sequence

from nasir.api import Space
from nasir.ir.graph import Choices
from nasir.ir.path import Path
from nasir.ir.values import Scalar
from nasir.searching.landing import Standing, near
from nasir.searching.prices import Targets
from nasir.searching.strategy import Task
from nasir.searching.subnets import Made, make

_MUTATED = 0.15
"""The share of a child's decisions that are drawn anew."""
_KEPT = 64
"""Graphs are large: so many are kept."""
_SCALES = 12
"""So many places between the least and the most of the numbers of one name are tried."""


class Candidates:
    """Networks that keep the bounds, each a function of the search's seed and of a number."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._options = {one.name: one.options for one in task.space.decisions}
        self._sources: dict[tuple[object, ...], str] = {}
        self._last: dict[tuple[object, ...], Made] = {}

    def drawn(self, number: int, least: float) -> Choices:
        """A random network that uses at least this share of the tightest bound."""
        seed = self._task.seed * 1_000_003 + number
        return self.brought(self._task.space.sample(seed), least, seed)

    def designed(self, number: int, least: float) -> Choices:
        """A network of one design, as `designed` says."""
        return designed(self._task.space, self._task.targets, least, self._task.seed * 1_000_003 + number)

    def children(self, parents: Sequence[Choices], number: int, count: int, least: float) -> Iterable[Choices]:
        """So many, the generation of this number: each a parent or a cross of two, with some decisions drawn anew."""
        chance = random.Random(f"{self._task.seed} generation {number}")
        for _ in range(count):
            one, other = chance.choice(parents), chance.choice(parents)
            child = {name: chance.choice((one, other))[name] for name in one}
            drawn = {name: chance.choice(self._options[name]) for name in child if chance.random() < _MUTATED}
            yield self.brought({**child, **drawn}, least, chance.getrandbits(32))

    def made(self, choices: Choices) -> Made:
        """What is made for a network: one for all choices that differ where nothing depends on them, as on the width of
        a layer that is skipped. The last few are kept."""
        return self._made(self._key(choices), choices)

    def source(self, choices: Choices) -> str:
        """The module that is emitted for a network, by which networks are told apart."""
        key = self._key(choices)
        if key not in self._sources:
            self._sources[key] = self._made(key, choices).source
        return self._sources[key]

    def _key(self, choices: Choices) -> tuple[object, ...]:
        return tuple(self._task.space.active(choices).items())

    def _made(self, key: tuple[object, ...], choices: Choices) -> Made:
        found = self._last.pop(key, None) or make(self._task.space, choices)
        self._last[key] = found  # the last one that was asked for
        if len(self._last) > _KEPT:
            del self._last[next(iter(self._last))]
        return found

    def brought(self, start: Choices, least: float, seed: int) -> Choices:
        """A network near to `start` that keeps the bounds and uses at least the share `least` of the tightest."""
        space, goal = self._task.space, self._task.targets
        standing = Standing(space.costs, start, goal.bounds, goal.spent)
        return near(standing, self._options, least, seed)


def designed(space: Space, goal: Targets, least: float, seed: int) -> Choices:
    """A network that keeps the bounds, uses at least this share of the tightest and is near to a random one of one
    design: decisions of one name, such as `kernel`, are alike in all its layers, as in networks that people make.
    The numbers of one name after another are scaled until the bounds are kept and used."""
    chance = random.Random(f"{seed} designed")
    options = {one.name: one.options for one in space.decisions}

    def off(choices: Choices) -> float:
        return sum(Standing(space.costs, choices, goal.bounds, goal.spent).now.off(least))

    found = _alike(options, {}, chance)
    labels = sorted({Path(name).last for name, of in options.items() if _is_scale(of)})
    for label in chance.sample(labels, len(labels)):
        numbers = {name: of for name, of in options.items() if Path(name).last == label and _is_scale(of)}
        scaled = ({**found, **_alike(numbers, {label: (i + 0.5) / _SCALES}, chance)} for i in range(_SCALES))
        found = min((found, *scaled), key=off)
    return near(Standing(space.costs, found, goal.bounds, goal.spent), options, least, seed)


def _alike(options: Mapping[str, Sequence[Scalar]], places: Mapping[str, float], chance: random.Random) -> Choices:
    """One option of each decision: of numbers those at one place from the least to the most, of others the first in
    one random order that a decision has."""
    places = dict(places)
    orders: dict[str, dict[Scalar, float]] = {}
    found: dict[str, Scalar] = {}
    for name, of in options.items():
        label = Path(name).last
        if _is_scale(of):
            place = places.setdefault(label, chance.random())
            found[name] = sorted(of)[int(place * len(of))]
        else:
            order = orders.setdefault(label, {})
            found[name] = min(of, key=lambda option: order.setdefault(option, chance.random()))
    return found


def _is_scale(options: Sequence[Scalar]) -> bool:
    return all(type(option) in (int, float) for option in options)


def best(judged: Iterable[tuple[float, Choices]], count: int) -> list[Choices]:
    """The networks with the least loss."""
    return [choices for _, choices in sorted(judged, key=lambda one: one[0])[:count]]
