"""Trainings that start from weights, and networks of Python files that are made with arguments."""

import contextlib
import json
import os
import random
import subprocess
from dataclasses import replace

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file, save, save_file

import nasir
from nasir.execution import network_class
from nasir.jobs.signals import Stopped
from nasir.runs.constructing import constructed
from nasir.runs.predicting import predictor
from nasir.runs.request import Request, request_of
from nasir.runs.run import train_file, train_network
from nasir.runs.weights import show_start, start_of
from tests import processes
from tests.conftest import stop_at
from tests.searching.test_ranks import free_port
from tests.spaces import TINY

QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with a trained network of ten classes, as `arch.nas` and `model.py`."""
    folder = tmp_path_factory.mktemp("starting")
    (folder / "tiny.nas").write_text(TINY, encoding="utf-8")
    space = nasir.load(folder / "tiny.nas")
    (folder / "net.nas").write_text(space.arch(space.largest()), encoding="utf-8")
    network = nasir.load(folder / "net.nas")
    train_network(network, Request("digits", folder / "base"), QUIET)
    return folder


def tuned(base, out, **options):
    """A training of the base's file for three classes, from its weights."""
    settings = nasir.load(base / "net.nas").settings
    request = Request("digits", base / out, classes="3", init=base / "base" / "model.safetensors", **options)
    return train_file(base / "base" / "model.py", settings, request, QUIET, {"classes": "3"})


def test_a_new_head_is_trained_on_old_weights(base):
    arguments = ["base/model.py", "--with", "classes=3", "--init", "base/model.safetensors", "--out", "tuned"]
    options = ["--data", "digits", "--classes", "3", "--set", "epochs=1"]
    done = processes.nasir("train", *arguments, *options, cwd=base, check=True)
    of = len(load_file(base / "base" / "model.safetensors"))
    assert f"starts from base/model.safetensors: {of - 2} of {of} weights and buffers" in done.stdout
    table = [line.split() for line in done.stdout.splitlines() if "begins anew" in line]
    assert table == [
        ["linear.weight", "10", "x", "16", "3", "x", "16", "begins", "anew"],
        ["linear.bias", "10", "3", "begins", "anew"],
    ]
    told = json.loads((base / "tuned" / "summary.json").read_text())["init"]
    assert told["new"] == told["not_used"] == ["linear.weight", "linear.bias"]
    plan = json.loads((base / "tuned" / "plan.json").read_text())
    assert plan["init"] == f"sha256:{told['sha256']}"
    names = json.loads((base / "tuned" / "deploy.json").read_text())["classes"]
    assert list(predictor(base / "tuned" / "model.py").names) == names  # the file alone is the network of three
    assert len(names) == 3


def test_a_program_starts_from_weights_too(base):
    given = nasir.load(base / "net.nas", classes=3)
    request = Request("digits", base / "program", classes="3", init=base / "base" / "model.safetensors")
    train_network(given, request, QUIET)
    tuned(base, "file")
    assert (base / "program" / "model.safetensors").read_bytes() == (base / "file" / "model.safetensors").read_bytes()
    assert "trained from given weights" in (base / "program" / "report.html").read_text(encoding="utf-8")


def test_weights_and_buffers_that_fit_are_taken_and_no_other(base):
    path = base / "base" / "model.safetensors"
    there = load_file(path)
    network = network_class(base / "base" / "model.py")(classes=3)
    head = network.linear.weight.detach().clone()
    start = start_of(path, network)
    start.put(network)
    for name, tensor in network.state_dict().items():
        if not name.startswith("linear."):
            assert torch.equal(tensor, there[name]), name
    assert "stem_bn.running_var" in start.taken
    assert torch.equal(network.linear.weight, head)
    assert [(one.name, one.file, one.network) for one in start.differences] == [
        ("linear.weight", (10, 16), (3, 16)),
        ("linear.bias", (10,), (3,)),
    ]


