"""What a worker does: one search, or one training."""

import hashlib
import time
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

import torch

from benchmarks.quality.lines import Key, Line
from benchmarks.quality.sets import SETS, Set, network, recipe
from benchmarks.training import searched, told_right, trained
from nasir.api import Space, emit
from nasir.data import DataSet
from nasir.execution import network_class
from nasir.ir.graph import Choices
from nasir.jobs.signals import Pauses
from nasir.lang.settings import override
from nasir.searching.candidates import designed
from nasir.searching.landing import Standing, near
from nasir.searching.loop import Search
from nasir.searching.one_shot import OneShot
from nasir.searching.prices import targets

STRATEGIES = {
    "halving": ("strategy=halving", "epochs=24", "candidates=16", "batch=32", "weights=adam(lr=0.01)"),
    "dmasking": ("strategy=dmasking",),
    "evolution": ("strategy=evolution", "epochs=8", "batch=32"),
    "factored": ("strategy=evolution", "epochs=8", "batch=32"),
    "dnas": ("strategy=dmasking",),
}
"""What each way to search changes of a space's settings."""
FORMS = ("factored", "dnas")
"""Those that have a space of their own (`Set.forms`), where a set has one for them."""
TRAININGS = range(3)
POOLS = ("random", "designed")
"""What a search's time could be spent on as well: random networks, and random ones of one design."""
_LEAST = 0.95
"""Random networks use at least this share of the bound, where single changes lead there."""
_TUNED_EPOCHS = 2
_TOO_WIDE = 1.5  # of the bound: no wider template keeps it


def search(key: Key) -> Line:
    """One search."""
    torch.set_num_threads(1)
    one = SETS[key.set]
    file = one.forms.get(key.contender, one.file)
    space = one.at(file, one.parameters)
    changes = [*STRATEGIES[key.contender], *one.searches.get(key.contender, ())]
    space = replace(space, settings=override(space.settings, changes, "search"))
    data = one.loaded()
    began = time.process_time()
    loop, found = searched(space, data, key.seed)
    seconds = time.process_time() - began
    shares = isinstance(loop.strategy, OneShot)  # weights
    ranked = range(one.pool) if shares and file == one.file else ()
    losses = tuple(_judged(loop, pooled(one, number)) for number in ranked)
    plain, tuned = _sliced(space, data, loop, found.choices, key.seed) if shares else (None, None)
    likeliest = None if found.entropy is None else space.costs.at(found.likeliest)["macs"]
    costs = space.costs.at(found.choices)
    return Line(
        key,
        costs["macs"],
        costs["params"],
        found.score,
        seconds,
        code(),
        file,
        dict(one.parameters),
        found.choices,
        likeliest,
        found.entropy,
        plain,
        tuned,
        losses,
    )


def _judged(loop: Search, choices: Choices) -> float:
    return loop.strategy.evaluate(choices, Pauses())[0]  # pyright: ignore[reportAttributeAccessIssue,reportUnknownVariableType,reportUnknownMemberType]


def _sliced(space: Space, data: DataSet, loop: Search, choices: Choices, seed: int) -> tuple[float, float]:
    """The test accuracy with the supernet's weights, as they are, and after two epochs of the recipe from there."""
    state, made = loop.weights(choices), recipe(space.at(choices), (f"epochs={_TUNED_EPOCHS}",))
    module = network_class(Path("model.py"), emit(made))()
    module.load_state_dict(dict(state))
    plain = told_right(module, data, made.settings.train.batch)
    _, tuned = trained(made, data, seed, state)
    return plain / len(data.test), tuned / len(data.test)


def train(key: Key, file: str, parameters: tuple[tuple[str, object], ...], choices: Choices) -> Line:
    """One training: a pick on the part of the inputs that searches train weights on, judged on the other part."""
    torch.set_num_threads(1)
    one = SETS[key.set]
    made = recipe(network(one, file, dict(parameters), choices), one.recipes[key.recipe])
    data = one.loaded()
    if key.what == "pick":
        weights, architecture = data.divided(one.space().settings.search.split, key.seed)
        data = replace(data, train=weights, test=architecture)
    began = time.process_time()
    _, right = trained(made, data, key.training)
    seconds = time.process_time() - began
    costs = made.costs.at({})
    accuracy = right / len(data.test)
    return Line(key, costs["macs"], costs["params"], accuracy, seconds, code(), file, dict(parameters), choices)


@cache
def pooled(one: Set, number: int, pool: str = "random") -> Choices:
    """A random network that uses the bound up, a function of its number; of one design where the pool says so."""
    space = one.space()
    goal = targets(space.settings.objective, space.costs)
    if pool == "designed":
        return designed(space, goal, _LEAST, 10_000 + number)
    standing = Standing(space.costs, space.sample(10_000 + number), goal.bounds, goal.spent)
    return near(standing, {d.name: d.options for d in space.decisions}, _LEAST, number)


@cache
def widest(one: Set, name: str) -> tuple[tuple[str, object], ...]:
    """The parameters of a template at the scale, and the rounding of widths, that come nearest to the bound."""
    template = one.templates[name]
    (bound,) = one.space().settings.objective.bounds
    best: tuple[int, tuple[tuple[str, object], ...]] = (0, ())
    macs = 0
    for step, shift in ((step, shift) for step in count(10) for shift in (-0.4, -0.2, 0.0, 0.2, 0.4)):
        if shift < 0 and macs > _TOO_WIDE * bound.limit:
            break
        scaled = {**template.parameters, "alpha": step / 100, "shift": shift}
        macs = one.at(template.file, scaled).costs.at({})["macs"]
        if best[0] < macs <= bound.limit:
            best = macs, tuple(scaled.items())
    return best[1]


@cache
def code() -> str:
    """A digest of the programs that a result depends on."""
    root = Path(__file__).parent.parent.parent
    folders = ("nasir", "benchmarks", "codegen", "grammars", "spaces")
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*")):
        if path.suffix in {".py", ".lark", ".j2", ".nas"}:
            digest.update(path.relative_to(root).as_posix().encode("utf-8") + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
