"""Whole runs of networks that are no classifiers of images: search, derive, train, report, predict."""

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

import nasir
from nasir import resources
from nasir.cli.main import app
from nasir.jobs.signals import Pauses, Stopped
from nasir.lang.settings import override
from nasir.runs.predicting import predictor
from nasir.runs.report import write_report
from nasir.runs.request import Request, request_of
from nasir.runs.run import search, train_file
from nasir.runs.sweep import Member, write_family

QUIET = Console(quiet=True)
SAME = (
    "arch.nas",
    "choices.json",
    "metrics.jsonl",
    "model.py",
    "model.safetensors",
    "probabilities.jsonl",
    "test.json",
)
SHORT = {
    "signals": ("search.epochs=2", "train.epochs=2", "search.batch=500", "train.batch=100", "candidates=2"),
    "shapes": ("search.epochs=1", "train.epochs=2", "search.batch=200", "train.batch=100", "candidates=1"),
}
TABLE = """
space table(out = 10) {
  x = features(10)
  return x -> linear({4, 6, 8}) -> bn -> relu -> linear(out)
}
objective { minimize mse + macs / 1M }
search { epochs = 2  batch = 16  candidates = 2 }
train { epochs = 3  batch = 16  weights = adam(lr=0.01)  keep = best  validation = 0.2 }
"""


def rows():
    """Rows of ten numbers that two would say as well, without targets."""
    found = torch.randn(160, 2) @ torch.randn(2, 10)
    return found[:120], found[120:]


def labels():
    """Rows with three labels each."""
    found = torch.randn(160, 10)
    held = (found[:, :3] > 0).long()
    return (found[:120], held[:120]), (found[120:], held[120:])


def halved(outputs, targets):
    return ((outputs - targets) ** 2).mean() / 2


def settled(space, *texts):
    return replace(space, settings=override(space.settings, list(texts)))


