"""Losses by name: what they compute, which outputs and targets they take, and by what networks are judged."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

import nasir
from nasir.data import Target, load_data
from nasir.lang.settings import Settings, TrainSettings, override
from nasir.searching.fitting import Output, fitted, output_of
from nasir.searching.loss import loss_of
from nasir.searching.measures import Confusion, Halves, Mean
from nasir.searching.metric import ACCURACY, Metric, metrics_of, recorded

MAPS = torch.randn(2, 3, 4, 5)
CLASSES = torch.randint(3, (2, 4, 5))
NET = "space net(width = 10) {{\n  x = image(1, size=8)\n  return x -> conv(3, width) -> bn{}\n}}\n{}"
POOLED = " -> global_avg_pool -> linear(width)"


def named(name, **values):
    return loss_of(TrainSettings(loss=name, **values))


def test_losses_are_torch_s():
    smooth = F.cross_entropy(MAPS, CLASSES, label_smoothing=0.1)
    assert named("cross_entropy")(MAPS, CLASSES) == smooth
    held = torch.rand(2, 3, 4, 5).round()
    assert named("bce")(MAPS, held) == F.binary_cross_entropy_with_logits(MAPS, held)
    assert named("bce")(MAPS, held.long()) == F.binary_cross_entropy_with_logits(MAPS, held)
    assert named("mse")(MAPS, held) == F.mse_loss(MAPS, held)
    assert named("l1")(MAPS, held) == F.l1_loss(MAPS, held)
    one = torch.randn(4, 1)
    assert named("mse")(one, torch.arange(4)) == F.mse_loss(one, torch.arange(4.0)[:, None])  # no channel, no spreading


def test_pixels_of_minus_100_do_not_count():
    some = CLASSES.clone()
    some[0] = -100
    loss = named("cross_entropy", label_smoothing=0)
    assert loss(MAPS, some) == pytest.approx(float(loss(MAPS[1:], CLASSES[1:])))
    measure = Confusion(3, pixels=True)
    assert torch.equal(measure.count(MAPS, some), measure.count(MAPS[1:], CLASSES[1:]))


def test_measures_are_what_their_names_say():
    counts = Confusion(3, pixels=True).count(MAPS, CLASSES) + Confusion(3, pixels=True).count(MAPS, CLASSES)
    told = MAPS.argmax(1)
    shares = [float(((told == c) & (c == CLASSES)).sum() / ((told == c) | (c == CLASSES)).sum()) for c in range(3)]
    iou, accuracy = Confusion(3, pixels=True).values(counts)
    assert iou == pytest.approx(sum(shares) / 3)
    assert accuracy == pytest.approx(float((told == CLASSES).float().mean()))
    absent = Confusion(4, pixels=True)  # a class that is neither there nor told is left out
    four = torch.cat([MAPS, torch.full((2, 1, 4, 5), -99.0)], 1)
    assert absent.values(absent.count(four, CLASSES))[0] == pytest.approx(iou)
    halves = Halves(2)
    outputs, held = torch.tensor([[3.0, -1.0], [-0.1, -2.0]]), torch.tensor([[1, 0], [1, 0]])
    assert halves.values(halves.count(outputs, held)) == (0.75,)
    mean = Mean(2, "mse", named("mse"))
    parts = mean.count(torch.zeros(3, 2), torch.ones(3, 2)) + mean.count(torch.zeros(1, 2), 3 * torch.ones(1, 2))
    assert mean.values(parts) == (3.0,)


def test_a_metric_says_which_is_better_and_how_it_is_shown():
    (error,) = Mean(1, "mse", named("mse")).metrics
    assert (error.better(1.0, 2.0), ACCURACY.better(1.0, 2.0)) == (True, False)
    assert (ACCURACY.shown(0.5), error.shown(0.5)) == ("50.00%", "0.5")
    assert (ACCURACY.axis, error.axis) == ("accuracy, %", "mse")
    for metrics in ((ACCURACY,), (error,), Confusion(2, pixels=True).metrics):
        assert metrics_of({"metrics": recorded(metrics)}) == metrics
    assert metrics_of({}) == (ACCURACY,)
    assert isinstance(error, Metric)


def fit(output, data, *texts, target=None, given=None):
    data = data if target is None else replace(data, classes=0, target=target)
    return fitted(data, Output(output, "the output"), override(Settings(), list(texts)), given, search=True)[1]


MSE, BCE = ("search.loss=mse", "train.loss=mse"), ("search.loss=bce", "train.loss=bce")


def test_output_targets_and_loss_fit_each_other_or_it_is_said_before_the_search():
    digits, shapes = load_data("digits"), load_data("shapes")
    assert fit((10,), digits) == Confusion(10)
    assert fit((4, 32, 32), shapes) == Confusion(4, pixels=True)
    assert fit((21, 8, 8), digits, target=Target((8, 8))) == Confusion(21, pixels=True)
    assert fit((5,), digits, *BCE, target=Target((5,))) == Halves(5)
    assert fit((1, 8, 8), digits, *BCE, target=Target((8, 8))) == Halves(1)
    assert fit((1, 8, 8), digits, *MSE, target=Target((1, 8, 8), whole=False, itself=True)).metrics[0].name == "mse"
    assert fit((1,), digits, *MSE, target=Target((), whole=False)).metrics[0].higher is False
    assert fit((7,), digits, given=F.mse_loss, target=Target((7,), whole=False)).metrics[0].name == "loss"
    with pytest.raises(nasir.CompileError, match=r"E0850: the loss `torch.*nll_loss` does not take .*\[7\] and .*real"):
        fit((7,), digits, given=F.nll_loss, target=Target((7, 2), whole=False))
    with pytest.raises(nasir.CompileError, match=r"E0850: .*it gives \[2, 10\], and no scalar"):
        fit((10,), digits, given=lambda outputs, targets: outputs)
    for output, data, texts, code in (
        ((9,), digits, (), "E0819: .*one value for each of the 10 classes"),
        ((10, 8, 8), digits, (), "E0819"),
        (None, digits, (), "E0819"),
        ((3, 32, 32), shapes, (), "E0819: .*one value for each of the 4 classes"),
        ((4, 16, 16), shapes, (), r"E0841: .*shape \[4, 16, 16\], and the targets of `shapes` are whole"),
        (None, shapes, (), "E0842: the shape of the output is undecided"),
        ((10,), digits, MSE, "E0841: .*of `digits` are 10 classes"),
        ((1,), digits, BCE, "E0841"),  # ten classes are no label
        ((10,), digits, ("search.loss=mse",), "E0841"),
        ((10,), digits, ("train.loss=mse",), "E0841"),
    ):
        with pytest.raises(nasir.CompileError, match=code):
            fit(output, data, *texts)


@pytest.mark.parametrize(
    ("text", "search", "train"),
    [
        ("", "cross_entropy", "cross_entropy"),
        ("objective { minimize mse + macs / 1M }", "mse", "mse"),
        ("objective { minimize bce * (macs / 1M) ^ 0.5 subject to macs <= 50% }", "bce", "bce"),
        ("train { loss = l1 }\nobjective { minimize mse }", "mse", "l1"),
        ("search { loss = mse }", "mse", "cross_entropy"),
    ],
)
def test_the_objective_names_the_loss_and_a_section_its_own(compiled, text, search, train):
    space = compiled(NET.format(POOLED, text))
    assert (space.settings.search.loss, space.settings.train.loss) == (search, train)
    assert compiled(space.arch({})).settings.train.loss == train  # so it is in what is written out


@pytest.mark.parametrize(
    ("text", "code"), [("mse + l1", "E0350"), ("cross_entropy + mse", "E0350"), ("msee", "E0201"), ("2 * mse", "E0504")]
)
def test_an_objective_has_one_loss(compiled, text, code):
    with pytest.raises(nasir.CompileError, match=code):
        compiled(NET.format(POOLED, f"objective {{ minimize {text} }}"))


@pytest.mark.parametrize(
    ("end", "text", "warned"),
    [
        ("", "", False),
        (" -> max_pool(3, stride=2)", "", True),
        (" -> max_pool(3, stride=2)", "objective { minimize mse }", False),
        (" -> max_pool(3, stride=2)", "train { loss = l1 }", False),  # nothing is searched
        (" -> conv({3, 5}, 4) -> max_pool(3, stride=2)", "train { loss = l1 }", True),
        (POOLED, "", False),
        (" -> conv(1, {4, 8})", "objective { minimize mse }", True),
    ],
)
def test_a_warning_of_a_useless_output_follows_the_loss(tmp_path, end, text, warned):
    (tmp_path / "net.nas").write_text(NET.format(end, text), encoding="utf-8")
    found = nasir.api.check(tmp_path / "net.nas")
    assert [one.code for one in found] == ["W0401"] * warned


def test_the_shape_of_an_output_is_the_graph_s(compiled):
    assert output_of(compiled(NET.format("", "")).graph).shape == (10, 8, 8)
    assert output_of(compiled(NET.format(POOLED, "")).graph).shape == (10,)
    assert output_of(compiled(NET.format(" -> conv(1, {4, 8})", "")).graph).shape is None
