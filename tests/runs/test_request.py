"""One dataclass is the command line, the plan, the check of a resumed run, `--from` and a sweep's searches."""

from dataclasses import replace
from pathlib import Path

import pytest
import typer
from rich.console import Console
from torch.nn import functional as F
from typer.testing import CliRunner

import nasir
from nasir.cli.options import with_request
from nasir.runs.repeating import repeat
from nasir.runs.request import OPTIONS, Request, options_of, request_of
from nasir.runs.run import search

ASKED = Request(
    "folder:/photos",
    Path("run"),
    bound=("macs <= 20M", "params <= 1M"),
    set=("epochs=3",),
    classes="10%",
    skip_broken=True,
    seed=7,
    device="cuda:1",
    threads=2,
    synchronised=True,
    tensorboard=True,
    init=Path("model.safetensors"),
    teacher=Path("runs/large"),
    supernet=Path("runs/wide"),
    resume=True,
    overwrite=True,
    loss_named="mse",
)


def asked_by(command, arguments):
    """The request that a command line makes."""
    found = []
    app = typer.Typer()
    app.command()(with_request(command)(lambda request: found.append(request)))
    outcome = CliRunner().invoke(app, arguments)
    assert outcome.exit_code == 0, outcome.output
    return found[0]


def test_no_option_is_left_out_of_these_tests():
    assert all(getattr(ASKED, one.name) != one.default for one in OPTIONS)


def test_without_arguments_the_command_line_and_python_ask_for_the_same():
    for command in ("search", "train", "sweep"):
        assert asked_by(command, []) == Request() == request_of()


def test_what_a_sweep_hands_on_is_what_it_was_asked_for():
    own = {one.name: one.default for one in OPTIONS if "sweep" not in one.option.commands}
    handed = asked_by("search", ASKED.arguments())
    assert handed == replace(ASKED, **own)
    assert {one.name for one in options_of("sweep")} == {one.name for one in OPTIONS} - own.keys()


def test_a_plan_repeats_what_it_holds_but_for_what_is_named():
    again = Request(out=Path("again"))
    kept = {one.name: one.default for one in OPTIONS if not one.option.planned}
    found = again.repeat(ASKED.as_plan(), ())
    assert found == replace(ASKED, **{**kept, "out": Path("again"), "device": "cuda"})
    named = Request("digits", device="cpu").repeat(ASKED.as_plan(), ("data", "device", "seed"))
    assert (named.data, named.device, named.seed) == ("digits", "cpu", 7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": "digits"}, ["other data"]),
        ({"seed": 8, "classes": None}, ["other `--classes`", "another seed"]),
        ({"skip_broken": False}, ["`--skip-broken`"]),
        ({"device": "cpu"}, ["another device"]),
        ({"threads": 3}, ["another `--threads`"]),
        ({"synchronised": False}, ["another `--sync-bn`"]),
        ({"loss": F.cross_entropy}, ["another loss"]),
        ({"threads": None, "device": "cuda:0", "tensorboard": False, "resume": False, "out": Path("x")}, []),
    ],
)
def test_a_run_that_goes_on_says_what_is_another(change, words):
    assert replace(ASKED, **change).differences(ASKED.as_plan()) == words


def test_a_run_that_left_nothing_out_may_leave_out_from_now_on():
    assert ASKED.differences(replace(ASKED, skip_broken=False).as_plan()) == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"seed": -1}, "`seed` is a whole number from 0"),
        ({"seed": True}, "`seed` is a whole number"),
        ({"threads": 5_000}, "from 1 to 1,024, not 5000"),
        ({"resume": True, "overwrite": True}, "one of `resume` and `overwrite`"),
        ({"out": ""}, "no name"),
        ({"set": "epochs=3"}, "list of texts"),
        ({"bound": [3]}, "list of texts"),
        ({"skip_broken": "yes"}, "`skip_broken` is no str"),
        ({"data": 3}, "`data` is no int"),
        ({"sync_bn": True}, "sync_bn"),
    ],
)
def test_options_of_python_are_checked(options, error):
    with pytest.raises((TypeError, ValueError), match=error):
        request_of(**options)


def test_a_loss_of_python_is_computed_and_its_run_says_that_only_python_repeats_it(tmp_path, capsys):
    seen = []

    def doubled(logits, labels):
        if logits.requires_grad:
            seen.append(logits.shape[1])
        return 2 * F.cross_entropy(logits, labels)

    texts = ["search.epochs=1", "train.epochs=1", "train.weights=sgd(lr=0.01)"]
    nasir.search("digits", out=tmp_path / "run", set=texts, loss=doubled, threads=1)
    assert set(seen) == {10}
    assert "given in Python: the command line cannot repeat this run" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(nasir.CompileError, match=r"E0929: .*with a loss that was given in Python"):
        repeat(tmp_path / "run", Request(out=tmp_path / "again"), ())
    request = Request(out=tmp_path / "run", set=tuple(texts), threads=1, resume=True)
    space = nasir.load("digits")
    space = replace(space, settings=request.settle(space.settings))
    with pytest.raises(nasir.CompileError, match="it has another loss"):
        search(space, request, Console(quiet=True))
    count = len(seen)
    search(space, replace(request, loss=doubled), Console(quiet=True))
    assert len(seen) == count
