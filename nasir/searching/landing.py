"""From the distributions that a search ends with to one network that keeps every bound and uses the tightest up."""

import math
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from nasir.cost.model import CostModel
from nasir.ir.graph import Choices
from nasir.ir.values import Scalar
from nasir.lang.objectives import Bound

LEAST_USE = 0.98
"""A network uses its budget where the tightest bound is at least so full."""

_MOST_PAIRS = 300_000  # of changes; a larger space has single changes enough to come near any bound
_MOST_TOGETHER = 20_000  # combinations of three changes, or more

Scores = Mapping[str, Mapping[Scalar, float]]
"""Log-probabilities of the options."""

Change = tuple[str, Scalar]


@dataclass(frozen=True)
class Spending:
    """What a network spends: the shares by which bounds are exceeded, summed, and the share that is used of the
    tightest bound of those to be used up; 1 where there is none."""

    excess: float
    use: float

    @property
    def lands(self) -> bool:
        """Every bound is kept, the tightest nearly used up."""
        return self.excess == 0 and self.use >= LEAST_USE

    def off(self, least: float) -> tuple[float, float]:
        """How far it is from keeping the bounds, and from using the share `least` of the tightest."""
        return self.excess, max(0.0, least - self.use)


class Standing:
    """A network whose decisions change one at a time, and what it spends."""

    def __init__(
        self, model: CostModel, choices: Choices, bounds: Sequence[Bound], spent: Collection[str] | None = None
    ) -> None:
        """`spent` names the costs whose bounds are there to be used up; all where None."""
        self.bounds = tuple(bounds)
        self._spent = {bound.cost for bound in bounds} if spent is None else set(spent)
        self.choices = dict(choices)
        self._walks = [model.walk(bound.cost, choices) for bound in bounds]

    @property
    def now(self) -> Spending:
        """What it spends."""
        return self._spending([walk.total for walk in self._walks])

    def after(self, *changes: Change) -> Spending:
        """What it would spend after these changes; it stands where it stood."""
        return self._spending([walk.after(changes) for walk in self._walks])

    def _spending(self, totals: Sequence[int]) -> Spending:
        pairs = list(zip(totals, self.bounds, strict=True))
        excess = sum(max(0.0, total / bound.limit - 1.0) for total, bound in pairs)
        return Spending(excess, max((total / b.limit for total, b in pairs if b.cost in self._spent), default=1.0))

    def take(self, *changes: Change) -> None:
        """Change decisions."""
        for name, option in changes:
            self.choices[name] = option
            for walk in self._walks:
                walk.change(name, option)


def scores(probabilities: Mapping[str, Mapping[Scalar, float]]) -> Scores:
    """Log-probabilities, finite where an option has none left."""
    return {
        name: {option: math.log(p + 1e-300) for option, p in options.items()} for name, options in probabilities.items()
    }


def land(
    start: Choices, likely: Scores, model: CostModel, bounds: Sequence[Bound], spent: Collection[str] | None = None
) -> tuple[dict[str, Scalar], bool]:
    """The network nearest to `start`, by log-probability, that keeps the bounds and uses at least `LEAST_USE` of the
    tightest of those that are `spent` (all where None); and whether it does. Where not, no change of one decision uses
    more of it, nor one of two (where there are at most `_MOST_PAIRS` of them), three, and so on (`_MOST_TOGETHER`).

    Greedy: see `repair` and `_fill`.
    """
    standing = repair(Standing(model, start, bounds, spent), likely)
    if bounds and standing.now.excess == 0:
        _fill(standing, likely)
    return standing.choices, standing.now.lands


def repair(standing: Standing, likely: Scores) -> Standing:
    """The network changed as little as it takes to keep every bound, where changes of one decision lead there, or of a
    few where no change of fewer does: each gives up the least log-probability for each share of the excess that it
    takes away."""
    while (excess := standing.now.excess) > 0:
        every = list(_changes(standing, likely))
        sizes = (1, *_together(len(every)))
        found = (_cheapest(standing, excess, _combined(every, size)) for size in sizes)
        changes = next((changes for changes in found if changes), ())
        if not changes:
            break
        standing.take(*changes)
    return standing


