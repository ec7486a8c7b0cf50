"""What strategies are worth on the tabular benchmark: `python -m benchmarks.regret [--strategies dmasking ...]`.

Each strategy searches the space `tabular` with each seed; the accuracy of what it finds is looked up in the table.
Beside it is the regret that the best of so many random networks that use the bound up is expected to have, exactly,
for as many trainings as the search took the time of: what one training takes is measured in the same run, between the
searches.
"""

import argparse
import statistics
import time
from dataclasses import replace

import torch

import nasir
from benchmarks.training import fresh_signals, searched, trained
from nasir.data import DataSet, input_of
from nasir.lang.settings import override, with_bounds
from nasir.tabular import Table, read

_LEAST = 0.95
"""Random networks use at least this share of the bound, as in `benchmarks.quality`."""


def row(table: Table, space: nasir.Space, data: DataSet, name: str, seeds: list[int], limit: float) -> str:
    """A strategy's line."""
    regrets, prices = [], []
    for seed in seeds:
        began = time.process_time()
        _, found = searched(space, data, seed)
        seconds, began = time.process_time() - began, time.process_time()
        trained(space.at(found.choices), data, seed)
        prices.append(seconds / (time.process_time() - began))
        regrets.append(table.regret(found.choices, "macs", limit))
    price = statistics.mean(prices)
    random = table.random_regret(max(1, round(price)), "macs", limit, _LEAST)
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
    data = fresh_signals(input_of(space.graph))
    print("| strategy, bound | regret, points | each seed | price, trainings | random's at that price, points |")
    print("| --- | ---: | --- | ---: | ---: |")
    for limit in given.macs:
        for name in given.strategies:
            settings = override(with_bounds(space.settings, [f"macs <= {limit}"]), [f"strategy={name}", *given.set])
            one = replace(space, settings=settings)
            print(row(table, one, data, f"{name}, {limit:,}", given.seeds, limit), flush=True)


if __name__ == "__main__":
    main()