def test_how_often_a_batch_norm_was_trained_is_no_weight_that_a_file_lacks(base, tmp_path):
    there = load_file(base / "base" / "model.safetensors")
    counters = [name for name in there if name.endswith("num_batches_tracked")]
    save_file({name: value for name, value in there.items() if name not in counters}, tmp_path / "lifted.safetensors")
    start = start_of(tmp_path / "lifted.safetensors", network_class(base / "base" / "model.py")())
    assert counters
    assert not start.differences
    save_file({**there, "spare.num_batches_tracked": torch.tensor(3)}, tmp_path / "more.safetensors")
    start = start_of(tmp_path / "more.safetensors", network_class(base / "base" / "model.py")())
    assert [one.name for one in start.differences] == ["spare.num_batches_tracked"]


def test_names_of_one_side_alone_are_told(base, tmp_path):
    network = network_class(base / "base" / "model.py")()
    state = network.state_dict()
    state["other.weight"] = state.pop("linear.bias")
    save_file(state, tmp_path / "other.safetensors")
    start = start_of(tmp_path / "other.safetensors", network)
    assert [(one.name, one.file, one.network) for one in start.differences] == [
        ("linear.bias", None, (10,)),
        ("other.weight", (10,), None),
    ]
    assert start.as_json()["new"] == ["linear.bias"]
    assert start.as_json()["not_used"] == ["other.weight"]


def test_long_lists_are_cut_and_names_are_no_markup(base, tmp_path, capsys):
    network = network_class(base / "base" / "model.py")()
    state = {**network.state_dict(), **{f"[red]{i}[/red]": torch.zeros(()) for i in range(15)}}
    save_file(state, tmp_path / "more.safetensors")
    start = start_of(tmp_path / "more.safetensors", network)
    assert [one.name for one in start.differences] == sorted(one.name for one in start.differences)
    show_start(start, Console(width=100))
    shown = capsys.readouterr().out
    assert ["[red]0[/red]", "a", "number", "-", "not", "used"] in [line.split() for line in shown.splitlines()]
    assert "and 3 more, told in summary.json" in shown


def test_a_training_from_weights_goes_on_to_the_same_bytes(base, monkeypatch):
    torch.set_num_threads(1)
    tuned(base, "whole")
    stop_at(3, monkeypatch)
    with pytest.raises(Stopped):
        tuned(base, "stopped")
    monkeypatch.undo()
    tuned(base, "stopped", resume=True)
    for name in ("model.py", "model.safetensors", "metrics.jsonl", "plan.json", "test.json"):
        assert (base / "whole" / name).read_bytes() == (base / "stopped" / name).read_bytes(), name


def test_a_training_goes_on_from_its_own_start_alone(base, monkeypatch, tmp_path):
    stop_at(3, monkeypatch)
    with pytest.raises(Stopped):
        tuned(base, "own")
    monkeypatch.undo()
    other = {name: tensor + 1 for name, tensor in load_file(base / "base" / "model.safetensors").items()}
    save_file(other, tmp_path / "other.safetensors")
    settings = nasir.load(base / "net.nas").settings
    request = Request("digits", base / "own", classes="3", resume=True)
    for one in (request, replace(request, init=tmp_path / "other.safetensors")):
        with pytest.raises(nasir.CompileError, match="it has other weights to start from"):
            train_file(base / "base" / "model.py", settings, one, QUIET, {"classes": "3"})


