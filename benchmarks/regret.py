"""What strategies are worth on the tabular benchmark: `python -m benchmarks.regret [--strategies dmasking ...]`.

Each strategy searches the space `tabular` with each seed; the accuracy of what it finds is looked up in the table.
Beside it is the regret that the best of so many random networks is expected to have, exactly, for as many trainings as
the search took the time of: what one training takes is measured in the same run, between the searches.
"""

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

import nasir
from benchmarks.training import trained
from nasir.data import DataSet, input_of, load_data
from nasir.ir.graph import Choices
from nasir.jobs.folder import RunFolder
from nasir.jobs.signals import Pauses
from nasir.lang.settings import override, with_bounds
from nasir.searching.loop import Search
from nasir.searching.prices import targets
from nasir.tabular import Table, read


def searched(space: nasir.Space, data: DataSet, seed: int) -> tuple[Choices, float]:
    """What a search finds, and its seconds."""
    began = time.perf_counter()
    loop = Search(space, data, targets(space.settings.objective, space.costs), seed, torch.device("cpu"))
    with TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.start(overwrite=False)
        loop.run(run, lambda epoch, values: None, Pauses())
        found = loop.choose(Pauses())
    return found.choices, time.perf_counter() - began


def row(table: Table, space: nasir.Space, data: DataSet, name: str, seeds: list[int], limit: float) -> str:
    """A strategy's line."""
    regrets, prices = [], []
    for seed in seeds:
        choices, seconds = searched(space, data, seed)
        began = time.perf_counter()
        trained(space.at(choices), data, seed)
        prices.append(seconds / (time.perf_counter() - began))
        regrets.append(table.regret(choices, "macs", limit))
    price = statistics.mean(prices)
    random = table.random_regret(max(1, round(price)), "macs", limit)
    each = ", ".join(f"{100 * one:.2f}" for one in regrets)
    return f"| {name} | {100 * statistics.mean(regrets):.2f} | {each} | {price:.1f} | {100 * random:.2f} |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--strategies", nargs="+", default=["dmasking", "random", "evolution"])
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options.add_argument("--macs", type=int, nargs="+", default=[20_000, 30_000, 40_000])
    options.add_argument("--set", nargs="*", default=[], help="settings of the search, as of `nasir search --set`")
    given = options.parse_args()
    torch.set_num_threads(1)
    table, space = read(), nasir.load("tabular")
    data = load_data("signals", input_of(space.graph))
    print("| strategy, bound | regret, points | each seed | price, trainings | random's at that price, points |")
    print("| --- | ---: | --- | ---: | ---: |")
    for limit in given.macs:
        for name in given.strategies:
            settings = override(with_bounds(space.settings, [f"macs <= {limit}"]), [f"strategy={name}", *given.set])
            one = replace(space, settings=settings)
            print(row(table, one, data, f"{name}, {limit:,}", given.seeds, limit), flush=True)


if __name__ == "__main__":
    main()
