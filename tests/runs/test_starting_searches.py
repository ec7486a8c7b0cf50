"""Searches that start from a network's weights, and trainings that start from the supernet's."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save_file

import nasir
from nasir.diagnostics import CompileError
from nasir.lang.settings import override
from nasir.runs.repeating import repeat
from nasir.runs.request import Request
from nasir.runs.run import search, train_network
from tests.spaces import TINY

INIT = TINY.replace("search {", 'search {\n  init         = "net.safetensors"')
QUIET = Console(quiet=True)


@pytest.fixture
def program(tmp_path):
    """A program that starts from the weights of its largest network, which lie beside it."""
    path = tmp_path / "program.nas"
    path.write_text(INIT, encoding="utf-8")
    space = nasir.load(path)
    torch.manual_seed(5)
    largest = space.largest("params")
    state = nasir.supernet(space).state_for(largest)
    save_file(state, tmp_path / "net.safetensors", {"choices": json.dumps(largest)})
    return path


def test_a_search_starts_from_a_network_and_says_so(program, tmp_path):
    space = nasir.load(program)
    out = tmp_path / "run"
    search(space, Request(data="digits", out=out), QUIET)
    plan, summary = (json.loads((out / name).read_text()) for name in ("plan.json", "summary.json"))
    assert plan["init"].startswith("sha256:")
    assert plan["settings"]["search"]["init"] == "net.safetensors"
    assert summary["init"]["taken"] == len(load_file(tmp_path / "net.safetensors"))
    assert not summary["init"]["not_used"]
    again = tmp_path / "again"
    search(space, Request(data="digits", out=again), QUIET)
    for name in ("metrics.jsonl", "choices.json", "model.safetensors"):
        assert (out / name).read_bytes() == (again / name).read_bytes()
    with pytest.raises(CompileError, match=r"E0983: .*the weights of `net.safetensors`, which it does not keep"):
        repeat(out, Request(), ())
    shutil.copy(tmp_path / "net.safetensors", out)
    assert repeat(out, Request(), ())[0].weights == out / "net.safetensors"
    (out / "net.safetensors").unlink()
    other = load_file(tmp_path / "net.safetensors")
    save_file({name: value + 1 for name, value in other.items()}, tmp_path / "net.safetensors")
    with pytest.raises(CompileError, match=r"E0911: .*weights to start from"):
        search(space, Request(data="digits", out=out, resume=True), QUIET)


def test_weights_that_an_option_names_are_looked_up_in_the_current_folder_too(program, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    shutil.move(tmp_path / "net.safetensors", tmp_path / "elsewhere" / "mine.safetensors")
    space = nasir.load(program)
    settings = override(space.settings, ['search.init="mine.safetensors"'])
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert replace(space, settings=settings).weights == tmp_path / "elsewhere" / "mine.safetensors"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CompileError, match="E0204"):
        _ = replace(space, settings=settings).weights


def test_a_training_starts_from_the_supernets_weights(tmp_path):
    anew, sliced = tmp_path / "anew.nas", tmp_path / "sliced.nas"
    anew.write_text(TINY)
    sliced.write_text(TINY.replace("train {", "train {\n  init   = sliced"))
    first = {}
    for path in (anew, sliced):
        out = tmp_path / path.stem
        search(nasir.load(path), Request(data="digits", out=out), QUIET)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        first[path.stem] = next(line["loss"] for line in lines if line["phase"] == "train")
    assert (tmp_path / "anew" / "choices.json").read_bytes() == (tmp_path / "sliced" / "choices.json").read_bytes()
    assert first["sliced"] < first["anew"]
    for name, words in (("anew", "trained from scratch"), ("sliced", "trained from the supernet&#39;s weights")):
        assert words in (tmp_path / name / "report.html").read_text(encoding="utf-8")
    # A training that no search comes before says that it starts anew.
    console = Console(record=True, width=200)
    train_network(nasir.load(tmp_path / "sliced" / "arch.nas"), Request(data="digits", out=tmp_path / "own"), console)
    assert "`init = sliced` is for what ends a search: this training starts anew" in console.export_text()
    plan = json.loads((tmp_path / "own" / "plan.json").read_text())
    assert "init" not in plan["settings"]["train"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('init = "nothing.safetensors"', "E0204"),
        ('init = "../net.safetensors"', "E0205"),
        ('init = "net.bin"', "E0503"),
        ("init = sliced", "E0503"),
    ],
)
def test_files_of_weights_that_are_none_are_told(tmp_path, line, code):
    path = tmp_path / "program.nas"
    path.write_text(TINY.replace("search {", f"search {{\n  {line}"))
    with pytest.raises(CompileError) as caught:
        search(nasir.load(path), Request(data="digits", out=tmp_path / "run"), QUIET)
    assert [one.code for one in caught.value.diagnostics] == [code]


def test_weights_that_fit_nothing_are_told(program, tmp_path):
    save_file({"another": torch.zeros(3)}, tmp_path / "net.safetensors")
    with pytest.raises(CompileError, match="E0933"):
        search(nasir.load(program), Request(data="digits", out=tmp_path / "run"), QUIET)
    (tmp_path / "net.safetensors").write_bytes(b"damaged")
    with pytest.raises(CompileError, match="E0932"):
        search(nasir.load(program), Request(data="digits", out=tmp_path / "run"), QUIET)