def test_weights_of_another_network_are_refused(base, tmp_path):
    save_file({"a.weight": torch.zeros(2, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(nasir.CompileError, match="E0933") as caught:
        start_of(tmp_path / "other.safetensors", network_class(base / "base" / "model.py")())
    (hint,) = caught.value.diagnostics[0].hints
    assert "the first of the file is `a.weight` [2, 3], of the network `stem_conv.weight`" in hint


def test_damaged_weights_are_a_diagnostic(base, tmp_path):
    whole = (base / "base" / "model.safetensors").read_bytes()
    network = network_class(base / "base" / "model.py")()
    header = int.from_bytes(whole[:8], "little")
    rng, refused = random.Random(0), 0
    damaged = [b"", whole[:7], whole[:40], whole[:-1], whole + b"\0", b"\xff" * 64, save({})]
    for _ in range(200):
        place = rng.randrange(8 + header)
        damaged.append(whole[:place] + bytes([rng.randrange(256)]) + whole[place + 1 :])
    for data in damaged:
        (tmp_path / "damaged.safetensors").write_bytes(data)
        with contextlib.suppress(nasir.CompileError):  # and nothing else
            start_of(tmp_path / "damaged.safetensors", network)
            continue
        refused += 1
    assert refused > 100


def test_an_option_of_the_training_is_none_of_a_search():
    with pytest.raises(TypeError, match="`init` is no option of a search"):
        request_of(init="model.safetensors")


FILE = '''# -*- coding: {encoding} -*-
from torch import nn


class Part(nn.Module):
    def __init__(self, classes: int = 1) -> None:
        super().__init__()


class Network(nn.Module):
    """\xe9\xe9 has `classes: int = 10`."""

    def __init__(self, classes: int = 10, wide=2, *, name="\xe9", rate: float = -1.5, bias: bool = False, \
act: type[nn.Module] = nn.ReLU, rest: int | None = None) -> None:
        super().__init__()
        self.part = Part()
        self.made = (classes, wide, name, rate, bias, rest)
'''


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_arguments_become_the_defaults_of_the_constructor(tmp_path, encoding, newline):
    source = FILE.format(encoding=encoding).replace("\n", newline).encode(encoding)
    path = tmp_path / "net.py"
    given = {"classes": "7", "name": "\xe0 'b'", "rate": "2", "bias": "true", "rest": "-3", "wide": "4"}
    found = constructed(path, source, given)
    assert network_class(path, found)().made == (7, 4, "\xe0 'b'", 2.0, True, -3)
    assert found.count(b"int = 10") == 1  # the docstring's
    assert constructed(path, source, {}) == source


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        ({"klasses": "7"}, "E0930", "no parameter `klasses`"),
        ({"self": "7"}, "E0930", "no parameter `self`"),
        ({"classes": "7.5"}, "E0931", "`7.5` is no value for the parameter `classes: int = 10` of `Network`"),
        ({"rate": "nan"}, "E0931", "rate: float"),
        ({"bias": "1"}, "E0931", "bias: bool"),
        ({"act": "nn.Tanh"}, "E0931", "act: type"),
    ],
)
def test_what_a_constructor_does_not_take_is_a_diagnostic(tmp_path, given, code, told):
    with pytest.raises(nasir.CompileError) as caught:
        constructed(tmp_path / "net.py", FILE.format(encoding="utf-8").encode(), given)
    assert caught.value.diagnostics[0].code == code
    assert told in str(caught.value)


def test_a_parameter_without_a_default_takes_one(tmp_path):
    source = b"from torch import nn\nclass N(nn.Module):\n    def __init__(self, classes, width: int):\n"
    source += b"        super().__init__()\n        self.made = classes, width\n"
    made = network_class(tmp_path / "n.py", constructed(tmp_path / "n.py", source, {"classes": "a", "width": "3"}))()
    assert made.made == ("a", 3)


def test_two_ranks_start_from_the_weights(base):
    """Without steps that move, the network ends with the weights that it began with."""
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    arguments = ["net.nas", "--init", "base/model.safetensors", "--out", "ranks", "--set", "epochs=1"]
    ranks = [
        processes.Command(
            ["train", *arguments, "--set", "weights=sgd(lr=1e-30)"],
            cwd=base,
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    told = [rank.communicate(timeout=120) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], told
    assert "".join(output for output, _ in told).count("starts from base/model.safetensors") == 1
    begun, ended = (load_file(base / run / "model.safetensors") for run in ("base", "ranks"))
    for name in begun:
        if "running" not in name and "num_batches" not in name:
            assert torch.equal(begun[name], ended[name]), name
