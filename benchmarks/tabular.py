"""How `spaces/tabular.csv` is made: every network of `spaces/tabular.nas` is trained, and its latency told.

    python -m benchmarks.tabular train --out tabular.jsonl [--jobs N] [--on ray] [--time SECONDS]
    nasir profile tabular -o device.json
    python -m benchmarks.tabular table --out tabular.jsonl --profile device.json

Each is trained with seeds 0, 1 and 2 by the program's own recipe, one thread each; what is there is not done again. The
table has the seeds that all networks have. Latency is the sum of a network's measured kernels, calibrated by networks
that were measured whole.
"""

import argparse
import csv
import json
import time
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

import nasir
from benchmarks.training import fresh_signals, trained
from nasir import resources
from nasir.cost.profile import Profile, read_profile
from nasir.data import DataSet, input_of
from nasir.jobs.pool import LOCAL, Job, pool
from nasir.profiling.calibrating import summed
from nasir.tabular import COSTS, NAME, networks

SEEDS = (0, 1, 2)


@cache
def space() -> nasir.Space:
    """The space, once a process."""
    return nasir.load(NAME)


@cache
def data() -> DataSet:
    """The signals, those for the test fresh ones, once a process."""
    torch.set_num_threads(1)
    return fresh_signals(input_of(space().graph))


def one(task: tuple[int, Mapping[str, Any], int]) -> str:
    """One training, as a line."""
    place, choices, seed = task
    _, right = trained(space().at(choices), data(), seed)
    return json.dumps({"network": place, "seed": seed, "right": right})


def train(out: Path, on: str, jobs: int | None, seconds: float) -> None:
    """Train what is missing, seed by seed."""
    began = time.monotonic()
    done = {(line["network"], line["seed"]) for line in map(json.loads, out.open())} if out.exists() else set()
    tasks = [
        (place, choices, seed)
        for seed in SEEDS
        for place, choices in enumerate(networks(space()))
        if (place, seed) not in done
    ]
    print(f"{len(tasks):,} trainings are missing", flush=True)
    every = [Job(f"network {task[0]}, seed {task[2]}", partial(one, task)) for task in tasks]
    with pool(on, at_once=jobs, cpus=1) as workers, out.open("a") as file:
        for number, outcome in enumerate(workers.run(every), 1):
            print(outcome.result(), file=file, flush=True)
            if number % 200 == 0:
                print(f"{number:,} in {time.monotonic() - began:.0f} s", flush=True)
            if time.monotonic() - began > seconds:
                break


def table(lines: Path, profile: Profile, out: Path) -> None:
    """Write the table of the seeds that all networks have."""
    every = networks(space())
    found = {(line["network"], line["seed"]): line["right"] for line in map(json.loads, lines.open())}
    seeds = [seed for seed in SEEDS if all((place, seed) in found for place in range(len(every)))]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COSTS, *(f"right{seed}" for seed in seeds)])
        for place, choices in enumerate(every):
            costs = space().at(choices).costs.at({})
            latency = profile.calibration.told(summed(space(), profile, choices))
            right = [found[place, seed] for seed in seeds]
            writer.writerow([costs["macs"], costs["params"], round(latency, 1), *right])
    print(f"{len(every):,} networks, seeds {', '.join(map(str, seeds))}: {out}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=("train", "table"))
    options.add_argument("--out", type=Path, default=Path("runs/tabular.jsonl"))
    options.add_argument("--on", default=LOCAL, help="local, ray or ray://HOST:PORT")
    options.add_argument("--jobs", type=int, help="at a time")
    options.add_argument("--time", type=float, default=float("inf"), help="in seconds")
    options.add_argument("--profile", type=Path, help="a device file")
    given = options.parse_args()
    if given.what == "train":
        train(given.out, given.on, given.jobs, given.time)
    else:
        table(given.out, read_profile(given.profile), resources.folder("spaces") / f"{NAME}.csv")


if __name__ == "__main__":
    import benchmarks.tabular as named  # workers know its functions by this name

    named.main()
