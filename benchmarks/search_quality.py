"""Does the search find good networks? Searched networks against random ones of the same multiply-adds.

`python -m benchmarks.search_quality --data idx:DIR` (Debian's package dataset-fashion-mnist puts Fashion-MNIST into
/usr/share/datasets/fashion-mnist) searches a space in two forms, kernels as alternatives and factored, with each seed;
draws random networks within 5% of the bound; trains all of them alike from scratch, with each of the seeds; and writes
search_quality.json and search_quality.md. A network's accuracy varies from training to training nearly as much as from
network to network, so that means over the seeds are compared. The rank correlation (Spearman's) says how well a
supernet's weights tell the random networks apart: between their losses with those weights and their mean accuracies.
What is done is kept in tasks.jsonl, and not done again while all that it depends on is the same.
"""

import argparse
import hashlib
import itertools
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from rich.console import Console

import nasir
from benchmarks import training
from benchmarks.spaces import fashion
from nasir.data import DataSet, input_of, load_data
from nasir.files import replace_atomically
from nasir.jobs.folder import RunFolder
from nasir.jobs.pool import LOCAL, Job, Pool, pool
from nasir.jobs.signals import Pauses
from nasir.lang.settings import override, with_bounds
from nasir.searching.loop import Search
from nasir.searching.prices import targets

FORMS = {"alternatives": False, "factored": True}
TOLERANCE = 0.05


@dataclass(frozen=True)
class Setup:
    """What all tasks share."""

    data: str
    images: int
    bound: str
    search: tuple[str, ...]
    train: tuple[str, ...]


def space_of(setup: Setup, form: str, folder: Path) -> nasir.Space:
    path = folder / "fashion.nas"
    path.write_text(fashion(FORMS[form]), encoding="utf-8")
    space = nasir.load(path)
    settings = override(with_bounds(space.settings, [setup.bound]), list(setup.search), "search")
    return replace(space, settings=override(settings, list(setup.train), "train"))


def data_of(setup: Setup, space: nasir.Space) -> DataSet:
    """The first of the training images; the test images are used for the last figure alone."""
    data = load_data(setup.data, input_of(space.graph))
    return replace(data, train=data.train.take(torch.arange(min(setup.images, len(data.train)))))


def searched(setup: Setup, form: str, count: int, seed: int) -> dict[str, Any]:
    """A search: its choices, the time it took, and the cross-entropy that `count` random networks have with the
    supernet's weights."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as name:
        folder = Path(name)
        space = space_of(setup, form, folder)
        goal = targets(space.settings.objective, space.costs)
        data = data_of(setup, space)
        start = time.perf_counter()
        loop = Search(space, data, goal, seed, torch.device("cpu"))
        run = RunFolder(folder / "run")
        run.start(overwrite=False)
        loop.run(run, lambda epoch, values: None, Pauses())
        found = loop.choose(Pauses())
        seconds = time.perf_counter() - start
        costs = space.costs.at(found.choices)
        likeliest = space.costs.at(loop.strategy.supernet.argmax())["macs"]
        losses = [loop.strategy.evaluate(in_form(space, choices), Pauses())[0] for choices in drawn(setup, count)]
        facts = {"likeliest_macs": likeliest, "seconds": seconds, "random_losses": losses}
        return {"choices": found.choices, **costs, **facts}


def trained(setup: Setup, form: str, choices: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """A network from scratch: its accuracy on the test images, and the time it took."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as name:
        space = space_of(setup, form, Path(name))
        network, data = space.at(choices), data_of(setup, space)
        start = time.perf_counter()
        _, right = training.trained(network, data, seed)
        seconds = time.perf_counter() - start
        return {"accuracy": right / len(data.test), "seconds": seconds, **network.costs.at({})}


def drawn(setup: Setup, count: int) -> list[dict[str, Any]]:
    """Random networks within `TOLERANCE` of the bound, uniform among the assignments that are."""
    with TemporaryDirectory() as name:
        space = space_of(setup, "alternatives", Path(name))
        limit = targets(space.settings.objective, space.costs).bounds[0].limit
        near = (
            choices
            for choices in map(space.sample, itertools.count())
            if abs(space.costs.at(choices)["macs"] / limit - 1) <= TOLERANCE
        )
        return list(itertools.islice(near, count))


