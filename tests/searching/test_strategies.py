"""Strategies and losses of others: named in the program, announced by an entry point."""

import json
import random
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
import torch
from torch.nn import functional as F

import nasir
from nasir.data import load_data
from nasir.diagnostics import CompileError
from nasir.jobs.signals import Stopped
from nasir.lang.settings import SearchSettings, TrainSettings, override
from nasir.runs.plan import plain_settings
from nasir.searching.landing import land, scores
from nasir.searching.loop import Search
from nasir.searching.loss import loss_of
from nasir.searching.prices import targets
from nasir.searching.strategy import Found
from nasir.searching.training import place
from nasir.supernets import build
from nasir.supernets.starting import Given
from tests.conftest import stop_at
from tests.searches import run, search_of
from tests.spaces import TINY

SAME = ("arch.nas", "choices.json", "metrics.jsonl", "model.safetensors", "probabilities.jsonl")


WEIGHTLESS = """
space weightless(classes = 10) {
  x = image(1, size=8)
  h = x -> {relu, hswish}
  return concat(h, h, h, h, h, h, h, h, h, h) -> global_avg_pool -> flatten
}

objective { minimize cross_entropy }

search {
  epochs     = 2
  candidates = 2
}
"""


class Uniform:
    """One random path a step (Guo et al., 2020); of four random networks within the bounds, the best."""

    def __init__(self, task):
        self.task = task
        self.supernet = build(task.space.graph)
        place(self.supernet, task.device)
        for logits in self.supernet.architecture():
            logits.requires_grad_(False)
        self.optimizer = torch.optim.SGD(list(self.supernet.weights()), lr=0.05)

    def begin(self, epoch):
        self.supernet.train()

    def train_weights(self, step, at):
        images, labels = step.batch
        loss = self.task.loss(self.supernet(images, choices=self.task.space.sample(at)).logits, labels)
        self.optimizer.zero_grad()
        loss.backward()
        step.check(loss.detach())
        self.optimizer.step()

    def metrics(self):
        return {"seen": 2}

    def probabilities(self):
        return self.supernet.probabilities()

    def choose(self, pauses):
        goal, likely = self.task.targets, scores(self.probabilities())
        starts = [self.task.space.sample(seed) for seed in range(4)]
        found = [land(start, likely, self.task.space.costs, goal.bounds, goal.spent) for start in starts]
        choices, lands = random.Random(self.task.seed).choice(found)
        return Found(choices, lands, 0.5, 1.0, choices)

    def parameters(self):
        return self.supernet.parameters()

    def state(self):
        return {"network": self.supernet.state_dict(), "optimizer": self.optimizer.state_dict()}

    def restore(self, state):
        self.supernet.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])


def hinge(logits, labels, label_smoothing):
    """The largest margin by which another class leads."""
    return F.multi_margin_loss(logits, labels)


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """A package with a strategy and two losses, one of which is broken."""
    here = "tests.searching.test_strategies"
    points = [
        EntryPoint("uniform", f"{here}:Uniform", "nasir.strategies"),
        EntryPoint("hinge", f"{here}:hinge", "nasir.losses"),
        EntryPoint("broken", f"{here}:nothing", "nasir.losses"),
    ]

    def entry_points(group, name=None):
        return [one for one in points if one.group == group and name in {None, one.name}]

    monkeypatch.setattr("nasir.extensions.entry_points", entry_points)


