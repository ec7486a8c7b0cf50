"""How near a network's measured latency is to what its device file says, and whether searches keep their bounds.

    python -m benchmarks.latency networks fbnetv2_l --with sizes=224 --profile device.json
    python -m benchmarks.latency searches digits --profile device.json --out runs/latency
    python -m benchmarks.latency equals fashion.nas --profile device.json --bound 300us --data idx:DIR

`networks` measures random networks of the space, and 30 others that calibrate, all interleaved in one session: how far
the sums of the file's kernels are from networks, without what the machine did in between.
`searches` runs ten searches under bounds from near the least to near the most, and measures each result.
`equals` searches under a bound on latency, then under bounds on multiply-adds about those of what was found, measures
all of them in one session, and trains the first, and of the others the one nearest to its latency, three times each.
"""

import argparse
import json
import random
import statistics
from dataclasses import replace
from pathlib import Path

import torch

import nasir
from benchmarks.regret import searched
from benchmarks.training import trained
from nasir.cost.extremes import cost_range
from nasir.cost.model import CostModel
from nasir.cost.profile import Profile, read_profile
from nasir.cost.tabled import Latency
from nasir.data import input_of, load_data
from nasir.ir.graph import Choices
from nasir.lang.settings import override, with_bounds
from nasir.profiling.calibrating import calibrated, networks_of, wholes
from nasir.profiling.runtime import runtime_of

_APART = 1_000_000
"""Seeds that no calibration has drawn."""
_CALIBRATE = 30


def networks(space: nasir.Space, profile: Profile, count: int) -> None:
    """Measure random networks, `count` and those that calibrate, in one session; print how far they are from what is
    predicted."""
    runtime, draw = runtime_of(profile), random.Random(1)
    assert runtime is not None, "the file is of a runtime that is measured"
    first = networks_of(space, _CALIBRATE, 0)
    chosen = networks_of(space, count, _APART)
    measured = wholes(space, profile, runtime, [*first, *chosen, *[chosen[0]] * 5], 1, draw)
    calibration = calibrated(measured[: len(first)])
    tested, again = measured[len(first) : len(first) + len(chosen)], measured[len(first) + len(chosen) :]
    errors = [one.taken / calibration.told(one.sums) - 1 for one in tested]
    upper = [one.taken <= calibration.told(one.sums) * (1 + calibration.upper) for one in tested]
    print(f"{len(errors)} networks, {min(o.taken for o in tested):,.0f} to {max(o.taken for o in tested):,.0f} us")
    for share in (0.05, 0.10):
        print(f"within {share:.0%}: {statistics.mean(abs(e) <= share for e in errors):.0%}")
    print(f"within the upper quantile: {statistics.mean(upper):.0%}")
    print(f"errors: {min(errors):+.1%} to {max(errors):+.1%}, median {statistics.median(errors):+.1%}")
    spread = max(one.taken for one in again) / min(one.taken for one in again) - 1
    print(f"one network five times: {spread:.1%} apart")


def searches(space: nasir.Space, path: Path, out: Path, epochs: int) -> None:
    """Search under ten bounds, measure the results, print how they compare."""
    from rich.console import Console

    from nasir.runs.request import Request
    from nasir.runs.run import search

    profile = read_profile(path)
    runtime = runtime_of(profile)
    assert runtime is not None, "the file is of a runtime that is measured"
    name = Latency(path.name, profile).name
    low, high = cost_range(CostModel(space.graph, [Latency(path.name, profile)]), name)
    bounds = [low + (high - low) * (i + 1) / 11 for i in range(10)]
    rows = []
    for number, bound in enumerate(bounds):
        settings = with_bounds(space.settings, [f"{name} <= {bound / 1000:.3f}us"])
        settings = replace(settings, objective=replace(settings.objective, bounds=settings.objective.bounds[-1:]))
        settings = override(settings, [f"search.epochs={epochs}", "train.epochs=1"])
        request = Request(out=out / f"{number}", overwrite=True)
        search(replace(space, settings=settings), request, Console(quiet=True))
        choices = json.loads((out / f"{number}" / "choices.json").read_text())
        rows.append((bound / 1000, space.choices(choices)))
    found = wholes(space, profile, runtime, [choices for _, choices in rows], 1, random.Random(0))
    print("| bound, us | predicted (upper), us | measured, us | measured over bound |\n| ---: | ---: | ---: | ---: |")
    shares = []
    for (bound, _), whole in zip(rows, found, strict=True):
        upper = profile.calibration.told(whole.sums) * (1 + profile.calibration.upper)
        shares.append(whole.taken / bound)
        print(f"| {bound:,.1f} | {upper:,.1f} | {whole.taken:,.1f} | {shares[-1]:.1%} |")
    print(f"kept: {sum(share <= 1 for share in shares)} of {len(shares)}; median {statistics.median(shares):.1%}")