def in_form(space: nasir.Space, choices: Mapping[str, Any]) -> dict[str, Any]:
    """The choices of a network of the alternatives, in the form that the space has."""
    names = {decision.name for decision in space.decisions}
    found: dict[str, Any] = {}
    for name, option in choices.items():
        layer, _, what = name.rpartition(".")
        kernel = f"{layer}:ir.kernel"
        if what != "block" or kernel not in names:
            found[name] = option
            continue
        found[kernel] = 5 if option == "k5" else 3
        if name in names:
            found[name] = "skip" if option == "skip" else "ir"
    return found


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's, of values without ties."""
    ranks = [np.argsort(np.argsort(values)) for values in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def code_digest() -> str:
    """A digest of the programs that a result depends on."""
    root = Path(__file__).parent.parent
    files = [
        path
        for folder in ("nasir", "benchmarks", "codegen", "grammars", "spaces")
        for path in (root / folder).rglob("*")
    ]
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path.suffix in {".py", ".lark", ".j2", ".nas"}):
        digest.update(path.relative_to(root).as_posix().encode("utf-8") + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@dataclass(frozen=True)
class Task:
    """Something to be done: what it depends on, and the function that does it."""

    inputs: Mapping[str, Any]
    do: Callable[[], dict[str, Any]]


class Results:
    """What is done, by its key, in a file that a later run reads: of that, what depends on the same inputs holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lines: list[dict[str, Any]] = []
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                self._lines.append(json.loads(line))
            except json.JSONDecodeError:
                break  # the end of a run that was killed
        path.write_text("".join(map(_line, self._lines)), encoding="utf-8")
        self.found: dict[str, dict[str, Any]] = {}

    def complete(self, tasks: Mapping[str, Task], workers: Pool, console: Console) -> None:
        """Have what is missing done. Each result is written as it comes; at the end the lines are in the tasks' order,
        those of other tasks behind them."""
        inputs = {key: json.loads(json.dumps(task.inputs)) for key, task in tasks.items()}
        for line in self._lines:
            if line["inputs"] == inputs.get(line["key"]):
                self.found[line["key"]] = line["result"]
        missing = {key: task for key, task in tasks.items() if key not in self.found}
        for outcome in workers.run([Job(key, task.do) for key, task in missing.items()]):
            key = outcome.key
            self.found[key] = outcome.result()
            self._lines.append({"key": key, "inputs": inputs[key], "result": self.found[key]})
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(self._lines[-1]))
            shown = {n: v for n, v in self.found[key].items() if n not in {"choices", "random_losses"}}
            console.print(f"{key}: {shown}", highlight=False, soft_wrap=True)
        order = {key: place for place, key in enumerate(tasks)}
        self._lines.sort(key=lambda line: order.get(line["key"], len(order)))
        replace_atomically(self._path, "".join(map(_line, self._lines)).encode("utf-8"))


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values) + "\n"


def percentile(values: Sequence[float], value: float) -> float:
    """The share of the values that are below, those equal counted half."""
    return 100 * sum((v < value) + 0.5 * (v == value) for v in values) / len(values)


def table(results: Results, seeds: Sequence[int], count: int) -> tuple[str, dict[str, Any]]:
    """The figures, as Markdown and as data."""

    def accuracy_of(key: str) -> list[float]:
        return [results.found[f"{key} {seed}"]["accuracy"] for seed in seeds]

    randoms = [accuracy_of(f"random {i}") for i in range(count)]
    means = [statistics.mean(one) for one in randoms]
    macs = [results.found[f"random {i} {seeds[0]}"]["macs"] for i in range(count)]
    lines = [
        f"| network | macs | test accuracy, mean of {len(seeds)} trainings | percentile among the random ones' means |"
        " percentile, its search's seed alone | rank correlation | search / training time |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    summary: dict[str, Any] = {"random": randoms}
    for form in FORMS:
        rows: list[dict[str, float]] = []
        for at, seed in enumerate(seeds):
            search, own = results.found[f"search {form} {seed}"], accuracy_of(f"train {form} {seed}")
            times = [results.found[f"train {form} {seed} {one}"]["seconds"] for one in seeds]
            row = {
                "accuracy": statistics.mean(own),
                "percentile": percentile(means, statistics.mean(own)),
                "percentile_alone": percentile([one[at] for one in randoms], own[at]),
                "rank_correlation": rank_correlation(means, [-loss for loss in search["random_losses"]]),
                "search_over_training": search["seconds"] / statistics.mean(times),
            }
            rows.append(row)
            lines.append(f"| {form}, searched with seed {seed} | {search['macs']:,} | {_figures(row)} |")
        mean = {name: statistics.mean(row[name] for row in rows) for name in rows[0]}
        lines.append(f"| **{form}, mean** | | {_figures(mean)} |")
        summary[form] = {"seeds": rows, "mean": mean}
    spread = f"mean {statistics.mean(means):.4f}, best {max(means):.4f}"
    lines.append(f"| {count} random | {min(macs):,} to {max(macs):,} | {spread} | | | | |")
    noise = statistics.mean(map(statistics.variance, randoms)) ** 0.5 if len(seeds) > 1 else 0.0
    summary["noise"] = {"one_training": noise, "random_means": statistics.stdev(means)}
    return "\n".join(lines) + "\n", summary


def _figures(row: Mapping[str, float]) -> str:
    shares = f"{row['accuracy']:.4f} | {row['percentile']:.1f} | {row['percentile_alone']:.1f}"
    return f"{shares} | {row['rank_correlation']:.2f} | {row['search_over_training']:.1f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", default="idx:/usr/share/datasets/fashion-mnist")
    options.add_argument("--images", type=int, default=20_000, help="training images, the first ones")
    options.add_argument("--bound", default="macs <= 1.1M")
    options.add_argument("--random", type=int, default=20)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument(
        "--search",
        nargs="*",
        default=[
            "epochs=15",
            "warmup=3",
            "batch=64",
            "architecture=adam(lr=0.02)",
            "temperature=2.0*exp(-0.2*epoch)",  # a supernet that ranks networks better than the paper's from 5.0
            "candidates=16",
        ],
    )
    options.add_argument("--train", nargs="*", default=["epochs=8", "batch=64", "label_smoothing=0.05"])
    options.add_argument("--on", default=LOCAL, help="local, ray or ray://HOST:PORT")
    options.add_argument("--jobs", type=int, default=1, help="workers, of one thread each")
    options.add_argument("--out", type=Path, default=Path("runs/bench/search_quality"))
    given = options.parse_args()
    setup = Setup(given.data, given.images, given.bound, tuple(given.search), tuple(given.train))
    console = Console(highlight=False)
    results = Results(given.out / "tasks.jsonl")
    code = {"torch": torch.__version__, "code": code_digest()}
    alike = {**code, **{name: value for name, value in vars(setup).items() if name != "search"}}
    searches = {
        f"search {f} {s}": Task(
            {**code, **vars(setup), "train": (), "random": given.random}, partial(searched, setup, f, given.random, s)
        )
        for s in given.seeds
        for f in FORMS
    }
    randoms = {
        f"random {i} {s}": Task({**alike, "choices": choices}, partial(trained, setup, "alternatives", choices, s))
        for s in given.seeds
        for i, choices in enumerate(drawn(setup, given.random))
    }
    with pool(given.on, at_once=given.jobs, cpus=1, tell=console.print) as workers:
        results.complete({**searches, **randoms}, workers, console)
        trainings: dict[str, Task] = {}
        for f, s, one in itertools.product(FORMS, given.seeds, given.seeds):
            choices = results.found[f"search {f} {s}"]["choices"]
            trainings[f"train {f} {s} {one}"] = Task(
                {**alike, "choices": choices}, partial(trained, setup, f, choices, one)
            )
        results.complete(trainings, workers, console)
    text, summary = table(results, given.seeds, given.random)
    machine = {"machine": platform.machine(), "torch": torch.__version__, "threads": 1, "jobs": given.jobs}
    facts = {**machine, **vars(setup), "seeds": given.seeds, "random": given.random, "summary": summary}
    (given.out / "search_quality.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    (given.out / "search_quality.md").write_text(text, encoding="utf-8")
    console.print(text, soft_wrap=True)


if __name__ == "__main__":
    import benchmarks.search_quality as named  # workers know its functions by this name

    named.main()