def _together(count: int) -> Iterator[int]:
    """How many of so many changes are tried together, where fewer lead nowhere: two, and more while there are few
    combinations of them."""
    for size in range(2, count + 1):
        if math.comb(count, size) > (_MOST_PAIRS if size == 2 else _MOST_TOGETHER):
            return
        yield size


def _combined(every: Sequence[tuple[Change, float]], size: int) -> Iterator[tuple[tuple[Change, ...], float]]:
    """All combinations of so many changes, each of another decision, and what they give up together."""
    for chosen in combinations(every, size):
        changes = tuple(change for change, _ in chosen)
        if len({name for name, _ in changes}) == size:
            yield changes, sum(loss for _, loss in chosen)


def _cheapest(
    standing: Standing, excess: float, candidates: Iterable[tuple[tuple[Change, ...], float]]
) -> tuple[Change, ...]:
    """Of changes with what they give up, those that give up the least for each share of the excess that they take away;
    none where none takes any away."""
    best: tuple[float, tuple[Change, ...]] = (math.inf, ())
    for changes, loss in candidates:
        less = excess - standing.after(*changes).excess
        if less > 0:
            best = min(best, (max(loss, 0.0) / less, changes), key=lambda one: one[0])
    return best[1]


def _fill(standing: Standing, likely: Scores) -> None:
    """Use the tightest bound up: by the single change that gives up the least log-probability of those that land; while
    there is none, by the one that gives up the least for each share of the bound that it uses; where there is none
    either, by a few together. Where this ends short of the bound, none that were tried use more."""
    while not standing.now.lands:
        before = standing.now.use
        landing: tuple[float, Change] | None = None
        nearer: tuple[float, Change] | None = None
        for change, loss in _changes(standing, likely):
            then = standing.after(change)
            if then.lands and (landing is None or loss < landing[0]):
                landing = loss, change
            elif then.excess == 0 and then.use > before:
                price = max(loss, 0.0) / (then.use - before)
                if nearer is None or price < nearer[0]:
                    nearer = price, change
        changes = (landing[1],) if landing else (nearer[1],) if nearer else _several(standing, likely)
        if not changes:
            return
        standing.take(*changes)


def _several(standing: Standing, likely: Scores) -> tuple[Change, ...]:
    """The likeliest few changes that land together, or those that use most of the bound: as few as do; none where none
    that can be tried use more than now."""
    every = list(_changes(standing, likely))
    for size in _together(len(every)):
        landing: tuple[float, tuple[Change, ...]] = (math.inf, ())
        fullest: tuple[float, tuple[Change, ...]] = (standing.now.use, ())
        for changes, loss in _combined(every, size):
            if landing[1] and loss >= landing[0]:
                continue
            then = standing.after(*changes)
            if then.lands:
                landing = loss, changes
            elif then.excess == 0 and then.use > fullest[0]:
                fullest = then.use, changes
        if found := landing[1] or fullest[1]:
            return found
    return ()


def _changes(standing: Standing, likely: Scores) -> Iterator[tuple[Change, float]]:
    """Every change of one decision, with the log-probability that it gives up."""
    for name, options in likely.items():
        now = standing.choices[name]
        for option, score in options.items():
            if option != now:
                yield (name, option), options[now] - score


def draw(probabilities: Mapping[str, Mapping[Scalar, float]], seed: int) -> dict[str, Scalar]:
    """A network drawn from the decisions' distributions, a function of the seed."""
    chance = random.Random(seed)
    return {name: chance.choices(list(options), list(options.values()))[0] for name, options in probabilities.items()}


_MOST_TRIES = 2_000
_FRUITLESS = 100  # tries one after the other


def near(standing: Standing, options: Mapping[str, Sequence[Scalar]], least: float, seed: int) -> Choices:
    """A random walk to a network that keeps the bounds and then uses at least the share `least` of the tightest, where
    single changes lead there: any change of one decision that does not lead away is taken."""
    chance, names = random.Random(seed), list(options)
    distance = standing.now.off(least)
    fruitless = 0
    for _ in range(_MOST_TRIES):
        if distance == (0, 0) or fruitless == _FRUITLESS:
            break
        name = chance.choice(names)
        change = name, chance.choice(options[name])
        changed = standing.after(change).off(least)
        fruitless = 0 if changed < distance else fruitless + 1
        if changed <= distance:
            standing.take(change)
            distance = changed
    return standing.choices
