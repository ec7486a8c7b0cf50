"""Four bounds by one supernet, against four searches: `python -m benchmarks.family [--set signals12k] [--seeds 0 1 2]`.

`nasir sweep --shared` on a data set of `benchmarks.quality`: the search for the largest bound trains a supernet for
all, and the others choose by its weights. What is found is trained from scratch by the set's recipe, as what four
searches of their own find. Told are both accuracies at each bound, and the processor time of all four over that of a
search.
"""

import argparse
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

import nasir
from benchmarks.quality.sets import SETS, recipe
from benchmarks.training import searched, trained
from nasir.data import DataSet
from nasir.ir.graph import Choices
from nasir.jobs.signals import Pauses
from nasir.lang.settings import override, with_bounds
from nasir.runs.sweep import members, sharing
from nasir.searching.loop import Search
from nasir.searching.prices import targets

_SETTINGS = ["strategy=evolution", "batch=32"]


def bounded(space: nasir.Space, bound: str, *changes: str) -> nasir.Space:
    """The space with another bound, and other settings."""
    return replace(space, settings=override(with_bounds(space.settings, [bound]), [*_SETTINGS, *changes], "search"))


def own(space: nasir.Space, data: DataSet, bounds: list[str], seed: int) -> Mapping[str, Choices]:
    """What a search for each bound finds."""
    return {bound: searched(bounded(space, bound), data, seed)[1].choices for bound in bounds}


def shared(space: nasir.Space, data: DataSet, bounds: list[str], seed: int) -> Mapping[str, Choices]:
    """What is found for each bound with the supernet of the largest one's search."""
    limits = [one.settings.objective.bounds[0].limit for one in (bounded(space, bound) for bound in bounds)]
    texts = [bound.rpartition("<=")[2] for bound in bounds]
    family, least = sharing(members("macs", texts, Path()), limits, bounded(space, bounds[0]).settings.search)
    changes = f"least={least:.6g}"
    widest = next(bound for bound, one in zip(bounds, family, strict=True) if one.supernet is None)
    loop, found = searched(bounded(space, widest, changes), data, seed)
    choices = {widest: found.choices}
    for bound in bounds:
        if bound != widest:
            other = bounded(space, bound, changes)
            goal = targets(other.settings.objective, other.costs)
            search = Search(other, data, goal, seed, torch.device("cpu"))
            search.take(loop.state())
            choices[bound] = search.choose(Pauses()).choices
    return choices


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--set", choices=list(SETS), default="signals12k")
    options.add_argument("--macs", nargs="+", default=["3K", "4K", "5K", "7K"])
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options.add_argument("--trainings", type=int, default=2, help="of each network")
    options.add_argument("--epochs", type=int, help="of a search, in place of the set's own")
    given = options.parse_args()
    torch.set_num_threads(1)
    one = SETS[given.set]
    data, bounds = one.loaded(), [f"macs <= {limit}" for limit in given.macs]
    length = [f"epochs={given.epochs}"] if given.epochs else [*one.searches.get("evolution", ())]
    space = replace(one.space(), settings=override(one.space().settings, length, "search"))
    worth: dict[tuple[str, str], list[float]] = {}
    prices: list[float] = []
    for seed in given.seeds:
        seconds: dict[str, float] = {}
        for name, way in (("own", own), ("shared", shared)):
            began = time.process_time()
            found = way(space, data, bounds, seed)
            seconds[name] = time.process_time() - began
            for bound, choices in found.items():
                network = recipe(one.space().at(choices), one.own)
                right = [trained(network, data, training)[1] for training in range(given.trainings)]
                worth.setdefault((name, bound), []).append(statistics.mean(right) / len(data.test))
        prices.append(seconds["shared"] / (seconds["own"] / len(bounds)))
        print(f"seed {seed}: {prices[-1]:.2f} searches' time for {len(bounds)} bounds", flush=True)
    print("| bound | a search of its own | one supernet | points less |")
    print("| --- | ---: | ---: | ---: |")
    for bound in bounds:
        alone, together = (statistics.mean(worth[name, bound]) for name in ("own", "shared"))
        print(f"| {bound} | {alone:.2%} | {together:.2%} | {100 * (alone - together):+.2f} |")
    print(f"{len(bounds)} bounds by one supernet cost {statistics.mean(prices):.2f} searches.")


if __name__ == "__main__":
    main()
