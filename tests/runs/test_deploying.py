"""What a deployment needs is in the run, and complete: `nasir predict` does from it what the test of the run did."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import nasir
from nasir.lang.settings import override
from nasir.runs.predicting import predictor
from nasir.runs.request import Request
from nasir.runs.run import search, train_network
from nasir.searching.training import divided
from nasir.terminal import Terminal
from tests.spaces import TINY

QUIET = Console(quiet=True)
NETWORK = """
space net(classes = 3) {
  y = image(3, size=12) -> conv(3, 8, stride=2) -> bn -> relu
  return y -> conv(3, 8) -> bn -> global_avg_pool -> linear(classes)
}
train { epochs = 3  batch = 8 }
"""
COLOURS = {"blå": (0, 0, 255), 'gr"n': (0, 255, 0), "re\\d": (255, 0, 0)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network trained on photos of three colours, whose names are hard to write in Python; and the photos."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("deploy")
    draw = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (root / "photos" / name).mkdir(parents=True)
        for i in range(15):
            pixels = np.array(colour) * 0.4 + draw.uniform(0, 150, (20, 30, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(root / "photos" / name / f"{i}.png")
    (root / "net.nas").write_text(NETWORK, encoding="utf-8")
    request = Request(f"folder:{root / 'photos'}", root / "run")
    result = train_network(nasir.load(root / "net.nas"), request, QUIET)
    return root, result.summary


def test_the_run_says_how_images_become_inputs_and_what_outputs_mean(run):
    root, _ = run
    facts = json.loads((root / "run" / "deploy.json").read_text())
    assert facts["classes"] == sorted(COLOURS)
    assert facts["input"]["shape"] == ["N", 3, 12, 12]
    assert (facts["scale"], facts["crop"]["centre"], len(facts["mean"])) == ([0.0, 1.0], 0.875, 3)
    with safe_open(root / "run" / "model.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["deploy"]) == facts
    docstring = compile((root / "run" / "model.py").read_text(), "model.py", "exec").co_consts[0]
    for words in ('"bl\u00e5"', "RGB, from 0 to 1", "load_state_dict", "0.485"):
        assert words in docstring


@pytest.mark.parametrize("form", ["run", "model.py", "metadata alone"])
def test_predictions_are_those_of_the_test(run, tmp_path, form):
    """Complete: the accuracy on the test files is the one in summary.json, to the image."""
    root, summary = run
    path = root / "run"
    if form != "run":
        for name in ("model.py", "model.safetensors", *(["deploy.json"] if form == "model.py" else [])):
            shutil.copy(root / "run" / name, tmp_path / name)
        path = tmp_path / "model.py"
    from nasir.data import load_data

    test = load_data(f"folder:{root / 'photos'}").test
    found = list(predictor(path)(test.file_names(), top=2))
    right = [Path(one.file).parent.name == one.classes[0][0] for one in found]
    assert sum(right) / len(right) == summary.test_accuracy
    assert all(a[1] >= b[1] for a, b in (one.classes for one in found))


def without_deployment(run):
    """As of an emitted file with weights that nasir did not write."""
    (run / "deploy.json").unlink()
    weights = load_file(run / "model.safetensors")
    save_file(weights, run / "model.safetensors")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda run: (run / "model.safetensors").write_bytes(b"?"), "E0932"),
        (lambda run: (run / "model.safetensors").unlink(), "E0907: there is no"),
        (lambda run: (run / "deploy.json").write_text('{"input": 3}'), "E0926"),
        (without_deployment, "E0926: .*deploy.json` cannot be used: it is missing"),
        (lambda run: (run / "deploy.json").write_text('{"prepared_by": "python:mine:load"}'), "E0927"),
        (lambda run: (run / "arch.nas").unlink(), "E0912"),
    ],
)
def test_what_does_not_fit_is_said(run, tmp_path, spoil, code):
    root, _ = run
    shutil.copytree(root / "run", tmp_path / "run")
    spoil(tmp_path / "run")
    with pytest.raises(nasir.CompileError, match=code):
        predictor(tmp_path / "run")


def test_a_file_that_is_no_image_is_named(run):
    root, _ = run
    with pytest.raises(nasir.CompileError, match=r"net.nas.*none of JPEG"):
        list(predictor(root / "run")([str(root / "net.nas")]))


@pytest.fixture
def tiny(compiled):
    torch.set_num_threads(1)
    return compiled(TINY)


def lines(run, phase):
    found = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in found if line["phase"] == phase]


def test_accuracy_is_told_after_each_epoch_on_images_that_are_neither_trained_nor_tested_on(tiny, tmp_path):
    space = replace(tiny, settings=override(tiny.settings, ["train.epochs=5", "train.keep=best"]))
    summary = search(space, Request("digits", tmp_path / "run"), QUIET).summary
    told = [line["validation_accuracy"] for line in lines(tmp_path / "run", "train")]
    assert len(told) == 5
    assert summary.validation == max(told)
    assert summary.kept_epoch == 1 + told.index(max(told))
    confusion = torch.tensor(json.loads((tmp_path / "run" / "test.json").read_text())["confusion"])
    assert float(confusion.diagonal().sum()) / float(confusion.sum()) == summary.test_accuracy


def test_held_out_images_are_a_share_of_each_class(tiny):
    from nasir.data import load_data

    data = load_data("digits")
    training, validation = divided(data, tiny.settings.train, 0)
    assert validation is not None
    assert len(training) + len(validation) == len(data.train)
    whole, part = (torch.bincount(labels, minlength=10) for labels in (data.train.labels, validation.labels))
    assert (part - 0.1 * whole).abs().max() <= 0.5
    none = replace(tiny.settings.train, validation=0.0)
    assert divided(data, none, 0) == (data.train, None)


def test_an_undecided_search_says_so(tiny, tmp_path):
    """At a tiny rate of the architecture nothing is decided, and the bounds choose the network."""
    space = replace(tiny, settings=override(tiny.settings, ["architecture=adam(lr=1e-6)", "train.epochs=1"]))
    found = search(space, Request("digits", tmp_path / "run"), QUIET)
    assert found.summary.entropy is not None
    assert found.summary.entropy > 0.9
    choices = json.loads((tmp_path / "run" / "choices.json").read_text())
    assert all(choices[name] == taken != likeliest for name, (likeliest, taken) in found.summary.moved.items())
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "The search did not decide" in page
    assert all("moved" in line and "entropy" in line for line in lines(tmp_path / "run", "search"))


@pytest.mark.parametrize("threads", [None, 2])
def test_small_networks_are_computed_by_one_thread_unless_told(tiny, tmp_path, monkeypatch, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    request = Request("digits", tmp_path / "run", threads=threads)
    search(tiny, request, QUIET)
    assert (
        json.loads((tmp_path / "run" / "plan.json").read_text())["threads"] == torch.get_num_threads() == (threads or 1)
    )
    with pytest.raises(nasir.CompileError, match="another `--threads`"):
        search(tiny, replace(request, resume=True, threads=3), QUIET)
    torch.set_num_threads(1)


@pytest.mark.parametrize("texts", [["train.ema=0.9"], ["train.validation=0"]])
def test_the_best_epoch_needs_images_to_tell_it_by_and_weights_of_its_own(tiny, tmp_path, texts):
    space = replace(tiny, settings=override(tiny.settings, ["train.keep=best", *texts]))
    with pytest.raises(nasir.CompileError, match="E0510"):
        search(space, Request("digits", tmp_path / "run"), QUIET)


def test_names_are_no_markup_and_need_not_be_text(tmp_path, capsys):
    """Class folders named like markup, and by bytes that are no UTF-8."""
    torch.set_num_threads(1)
    draw = np.random.default_rng(0)
    for name in (b"cup [red]", b"a\xff"):
        folder = tmp_path / "photos" / os.fsdecode(name)
        folder.mkdir(parents=True)
        for i in range(8):
            Image.fromarray(draw.integers(0, 255, (12, 12, 3), np.uint8)).save(folder / f"{i}.png")
    (tmp_path / "net.nas").write_text(NETWORK.replace("classes = 3", "classes = 2"), encoding="utf-8")
    run = tmp_path / "run"
    train_network(nasir.load(tmp_path / "net.nas"), Request(f"folder:{tmp_path / 'photos'}", run), Terminal())
    assert "cup [red]" in capsys.readouterr().out
    (one,) = predictor(run)([str(tmp_path / "photos" / "cup [red]" / "0.png")])
    assert {name for name, _ in one.classes} == {"cup [red]", "a\udcff"}
    assert (run / "report.html").exists()


def test_a_network_of_several_files_is_trained_and_predicts(tmp_path):
    torch.set_num_threads(1)
    part = "block part(width) { return x -> conv(3, width) -> bn -> relu }"
    (tmp_path / "parts.nas").write_text(part, encoding="utf-8")
    (tmp_path / "net.nas").write_text(
        'from "parts.nas" import part\n'
        "space net(classes = 10) { return image(1, size=8) -> part(8) -> global_avg_pool -> linear(classes) }\n"
        "train { epochs = 1 }",
        encoding="utf-8",
    )
    train_network(nasir.load(tmp_path / "net.nas"), Request("digits", tmp_path / "run"), QUIET)
    assert len(predictor(tmp_path / "run").names) == 10


def test_from_python_options_are_checked(tiny, tmp_path):
    for options in ({"seed": -3}, {"threads": 0}, {"out": ""}, {"resume": True, "overwrite": True}):
        with pytest.raises(ValueError, match=r"seed|threads|name|one of"):
            nasir.search(tiny, **{"out": tmp_path / "run", "quiet": True, **options})
    with pytest.raises(TypeError, match="list of texts"):
        nasir.search(tiny, set="epochs=1")
    short = ["epochs=1", "train.epochs=1"]
    found = nasir.search(
        nasir.load("digits", classes=2),
        out=tmp_path / "run",
        set=short,
        seed=np.int64(3),
        classes=2,
        quiet=True,
    )
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["seed"] == 3
    assert found.summary.test_accuracy > 0
