"""A trained network at half of its multiply-adds: searched from its weights, pruned by Torch-Pruning, narrowed evenly.

    pip install torch-pruning
    python -m benchmarks.pruning --out runs/pruning [--images 10000] [--seeds 3]

Fashion-MNIST, `--images` of its training images, all of its test images. Each seed trains one network; every row starts
from that network's weights (`anew`: from none), has at most half of its multiply-adds, and is trained for the same
epochs by the same recipe. What a row needs before that stands in `before`: the search's epochs.
"""

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import nasir
from nasir.data import DataSet, input_of, load_data
from nasir.execution import network_class
from nasir.jobs.folder import RunFolder
from nasir.jobs.ranks import Ranks
from nasir.jobs.signals import Pauses
from nasir.searching.loop import Search
from nasir.searching.measures import Confusion
from nasir.searching.prices import targets
from nasir.searching.training import Training, counted
from nasir.supernets.starting import Given, start_from

PROGRAM = """
block res(mid) {{
  inner = x -> conv(3, mid) -> bn -> relu -> conv(3, x.channels) -> bn
  return shortcut(x, inner) -> relu
}}

space net(classes = 10) {{
  x = image(1, size=28)
  a = x -> conv(3, {0}, stride=2) -> bn -> relu -> res({1})
  b = a -> conv(3, {2}, stride=2) -> bn -> relu -> res({3})
  c = b -> conv(3, {4}, stride=2) -> bn -> relu -> res({5})
  return c -> global_avg_pool -> linear(classes)
}}

objective {{
  minimize cross_entropy
  subject to macs <= 50%
}}

search {{
  epochs       = {search}
  batch        = 64
  warmup       = 0
  weights      = sgd(lr=0.02, momentum=0.9, weight_decay=1e-4)
  architecture = adam(lr=0.1)
}}

train {{
  epochs     = {train}
  batch      = 64
  validation = 0
  weights    = sgd(lr={rate}, momentum=0.9, weight_decay=1e-4)
}}
"""
WIDTHS = (24, 24, 48, 48, 96, 96)
SHARES = (0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
TRAINED, TUNED, SEARCHED = 8, 4, 4
_RATES = {TRAINED: 0.05, TUNED: 0.02}


def space_of(widths: Sequence[str], epochs: int) -> nasir.Space:
    """The program with these widths; its training is of so many epochs."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "net.nas"
        text = PROGRAM.format(*widths, search=SEARCHED, train=epochs, rate=_RATES[epochs])
        path.write_text(text, encoding="utf-8")
        return nasir.load(path)


def opened() -> nasir.Space:
    """Every width a set of shares of itself."""
    return space_of(["{" + ", ".join(str(round(w * share)) for share in SHARES) + "}" for w in WIDTHS], TUNED)


def module_of(network: nasir.Space) -> nn.Module:
    return network_class(Path("model.py"), nasir.emit(network))()


def data_of(images: int, space: nasir.Space) -> DataSet:
    data = load_data("idx:/usr/share/datasets/fashion-mnist", input_of(space.graph))
    return replace(data, train=data.train.take(torch.arange(min(images, len(data.train)))))


def fitted(module: nn.Module, space: nasir.Space, data: DataSet, seed: int) -> float:
    """The test accuracy of a module after the space's training."""
    settings, measure = space.settings.train, Confusion(data.classes)
    with TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.start(overwrite=False)
        training = Training(module, data, settings, seed, torch.device("cpu"), Ranks(), measure=measure)
        training.run(run, lambda epoch, values: None, Pauses())
    return measure.score(counted(module, data.test, settings.batch, measure))


def macs_of(module: nn.Module) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module.eval()(torch.zeros(1, 1, 28, 28))
    return counter.get_total_flops() // 2


def searched(state: dict[str, torch.Tensor], data: DataSet, seed: int) -> nn.Module:
    """The network that a search from the weights finds, with the weights it ends with."""
    space = opened()
    whole = space.largest("params")
    goal = targets(space.settings.objective, space.costs)
    loop = Search(space, data, goal, seed, torch.device("cpu"), start=Given(state, whole))
    with TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.start(overwrite=False)
        loop.run(run, lambda epoch, values: None, Pauses())
    found = loop.choose(Pauses())
    module = module_of(space.at(found.choices))
    module.load_state_dict(loop.weights(found.choices))
    return module


def even(limit: float) -> dict[str, Any]:
    """The widest choices of one share for all widths that keep the limit."""
    space = opened()
    best: dict[str, Any] = space.smallest()
    for place in range(len(SHARES)):
        choices = {d.name: d.options[place] for d in space.decisions}
        if space.costs.at(choices)["macs"] <= limit:
            best = choices
    return best


def narrowed(state: dict[str, torch.Tensor], limit: float) -> nn.Module:
    """Every width by one share, the most important channels kept."""
    space = opened()
    supernet = nasir.supernet(space)
    start_from(supernet, state, space.largest("params"))
    module = module_of(space.at(even(limit)))
    module.load_state_dict(supernet.state_for(even(limit)))
    return module


def pruned(module: nn.Module, limit: float) -> nn.Module:
    """The module after Torch-Pruning, by the L1 norms of groups over the whole network, step by step."""
    import torch_pruning as tp

    example = torch.zeros(1, 1, 28, 28)
    last = [one for one in module.modules() if isinstance(one, nn.Linear)]
    pruner = tp.pruner.BasePruner(
        module,
        example,
        importance=tp.importance.GroupMagnitudeImportance(p=1),
        iterative_steps=200,
        pruning_ratio=0.9,
        global_pruning=True,
        ignored_layers=last,
    )
    while macs_of(module) > limit:
        pruner.step()
    return module


def rows(seed: int, images: int) -> Iterator[dict[str, Any]]:
    """One seed's network and what becomes of it."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    original = space_of(list(map(str, WIDTHS)), TRAINED)
    data = data_of(images, original)
    module = module_of(original)
    accuracy, macs = fitted(module, original, data, seed), macs_of(module)
    yield {"seed": seed, "way": "the network", "macs": macs, "before": TRAINED, "accuracy": accuracy}
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    tuning, limit = opened(), macs / 2

    def whole() -> nn.Module:
        again = module_of(original)
        again.load_state_dict(state)
        return again

    torch.manual_seed(seed)
    ways: dict[str, tuple[int, Callable[[], nn.Module]]] = {
        "nasir: searched from its weights": (SEARCHED, lambda: searched(state, data, seed)),
        "Torch-Pruning, group L1, global": (0, lambda: pruned(whole(), limit)),
        "narrowed evenly, best channels": (0, lambda: narrowed(state, limit)),
        "narrowed evenly, anew": (0, lambda: module_of(opened().at(even(limit)))),
    }
    for way, (before, make) in ways.items():
        began = time.perf_counter()
        made = make()
        facts = {"macs": macs_of(made), "before": before, "accuracy": fitted(made, tuning, data, seed)}
        yield {"seed": seed, "way": way, **facts, "seconds": round(time.perf_counter() - began, 1)}


def listed(seed: int, images: int) -> list[dict[str, Any]]:
    return list(rows(seed, images))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/pruning"))
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        found = [row for part in pool.map(listed, range(asked.seeds), [asked.images] * asked.seeds) for row in part]
    with (asked.out / "pruning.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["seed", "way", "macs", "before", "accuracy", "seconds"])
        writer.writeheader()
        writer.writerows(found)
    print("| | multiply-adds | test accuracy, each seed | mean |\n| --- | ---: | --- | ---: |")
    for way in dict.fromkeys(row["way"] for row in found):
        own = [row for row in found if row["way"] == way]
        each = ", ".join(f"{row['accuracy']:.2%}" for row in own)
        macs = ", ".join(f"{n:,}" for n in dict.fromkeys(row["macs"] for row in own))
        print(f"| {way} | {macs} | {each} | {statistics.mean(row['accuracy'] for row in own):.2%} |")


if __name__ == "__main__":
    main()
