"""One supernet for several bounds: what a search takes from another run in place of training."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from rich.console import Console

import nasir
from nasir.diagnostics import CompileError
from nasir.jobs.folder import RunFolder
from nasir.jobs.signals import Stopped
from nasir.lang.settings import override, with_bounds
from nasir.runs.repeating import repeat
from nasir.runs.request import Request
from nasir.runs.run import search
from nasir.runs.shared import shared_of
from tests.conftest import stop_at
from tests.processes import nasir as command
from tests.spaces import TINY

QUIET = Console(quiet=True)
SETTINGS = ["strategy=evolution", "epochs=2", "candidates=4", "train.epochs=1", "train.init=sliced"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    torch.set_num_threads(1)
    file = tmp_path_factory.mktemp("space") / "tiny.nas"
    file.write_text(TINY, encoding="utf-8")
    space = nasir.load(file)
    return replace(space, settings=override(space.settings, SETTINGS))


@pytest.fixture(scope="module")
def wide(tiny, tmp_path_factory):
    """The folder of a search for the space's own bound."""
    folder = tmp_path_factory.mktemp("wide") / "run"
    search(tiny, Request("digits", folder), QUIET)
    return folder


def bounded(space, bound, *changes):
    settings = override(with_bounds(space.settings, [bound]), list(changes))
    return replace(space, settings=settings)


def test_the_same_bound_finds_the_same_network_with_the_same_weights(tiny, wide, tmp_path):
    search(tiny, Request("digits", tmp_path / "again", supernet=wide), QUIET)
    for name in ("arch.nas", "choices.json", "model.py", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (wide / name).read_bytes(), name


def test_another_bound_is_kept_and_nothing_is_trained_but_the_network(tiny, wide, tmp_path):
    summary = search(bounded(tiny, "macs <= 9K"), Request("digits", tmp_path / "run", supernet=wide), QUIET).summary
    assert summary.costs["macs"] <= 9_000
    assert {line["phase"] for line in RunFolder(tmp_path / "run").lines("metrics.jsonl")} == {"train"}
    assert json.loads((tmp_path / "run" / "plan.json").read_text())["supernet"].startswith("sha256:")
    assert "supernet" not in json.loads((wide / "plan.json").read_text())
    assert (tmp_path / "run" / "report.html").is_file()


def test_a_run_that_is_stopped_goes_on_with_the_same_supernet_alone(tiny, wide, tmp_path, monkeypatch):
    narrow = bounded(tiny, "macs <= 9K")
    search(narrow, Request("digits", tmp_path / "whole", supernet=wide), QUIET)

    stop_at(1, monkeypatch)
    with pytest.raises(Stopped):
        search(narrow, Request("digits", tmp_path / "run", supernet=wide), QUIET)
    monkeypatch.undo()
    with pytest.raises(CompileError, match=r"E0911: .* it has another run's supernet"):
        search(narrow, Request("digits", tmp_path / "run", resume=True), QUIET)
    search(tiny, Request("digits", tmp_path / "other", seed=1), QUIET)
    assert shared_of(tmp_path / "other").digest != shared_of(wide).digest == shared_of(wide).digest
    search(narrow, Request("digits", tmp_path / "run", supernet=wide, resume=True), QUIET)
    for name in ("arch.nas", "choices.json", "model.safetensors", "metrics.jsonl"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        ("search.batch=128", {}, "E0939: .* other settings"),
        ("search.least=0.25", {}, "E0939: .* other settings"),
        ("", {"seed": 1}, "E0939: .* another seed"),
        ("strategy=dmasking", {}, "E0853: the strategy `dmasking` trains for its own bounds"),
        ("strategy=halving", {}, "E0853: the strategy `halving`"),
    ],
)
def test_the_supernet_of_another_search_is_refused_before_anything_is_written(
    tiny, wide, tmp_path, change, options, told
):
    space = bounded(tiny, "macs <= 9K", *([change] if change else []), "train.init=anew")
    with pytest.raises(CompileError, match=told):
        search(space, Request("digits", tmp_path / "run", supernet=wide, **options), QUIET)
    assert not (tmp_path / "run" / "plan.json").exists()


