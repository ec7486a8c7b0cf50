"""Tables of the runs: means, gains with bootstrap intervals, prices and correlations."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.lines import Key, Line
from benchmarks.quality.sets import POOLED, SETS, TOGETHER, Set
from benchmarks.quality.work import POOLS, TRAININGS

Lines = Mapping[Key, Line]
Trainings = NDArray[np.float64]
"""Test accuracies, one a training."""
_DRAWS, _SEED, _INTERVAL = 10_000, 0, 95
_FEWEST = 5  # seeds that are told of
_CALLED = {"random": "random", "designed": "of one design"}


def strategies(lines: Lines, name: str) -> dict[str, int]:
    """The ways to search a data set, and how many of their first seeds have all their runs: five at least."""
    every = sorted({key.contender for key in lines if key.set == name and key.what == "search"})
    seeds = range(SETS[name].seeds)
    whole = {one: len([*takewhile(partial(_whole, lines, name, one), seeds)]) for one in every}
    return {one: count for one, count in whole.items() if count >= _FEWEST}


def _whole(lines: Lines, name: str, strategy: str, seed: int) -> bool:
    """A search is done, and so are the trainings of what it found and of what random networks of its price found."""
    search = lines.get(Key(name, strategy, "search", seed))
    if search is None or not all(key in lines for key in _keys(SETS[name], strategy, seed)):
        return False
    return _compares(lines, search, "random")


def _compares(lines: Lines, search: Line, pool: str) -> bool:
    """The pool's networks have their trainings, and so has the one of them that a search is compared with."""
    name = search.key.set
    if not all(_pick(name, number, pool) in lines for number in range(SETS[name].pool)):
        return False
    return all(key in lines for key in _keys(SETS[name], pool, 0, picked(lines, search, pool)))


def affordable(lines: Lines, search: Line, pool: str) -> list[int]:
    """The numbers of the pool's networks that a search's time pays for: as many as fit, one at least, each seed
    beginning elsewhere in the pool."""
    first, spent, found = search.key.seed * POOLED, 0.0, list[int]()
    size = SETS[search.key.set].pool
    for number in ((first + i) % size for i in range(size)):
        spent += lines[_pick(search.key.set, number, pool)].seconds
        if found and spent > search.seconds:
            break
        found.append(number)
    return found


def picked(lines: Lines, search: Line, pool: str) -> int:
    """The number of the best of them on the inputs that a search judges by."""
    name = search.key.set
    return max(affordable(lines, search, pool), key=lambda number: lines[_pick(name, number, pool)].accuracy)


def _pick(name: str, number: int, contender: str) -> Key:
    return Key(name, contender, "pick", number=number, recipe="own")


def trainings(lines: Lines, one: Set, contender: str, seed: int = 0, number: int = 0) -> Trainings:
    """All trainings of a network, by each recipe."""
    return np.array([lines[key].accuracy for key in _keys(one, contender, seed, number)])


def _keys(one: Set, contender: str, seed: int, number: int = 0) -> list[Key]:
    return [
        Key(one.name, contender, "train", seed, number, recipe, training)
        for recipe in one.recipes
        for training in TRAININGS
    ]