def lines(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module", params=["signals", "shapes"])
def finished(request, tmp_path_factory):
    """A shipped space of another form, its run on the data of its name, and the run's summary."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / f"{request.param}.nas"  # with dropout, whose numbers must be the same after a stop
    text = (resources.folder("spaces") / path.name).read_text(encoding="utf-8")
    path.write_text(text.replace("global_avg_pool -> linear", "global_avg_pool -> dropout(0.2) -> linear"), "utf-8")
    assert ("dropout" in path.read_text(encoding="utf-8")) == (request.param == "signals")
    space = settled(nasir.load(path), *SHORT[request.param])
    result = search(space, Request("", folder / "run", threads=1), QUIET)
    return request.param, space, folder, result.summary


def test_a_run_of_another_form_leaves_all_that_one_of_images_leaves(finished):
    name, space, folder, summary = finished
    run = folder / "run"
    metrics = {"signals": ["accuracy"], "shapes": ["mean_iou", "pixel_accuracy"]}[name]
    told = json.loads((run / "summary.json").read_text())
    assert [one.name for one in summary.metrics] == metrics
    assert [told[f"test_{metric}"] for metric in metrics] == list(summary.test)
    assert 0 <= told[f"supernet_{metrics[0]}"] <= 1
    assert lines(run)[-1][f"validation_{metrics[0]}"] == told[f"validation_{metrics[0]}"]
    assert summary.costs["macs"] <= space.settings.objective.bounds[0].limit
    assert not nasir.load(run / "arch.nas").decisions
    page = write_report(run).read_text()
    assert f"test {summary.metrics[0].title}" in page
    confusion = np.array(json.loads((run / "test.json").read_text())["confusion"])
    right = confusion.diagonal().sum() / confusion.sum()
    assert right == pytest.approx(summary.scores[metrics[-1]])
    assert confusion.sum() == {"signals": 1_000, "shapes": 250 * 32 * 32}[name]
    assert json.loads((run / "plan.json").read_text())["data"] == name


def test_a_stopped_run_of_another_form_ends_in_the_same_bytes(finished, monkeypatch):
    name, space, folder, _ = finished
    asked = []

    def due(self):
        asked.append(1)
        self.told = signal.SIGTERM if len(asked) in {2, 12, 60} else 0
        return False

    monkeypatch.setattr(Pauses, "due", due)
    stops = {"signals": 3, "shapes": 2}[name]  # of the signals' the last is in the training, between two steps
    for stop in range(stops):
        with pytest.raises(Stopped):
            search(space, Request("", folder / "stopped", threads=1, resume=stop > 0), QUIET)
    search(space, Request(name, folder / "stopped", threads=1, resume=True), QUIET)
    for file in SAME:
        assert (folder / "run" / file).read_bytes() == (folder / "stopped" / file).read_bytes(), file


def test_predictions_of_another_form_are_those_of_the_test(finished, tmp_path):
    from nasir.data import load_data

    name, _, folder, _ = finished
    test = load_data(name).test
    told = predictor(folder / "run")
    if name == "signals":
        files = [str(tmp_path / f"{i}.npy") for i in range(200)]
        for file, one in zip(files, test.images, strict=False):
            np.save(file, one.numpy())
        found = [one.classes[0][0] for one in told(files)]
        ((inputs, _),) = test.batches([torch.arange(200)], None)
        expected = told.network(inputs).argmax(1).tolist()
        assert found == [told.names[i] for i in expected]
        assert told.number == "probability"
        (tmp_path / "bad.npy").write_bytes(b"no array")
        with pytest.raises(nasir.CompileError, match=r"E0805: .*bad.npy"):
            list(told([str(tmp_path / "bad.npy")]))
        np.save(tmp_path / "long.npy", np.zeros((1, 41)))
        with pytest.raises(nasir.CompileError, match=r"no array of numbers of shape \[1, 40\]"):
            list(told([str(tmp_path / "long.npy")]))
    else:
        Image.fromarray(test.images[0, 0].numpy()).save(tmp_path / "0.png")
        (one,) = told([str(tmp_path / "0.png")])
        ((inputs, _),) = test.batches([torch.tensor([0])], None)
        pixels = told.network(inputs).argmax(1)
        assert dict(one.classes)["background"] == pytest.approx(float((pixels == 0).float().mean()))
        assert told.number == "share"
        assert sum(share for _, share in one.classes) == pytest.approx(1)


def test_the_emitted_file_trains_on(finished):
    """What it takes is read of its docstring."""
    name, space, folder, _ = finished
    settings = settled(space, "train.epochs=1").settings
    summary = train_file(folder / "run" / "model.py", settings, Request(name, folder / "again", threads=1), QUIET)
    assert summary.metrics == finished[3].metrics


def test_an_autoencoder_is_judged_by_its_loss_and_lower_is_better(compiled, tmp_path, capsys):
    space = compiled(TABLE)
    data = f"python:{__name__}:rows"
    result = search(space, Request(data, tmp_path / "run", threads=1), QUIET)
    told = json.loads((tmp_path / "run" / "summary.json").read_text())
    seen = [line["validation_mse"] for line in lines(tmp_path / "run") if line["phase"] == "train"]
    assert told["validation_mse"] == min(seen) == result.summary.validation  # keep = best
    assert told["test_mse"] > 0
    assert json.loads((tmp_path / "run" / "test.json").read_text()) == {"mse": told["test_mse"]}
    assert json.loads((tmp_path / "run" / "data.json").read_text())["targets"] == "the inputs themselves, [10]"
    page = write_report(tmp_path / "run").read_text()
    assert "Validation mse" in page
    assert "test vectors" in page
    with pytest.raises(nasir.CompileError, match="E0927"):
        predictor(tmp_path / "run")
    table = write_family(tmp_path, "macs", [Member("macs <= 1K", "macs", tmp_path / "run")])
    assert "| test mse |" in table
    assert f"| {told['test_mse']:.5g} |" in table


def test_labels_are_told_by_the_command_line_s_loss(compiled, tmp_path):
    space = compiled(TABLE.replace("out = 10", "out = 3"))
    request = request_of(data=f"python:{__name__}:labels", out=tmp_path / "run", loss="bce", threads=1)
    result = search(replace(space, settings=request.settle(space.settings)), request, QUIET)
    assert result.summary.test_accuracy > 0.5
    deploy = json.loads((tmp_path / "run" / "deploy.json").read_text())
    assert (deploy["outputs"], deploy["classes"]) == ("labels", ["0", "1", "2"])
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert (plan["loss_named"], plan["settings"]["search"]["loss"], plan["inputs"]) == ("bce", "bce", "vectors")


def test_a_loss_of_one_s_own_is_named_on_the_command_line_alone(compiled, tmp_path, monkeypatch):
    space = compiled(TABLE)
    named = f"python:{__name__}:halved"
    request = Request(f"python:{__name__}:rows", tmp_path / "run", threads=1, loss_named=named)
    summary = search(replace(space, settings=request.settle(space.settings)), request, QUIET).summary
    assert summary.metrics[0].name == "loss"
    with pytest.raises(nasir.CompileError, match="it has another `--loss` and another loss"):
        search(space, Request(request.data, request.out, threads=1, resume=True), QUIET)
    for wrong in ("python:nowhere:loss", f"python:{__name__}:nothing", f"python:{__name__}:QUIET", "python:x"):
        with pytest.raises(nasir.CompileError, match="E0942"):
            replace(request, loss_named=wrong).with_loss()
    for text in (named, '"python:x:y"'):
        with pytest.raises(nasir.CompileError):
            compiled(TABLE.replace("mse", text))


def test_data_are_those_that_are_called_as_the_space():
    assert [Request().on(name).data for name in ("signals", "shapes", "digits", "fbnetv2_f")] == [
        "signals",
        "shapes",
        "digits",
        "digits",
    ]
    assert Request("idx:here").on("signals").data == "idx:here"


@pytest.mark.slow
def test_recordings_are_searched_on_and_told(tmp_path, monkeypatch, capsys):
    soundfile = pytest.importorskip("soundfile")
    monkeypatch.chdir(tmp_path)
    for name, hertz in (("high", 200), ("low", 50)):
        (tmp_path / "sounds" / name).mkdir(parents=True)
        for i in range(40):
            t = np.arange(150 + i) / 800
            soundfile.write(tmp_path / "sounds" / name / f"{i}.wav", np.sin(2 * np.pi * hertz * t + i), 800)
    (tmp_path / "net.nas").write_text(
        "space net() {\n  x = signal(1, 128)\n"
        "  return x -> conv({5, 9}, 8) -> bn -> relu -> global_avg_pool -> linear(2)\n}\n"
        "search { epochs = 1  batch = 8 }\ntrain { epochs = 6  batch = 8 }\n",
        encoding="utf-8",
    )
    app(["search", "net.nas", "--data", "folder:sounds", "--out", "run", "--threads", "1"], standalone_mode=False)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["test_accuracy"] > 0.8
    capsys.readouterr()
    app(["predict", "run", "sounds/high/1.wav", "--json"], standalone_mode=False)
    (one,) = json.loads(capsys.readouterr().out)
    assert {entry["name"] for entry in one["classes"]} == {"high", "low"}


def test_numbers_are_told_and_maps_of_them_are_not(compiled, tmp_path):
    space = compiled(
        "space age(size = 8) {\n  x = image(1, size=size)\n  return x -> conv({3, 5}, 4) -> bn -> relu -> conv(1, 1)"
        " END\n}\nobjective { minimize l1 }\nsearch { epochs = 1  candidates = 1  batch = 400 }\n"
        "train { epochs = 1  batch = 400 }".replace("END", "-> global_avg_pool -> linear(1)")
    )
    search(space, Request("digits", tmp_path / "run", threads=1), QUIET)
    Image.new("L", (8, 8), 90).save(tmp_path / "0.png")
    told = predictor(tmp_path / "run")
    (one,) = told([str(tmp_path / "0.png")])
    ((name, value),) = one.classes
    assert (told.number, name) == ("value", "0")
    output = told.network(told.preparation.normalised(torch.full((1, 8, 8, 1), 90)))
    assert value == pytest.approx(float(output.detach()))
    text = space.source.text.replace("-> global_avg_pool -> linear(1)", "").replace("size = 8", "size = 32")
    search(compiled(text), Request("shapes", tmp_path / "maps", threads=1), QUIET)
    with pytest.raises(nasir.CompileError, match=r"E0941: .*maps of numbers, \[1, 32, 32\]"):
        predictor(tmp_path / "maps")
