"""A trained network teaches another one: its probabilities are learnt beside the labels."""

import json
from dataclasses import replace

import pytest
import torch
from rich.console import Console
from torch import nn
from torch.nn import functional as F

import nasir
from nasir.data import input_of, load_data
from nasir.diagnostics import CompileError
from nasir.jobs.ranks import Ranks
from nasir.lang.settings import override
from nasir.runs.request import Request
from nasir.runs.run import train_network
from nasir.searching.measures import Confusion
from nasir.searching.training import Training

DIGITS, QUIET = "digits", Console(quiet=True)


@pytest.fixture(scope="module")
def digits():
    space = nasir.load(DIGITS)
    space = replace(space, settings=override(space.settings, ["epochs=1", "label_smoothing=0"], "train"))
    return space.at(space.smallest())


@pytest.fixture(scope="module")
def teacher(digits, tmp_path_factory):
    """A run folder with a trained network."""
    folder = tmp_path_factory.mktemp("teacher") / "run"
    train_network(digits, Request(DIGITS, folder, threads=1), QUIET)
    return folder


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_the_loss_is_that_of_the_labels_and_that_of_the_teachers_probabilities(digits, share):
    torch.manual_seed(0)
    data = load_data(DIGITS, input_of(digits.graph))
    settings = replace(digits.settings.train, distillation=share)
    network, taught = (nn.Sequential(nn.Flatten(), nn.Linear(64, 10)) for _ in range(2))
    measure = Confusion(data.classes)
    training = Training(network, data, settings, 0, torch.device("cpu"), Ranks(), measure=measure, teacher=taught)
    x, y = next(data.train.batches([torch.arange(16)], None))
    outputs = network(x)
    expected = (1 - share) * F.cross_entropy(outputs, y) + share * F.cross_entropy(outputs, taught(x).softmax(1))
    torch.testing.assert_close(training._loss_of(x, y), expected)


def test_a_network_learns_from_a_run_and_says_so(digits, teacher, tmp_path):
    request = Request(DIGITS, tmp_path / "taught", teacher=teacher, threads=1)
    train_network(digits, request, QUIET)
    alone, taught = ((folder / "model.safetensors").read_bytes() for folder in (teacher, tmp_path / "taught"))
    assert alone != taught
    summary = json.loads((tmp_path / "taught" / "summary.json").read_text())
    plan = json.loads((tmp_path / "taught" / "plan.json").read_text())
    assert summary["teacher"]["file"] == str(teacher)
    assert plan["teacher"] == "sha256:" + summary["teacher"]["sha256"]
    for other in (None, tmp_path / "taught"):
        with pytest.raises(CompileError) as caught:
            train_network(digits, replace(request, teacher=other, resume=True), QUIET)
        assert "another teacher" in str(caught.value)
    train_network(digits, replace(request, out=tmp_path / "again"), QUIET)
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == taught


def test_an_emitted_file_teaches_as_its_run_does(digits, teacher, tmp_path):
    for name, one in (("run", teacher), ("file", teacher / "model.py")):
        train_network(digits, Request(DIGITS, tmp_path / name, teacher=one, threads=1), QUIET)
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "file"))
    assert first == second


@pytest.mark.parametrize(
    ("name", "classes", "code"), [("digits", "5", "E0937"), ("shapes", None, "E0936"), ("signals", None, "E0820")]
)
def test_a_teacher_of_something_else_is_refused_before_anything_is_written(name, classes, code, teacher, tmp_path):
    space = nasir.load(name, classes=5) if classes else nasir.load(name)
    request = Request(name, tmp_path / "run", classes=classes, teacher=teacher, threads=1)
    with pytest.raises(CompileError) as caught:
        train_network(space.at(space.smallest()), request, QUIET)
    assert {one.code for one in caught.value.diagnostics} == {code}
    assert not (tmp_path / "run" / "plan.json").exists()