def equals(space: nasir.Space, path: Path, bound: str, data: str, epochs: int, images: int) -> None:
    """A network bounded by latency and one bounded by multiply-adds, of about equal measured latency."""
    torch.set_num_threads(1)
    profile = read_profile(path)
    name, runtime = Latency(path.name, profile).name, runtime_of(profile)
    assert runtime is not None, "the file is of a runtime that is measured"
    loaded = load_data(data, input_of(space.graph))
    some = replace(loaded, train=loaded.train.take(torch.arange(min(images, len(loaded.train)))))

    def found(limit: str) -> Choices:
        settings = override(with_bounds(space.settings, [limit]), [f"search.epochs={epochs}"])
        bounds = settings.objective.bounds[-1:]
        one = replace(space, settings=replace(settings, objective=replace(settings.objective, bounds=bounds)))
        choices, seconds = searched(one, some, 0)
        print(f"{limit}: {space.at(choices).costs.at({})}, {seconds:.0f} s", flush=True)
        return choices

    first = found(f"{name} <= {bound}")
    macs = space.at(first).costs.at({})["macs"]
    every = [first, *(found(f"macs <= {round(share * macs)}") for share in (0.8, 1.0, 1.25, 1.5))]
    measured = wholes(space, profile, runtime, every, 1, random.Random(0))
    nearest = min(range(1, len(every)), key=lambda i: abs(measured[i].taken - measured[0].taken))
    print(
        "| bound | multiply-adds | measured, us | test accuracy, each of three trainings |\n| --- | ---: | ---: | --- |"
    )
    for place in (0, nearest):
        network = space.at(every[place])
        right = [trained(network, some, seed)[1] / len(some.test) for seed in range(3)]
        told = f"{', '.join(f'{one:.2%}' for one in right)}; mean {statistics.mean(right):.2%}"
        words = ("latency", "multiply-adds")[place > 0]
        print(f"| {words} | {network.costs.at({})['macs']:,} | {measured[place].taken:,.0f} | {told} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("networks", "searches", "equals"))
    parser.add_argument("space")
    parser.add_argument("--with", dest="given", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--profile", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--bound", help="a latency with its unit, for `equals`")
    parser.add_argument("--data", default="digits")
    parser.add_argument("--images", type=int, default=10_000, help="training inputs, the first ones")
    parser.add_argument("--out", type=Path, default=Path("runs/latency"))
    asked = parser.parse_args()
    given = dict(text.split("=", 1) for text in asked.given)
    if asked.what == "networks":
        networks(nasir.load(asked.space, **given), read_profile(asked.profile), asked.count)
        return
    folder = asked.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "program.nas"  # beside the device file, which its bounds name
    program.write_text(Path(nasir.load(asked.space).source.name).read_text(encoding="utf-8"), encoding="utf-8")
    (folder / asked.profile.name).write_bytes(asked.profile.read_bytes())
    space, table = nasir.load(program, **given), folder / asked.profile.name
    if asked.what == "searches":
        searches(space, table, folder, asked.epochs)
    else:
        equals(space, table, asked.bound, asked.data, asked.epochs, asked.images)


if __name__ == "__main__":
    main()
