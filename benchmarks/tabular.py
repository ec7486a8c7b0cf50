"""Train all networks of `spaces/tabular.nas`: `python -m benchmarks.tabular train --out tabular.jsonl [--jobs N]`, some
at a time (`--time 400` seconds, what is there is not done again), then `table` makes spaces/tabular.csv of it.

Each network is trained with seeds 0, 1 and 2 by the program's own recipe, one thread each. Networks are in the order of
the space's decisions, their options as written.
"""

import argparse
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

import nasir
from benchmarks.training import trained
from nasir.data import DataSet, input_of, load_data

SEEDS = (0, 1, 2)


@cache
def space() -> nasir.Space:
    """The space, once a process."""
    return nasir.load("tabular")


@cache
def data() -> DataSet:
    """The signals, once a process."""
    torch.set_num_threads(1)
    return load_data("signals", input_of(space().graph))


def networks() -> Iterator[dict[str, Any]]:
    """All of them, in order."""
    decisions = space().decisions
    for options in itertools.product(*(one.options for one in decisions)):
        yield dict(zip((one.name for one in decisions), options, strict=True))


def one(task: tuple[int, Mapping[str, Any], int]) -> str:
    """One training, as a line."""
    place, choices, seed = task
    _, right = trained(space().at(choices), data(), seed)
    return json.dumps({"network": place, "seed": seed, "right": right})


def train(out: Path, jobs: int, seconds: float) -> None:
    """Train what is missing, seed by seed."""
    began = time.monotonic()
    done = {(line["network"], line["seed"]) for line in map(json.loads, out.open())} if out.exists() else set()
    tasks = [
        (place, choices, seed)
        for seed in SEEDS
        for place, choices in enumerate(networks())
        if (place, seed) not in done
    ]
    print(f"{len(tasks):,} trainings are missing", flush=True)
    with get_context("spawn").Pool(jobs) as pool, out.open("a") as file:
        for number, line in enumerate(pool.imap_unordered(one, tasks), 1):
            print(line, file=file, flush=True)
            if number % 200 == 0:
                print(f"{number:,} in {time.monotonic() - began:.0f} s", flush=True)
            if time.monotonic() - began > seconds:
                pool.terminate()
                break


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("train",))
    options.add_argument("--out", type=Path, default=Path("runs/tabular.jsonl"))
    options.add_argument("--jobs", type=int, default=1)
    options.add_argument("--time", type=float, default=float("inf"), help="in seconds")
    given = options.parse_args()
    train(given.out, given.jobs, given.time)


if __name__ == "__main__":
    main()