@dataclass(frozen=True)
class Gain:
    """A mean difference in accuracy, and its interval, in points."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def gain(pairs: Sequence[tuple[Trainings, Trainings]]) -> Gain:
    """How much better the first of each pair is: trainings by the same recipe with the same seed are paired; the
    bootstrap is over pairs of networks, and over the trainings within."""
    draw = np.random.default_rng(_SEED)
    differences = np.array([a - b for a, b in pairs])
    networks, count = differences.shape
    chosen = draw.integers(networks, size=(_DRAWS, networks, 1))
    within = draw.integers(count, size=(_DRAWS, networks, count))
    found = 100 * differences[chosen, within].mean((1, 2))
    low, high = np.percentile(found, ((100 - _INTERVAL) / 2, (100 + _INTERVAL) / 2))
    return Gain(100 * float(differences.mean()), float(low), float(high))


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's, of values that are rarely equal."""
    ranks = [np.argsort(np.argsort(values)) for values in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def table(lines: Lines, one: Set) -> str:
    """What each way to search is worth on a data set."""
    name = one.name
    training = fmean(line.seconds for key, line in lines.items() if key.set == name and _is_final(key, "own"))
    templates = {label: trainings(lines, one, "scaled", number=i) for i, label in enumerate(one.templates)}
    best = max(templates, key=lambda label: float(templates[label].mean()))
    chosen = max(templates, key=lambda label: lines[_pick(name, [*templates].index(label), "scaled")].accuracy)
    pool = [lines[_pick(name, number, "random")].accuracy for number in range(one.pool)]
    worth = {label: f"{label}, {100 * found.mean():.2f}%" for label, found in templates.items()}
    rows = [
        f"{name}, {one.bound}; one training {training:.1f} s; the best template: {worth[best]}; "
        f"the one that was picked: {worth[chosen]}",
        "",
        "| search | seeds | multiply-adds | test accuracy | price, trainings | against the best of so many random "
        "| of so many of one design | against the best template, the one that was picked "
        "| percentile among random | rank correlation | likeliest / bound | entropy | sliced, tuned, from anew |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for strategy, seeds in strategies(lines, name).items():
        searches = [lines[Key(name, strategy, "search", seed)] for seed in range(seeds)]
        own = [trainings(lines, one, strategy, seed) for seed in range(seeds)]
        correlations = [rank_correlation([-loss for loss in s.losses], pool) for s in searches if s.losses]
        (limit,) = (bound.limit for bound in one.space().settings.objective.bounds)
        anew = fmean(float(accuracies[: len(TRAININGS)].mean()) for accuracies in own)
        cells = (
            strategy,
            str(seeds),
            f"{fmean(s.macs for s in searches):,.0f}",
            f"{100 * fmean(map(float, map(np.mean, own))):.2f}%",
            f"{_price(lines, searches):.1f}",
            *(_over(lines, searches, pool) for pool in POOLS),
            f"{gain([(a, templates[best]) for a in own])}, {gain([(a, templates[chosen]) for a in own])}",
            _percentile(lines, one, own),
            _mean(correlations),
            _mean([s.likeliest / limit for s in searches if s.likeliest is not None]),
            _mean([s.entropy for s in searches if s.entropy is not None]),
            ", ".join(f"{100 * value:.1f}%" for value in (*_shared(searches), anew)),
        )
        rows.append(f"| {' | '.join(cells)} |")
    rows.append("")
    rows.append(
        f"Templates: {'; '.join(worth.values())}. Networks that were picked: "
        + "; ".join(_span(lines, one, pool) for pool in POOLS if _trained(lines, name, pool))
        + "."
    )
    return "\n".join(rows) + "\n"


def _price(lines: Lines, searches: Sequence[Line]) -> float:
    """The searches' time over that of the trainings of what they found, by the first recipe: the machine may have been
    faster or slower for others."""
    recipe = next(iter(SETS[searches[0].key.set].recipes))
    found = [replace(s.key, what="train", recipe=recipe, training=training) for s in searches for training in TRAININGS]
    return fmean(s.seconds for s in searches) / fmean(lines[key].seconds for key in found)


def among_random(one: Set, number: int) -> Key:
    """The training of a random network that searches are ranked by."""
    return Key(one.name, "random", "train", number=number, recipe=next(iter(one.recipes)))


def _percentile(lines: Lines, one: Set, own: Sequence[Trainings]) -> str:
    """How many of a hundred random networks, each trained once by the first recipe, are worse than a training of what
    searches found by that recipe."""
    keys = [among_random(one, number) for number in range(one.pool)]
    if not all(key in lines for key in keys):
        return ""
    found = np.concatenate([accuracies[: len(TRAININGS)] for accuracies in own])
    others = np.array([lines[key].accuracy for key in keys])
    return f"{100 * (found[:, None] > others).mean():.0f}"


def together(lines: Lines, names: Sequence[str]) -> str:
    """What the ways to search that all of these sets have gain over random networks, in the mean of the sets."""
    known = [strategies(lines, name) for name in names]
    every = [one for one in known[0] if all(one in others for others in known)]
    rows = ["| search | seeds | against the best of so many random |", "| --- | ---: | --- |"]
    for strategy in every:
        seeds = [(name, seed) for name, found in zip(names, known, strict=True) for seed in range(found[strategy])]
        searches = [lines[Key(name, strategy, "search", seed)] for name, seed in seeds]
        rows.append(f"| {strategy} | {len(seeds)} | {_over(lines, searches, 'random')} |")
    return f"{' and '.join(names)}\n\n" + "\n".join(rows) + "\n" if every else ""


def _over(lines: Lines, searches: Sequence[Line], pool: str) -> str:
    """What searches gain over the best of as many of a pool's networks as their time pays for."""
    if not all(_compares(lines, search, pool) for search in searches):
        return ""
    pairs = [
        (
            trainings(lines, SETS[search.key.set], search.key.contender, search.key.seed),
            trainings(lines, SETS[search.key.set], pool, number=picked(lines, search, pool)),
        )
        for search in searches
    ]
    return f"{gain(pairs)} of {fmean(len(affordable(lines, search, pool)) for search in searches):.1f}"


def _span(lines: Lines, one: Set, pool: str) -> str:
    means = [
        100 * float(trainings(lines, one, pool, number=number).mean()) for number in _trained(lines, one.name, pool)
    ]
    return f"{_CALLED[pool]} {min(means):.2f}% to {max(means):.2f}%"


def _shared(searches: Sequence[Line]) -> list[float]:
    """Mean accuracies with the supernet's weights, as they are and tuned; none where no weights were shared."""
    pairs = [(s.sliced, s.tuned) for s in searches if s.sliced is not None and s.tuned is not None]
    return [fmean(values) for values in zip(*pairs, strict=True)]


def _is_final(key: Key, recipe: str) -> bool:
    return key.what == "train" and key.recipe == recipe


def _trained(lines: Lines, name: str, pool: str) -> list[int]:
    """The numbers of a pool's networks whose trainings are all there."""
    numbers = sorted({key.number for key in lines if (key.set, key.contender, key.what) == (name, pool, "train")})
    return [number for number in numbers if all(key in lines for key in _keys(SETS[name], pool, 0, number))]


def _mean(values: Iterable[float]) -> str:
    every = list(values)
    return f"{fmean(every):.2f}" if every else ""


def tables(lines: Lines) -> str:
    """Those of all data sets that have their runs, and of those sets together that differ in their bounds."""
    every = [table(lines, one) for one in SETS.values() if strategies(lines, one.name)]
    return "\n".join([*every, *filter(None, (together(lines, names) for names in TOGETHER))])