def test_a_folder_without_a_trained_supernet_is_refused(tiny, wide, tmp_path, monkeypatch):
    with pytest.raises(CompileError, match=r"E0938: .* no search is saved in it"):
        search(tiny, Request("digits", tmp_path / "run", supernet=tmp_path / "nowhere"), QUIET)

    stop_at(1, monkeypatch)
    with pytest.raises(Stopped):
        search(tiny, Request("digits", tmp_path / "begun"), QUIET)
    monkeypatch.undo()
    with pytest.raises(CompileError, match=r"E0938: .* its search is at epoch 0 of 2"):
        search(tiny, Request("digits", tmp_path / "run", supernet=tmp_path / "begun"), QUIET)
    damaged = shutil.copytree(wide, tmp_path / "damaged")
    checkpoint = damaged / "checkpoint" / "search.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(CompileError, match=r"search\.pt"):
        search(tiny, Request("digits", tmp_path / "run", supernet=damaged), QUIET)


def test_a_run_is_repeated_with_the_supernet_that_it_took(tiny, wide, tmp_path):
    given = Request("digits", tmp_path / "run", supernet=wide, set=SETTINGS, bound=["macs <= 9K"])
    space = nasir.load(wide / "space.nas")
    search(replace(space, settings=given.settle(space.settings)), given, QUIET)
    asked = Request(out=tmp_path / "again")
    with pytest.raises(CompileError, match=r"E0983: .* the supernet of another run"):
        repeat(tmp_path / "run", asked, ())
    again, request = repeat(tmp_path / "run", replace(asked, supernet=wide), ())
    search(again, request, QUIET)
    names = ("choices.json", "model.safetensors", "plan.json")
    assert all((tmp_path / "run" / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in names)


def test_a_sweep_trains_one_supernet_for_all_bounds(tmp_path):
    (tmp_path / "tiny.nas").write_text(TINY, encoding="utf-8")
    options = [f"--set={one}" for one in SETTINGS]
    sweep = ["sweep", "tiny.nas", "--macs", "9K,15K,60%", "--out", "family", "--shared", *options]
    done = command(*sweep, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {one["bound"]: one for one in json.loads((tmp_path / "family" / "sweep.json").read_text())}
    assert list(found) == ["macs <= 9K", "macs <= 15K", "macs <= 60%"]
    trained = {
        bound: sum(
            line["phase"] == "search" for line in RunFolder(tmp_path / "family" / one["folder"]).lines("metrics.jsonl")
        )
        for bound, one in found.items()
    }
    largest = max(found, key=lambda bound: found[bound]["bounds"]["macs"]["limit"])
    assert trained == {**dict.fromkeys(found, 0), largest: 2}
    limits = [one["bounds"]["macs"]["limit"] for one in found.values()]
    plan = json.loads((tmp_path / "family" / found[largest]["folder"] / "plan.json").read_text())
    assert plan["settings"]["search"]["least"] == pytest.approx(0.5 * min(limits) / max(limits), rel=1e-4)
    again = command(*sweep, "--resume", cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    # One that failed is not among the results, and is searched when the sweep goes on.
    results = tmp_path / "family" / "sweep.json"
    shutil.rmtree(tmp_path / "family" / found["macs <= 15K"]["folder"])
    results.write_text(json.dumps([one for bound, one in found.items() if bound != "macs <= 15K"]))
    again = command(*sweep, "--resume", cwd=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert [one["bound"] for one in json.loads(results.read_text())] == list(found)
    text = results.read_text()
    wider = ["sweep", "tiny.nas", "--macs", "8K,9K,15K,60%", "--out", "family", "--shared", "--resume", *options]
    further = command(*wider, cwd=tmp_path)
    assert further.returncode == 1
    assert "error[E0943]: the supernet in `family/" in further.stderr
    assert results.read_text() == text
    other = command("sweep", "tiny.nas", "--macs", "9K,15K", "--out", "other", "--shared", cwd=tmp_path)
    assert other.returncode == 1
    assert "error[E0853]: the strategy `dmasking` trains for its own bounds" in other.stderr
    assert not (tmp_path / "other").exists()
    refused = command("sweep", "tiny.nas", "--macs", "9K", "--out", "family", "--shared", "--overwrite", cwd=tmp_path)
    assert refused.returncode == 1
    assert (tmp_path / "family" / "macs-9K" / "summary.json").is_file(), "what is refused takes nothing away"


def test_where_the_supernet_cannot_be_trained_no_other_search_begins(tmp_path):
    (tmp_path / "tiny.nas").write_text(TINY, encoding="utf-8")
    options = ["--shared", "--set=strategy=evolution", "--set=search.weights=sgd(lr=1e12)", "--set=epochs=1"]
    done = command("sweep", "tiny.nas", "--macs", "9K,15K", "--out", "family", *options, cwd=tmp_path)
    assert done.returncode == 1
    assert "macs <= 15K: failed" in done.stdout
    assert "macs <= 9K\nnot searched: there is no supernet to choose by\n" in done.stdout
    assert not (tmp_path / "family" / "macs-9K").exists()