def settled(compiled, *texts):
    space = compiled(TINY)
    return replace(space, settings=override(space.settings, list(texts)))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("uniform", {"seen"}),
        ("explicit", {"entropy", "argmax_macs"}),
        ("random", set()),
        ("evolution", set()),
        ("halving", {"round", "judged", "best_loss"}),
    ],
)
def test_a_strategy_searches_stops_and_goes_on(name, told, compiled, tmp_path, monkeypatch):
    torch.set_num_threads(1)
    space = settled(compiled, f"strategy={name}", "epochs=2", "train.epochs=1", "candidates=3")
    summary = run(space, tmp_path / "whole")
    assert summary.costs["macs"] <= 15_000
    plan = json.loads((tmp_path / "whole" / "plan.json").read_text())
    assert plan["settings"]["search"]["strategy"] == name
    first = json.loads((tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()[0])
    assert {"loss"} | told <= first.keys()
    learns = name == "explicit"
    assert (first["architecture_loss"] is not None) == learns, "what nothing is learnt from is not read"
    with monkeypatch.context() as patched:
        stop_at(7, patched)
        with pytest.raises(Stopped):
            run(space, tmp_path / "stopped")
    run(space, tmp_path / "stopped", resume=True)
    for name in SAME:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes(), name


@pytest.mark.parametrize("name", ["random", "evolution", "halving"])
@pytest.mark.parametrize(("setting", "value"), [("compile", "aot_eager"), ("settle", "0.3")])
def test_what_a_strategy_has_no_use_for_is_refused(name, setting, value, compiled, tmp_path):
    space = settled(compiled, f"strategy={name}", f"search.{setting}={value}")
    with pytest.raises(CompileError, match=f"E0852: the strategy `{name}` has no use for `{setting}`"):
        run(space, tmp_path / "run")


def test_explicit_copies_have_a_weight_for_each_width_and_none_to_start_from(compiled):
    space = settled(compiled, "strategy=explicit")
    copies, masks = (
        sum(weight.numel() for weight in search_of(one).strategy.supernet.weights())
        for one in (space, settled(compiled, "strategy=dmasking"))
    )
    assert copies > 1.5 * masks
    goal = targets(space.settings.objective, space.costs)
    with pytest.raises(CompileError, match="E0852: the strategy `explicit` has no use for `init`"):
        Search(space, load_data("digits"), goal, 0, torch.device("cpu"), start=Given({}))


def test_a_loss_of_a_package_is_the_one_that_is_computed():
    logits, labels = torch.tensor([[1.0, 0.0, 3.0], [0.0, 2.0, 0.0]]), torch.tensor([0, 1])
    for settings in (SearchSettings(loss="hinge"), TrainSettings(loss="hinge")):
        assert loss_of(settings)(logits, labels) == F.multi_margin_loss(logits, labels)
    smooth = loss_of(TrainSettings())(logits, labels)
    assert smooth == F.cross_entropy(logits, labels, label_smoothing=0.1)


@pytest.mark.parametrize("strategy", ["dmasking", "random", "evolution", "halving", "explicit"])
def test_networks_without_weights_are_searched_and_trained_by_every_strategy_of_ours(compiled, tmp_path, strategy):
    space = compiled(WEIGHTLESS)
    space = replace(space, settings=override(space.settings, [f"search.strategy={strategy}", "train.epochs=1"]))
    summary = run(space, tmp_path / "out")
    assert summary.costs["params"] == 0
    assert 0 <= summary.test[0] <= 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("strategy=darts", "dmasking, evolution, explicit, halving, random, uniform"),
        ("loss=mes", "bce, broken, cross_entropy, hinge, l1, mse"),
        ("strategy=1", "dmasking"),
    ],
)
def test_a_name_that_is_not_known_is_a_diagnostic_with_the_names(text, names):
    with pytest.raises(nasir.CompileError, match=f"must be one of {names}") as caught:
        override(nasir.load("digits").settings, [text])
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0503"
    assert diagnostic.span is not None


def test_a_package_that_is_broken_is_a_diagnostic(compiled):
    with pytest.raises(nasir.CompileError, match=r"E0517: `loss = broken` cannot be loaded: .*nothing"):
        loss_of(settled(compiled, "loss=broken").settings.search)


def test_a_strategy_that_has_gone_is_a_diagnostic():
    with pytest.raises(
        nasir.CompileError,
        match="E0503: `loss` must be one of bce, broken, cross_entropy, hinge, l1, mse, and `gone` was given",
    ):
        loss_of(SearchSettings(loss="gone"))


def test_runs_of_the_default_are_recorded_as_they_were_before_there_was_a_choice(compiled):
    settings = plain_settings(settled(compiled).settings)
    assert not {"strategy", "loss"} & {*settings["search"], *settings["train"]}
    assert plain_settings(settled(compiled, "train.loss=hinge").settings)["train"]["loss"] == "hinge"
