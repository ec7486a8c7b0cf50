"""Every file of a run x every damage: what goes on ends in the same bytes, or says in a diagnostic why it does not.

Each damage is done to every third file, another third for the next one; `NASIR_DAMAGE=all` does all to all.
"""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from rich.console import Console

import nasir
from nasir.diagnostics import CompileError
from nasir.jobs.signals import Pauses, Stopped
from nasir.runs.compare_page import write_comparison
from nasir.runs.comparing import facts, records
from nasir.runs.repeating import repeat
from nasir.runs.report import write_report
from nasir.runs.request import Request
from nasir.runs.run import search
from tests.spaces import TINY

SMALL = TINY.replace("classes = 10", "classes = 2").replace("epochs       = 3", "epochs       = 2")
SMALL = SMALL.replace("epochs = 2", "epochs = 1")
SAME = ("arch.nas", "choices.json", "metrics.jsonl", "model.py", "model.safetensors", "probabilities.jsonl")
FILES = (
    *SAME,
    "plan.json",
    "timing.jsonl",
    "summary.json",
    "report.html",
    "space.nas",
    "data.json",
    "deploy.json",
    "test.json",
    "lib/mobile.nas",
    ".nasir",
    ".lock",
    "checkpoint/search.pt",
    "checkpoint/search.before.pt",
    "checkpoint/train.pt",
    "checkpoint",
    "events",
)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def replaced(make):
    def damage(path: Path) -> None:
        remove(path)
        path.parent.mkdir(exist_ok=True)
        make(path)

    return damage


def edited(change):
    """Of a file that is there and is one."""

    def damage(path: Path) -> None:
        if path.is_file():
            path.write_bytes(change(path.read_bytes()))

    return damage


DAMAGES = {
    "missing": remove,
    "empty": replaced(lambda path: path.write_bytes(b"")),
    "cut": edited(lambda data: data[: len(data) // 2]),
    "cut to a line": edited(lambda data: b"\n".join(data.split(b"\n")[:1]) + b"\n"),
    "a line less": edited(lambda data: b"\n".join(data.split(b"\n")[1:])),
    "garbled": edited(lambda data: data[:7] + bytes(b ^ 0x5A for b in data[7:40]) + data[40:]),
    "other text": replaced(lambda path: path.write_text("[1, 2]\n[]\n")),
    "UTF-16": edited(lambda data: data.decode("latin-1").encode("utf-16")),
    "numbers as texts": edited(lambda data: data.replace(b": 0", b': "0"').replace(b": 1", b': "1"')),
    "huge numbers": edited(lambda data: data.replace(b": 1", b": 1" + b"0" * 5_000)),
    "nested deep": replaced(lambda path: path.write_text("[" * 100_000)),
    "a folder": replaced(lambda path: (path.mkdir(), (path / "x").write_text("x"))),
    "a link to a text": replaced(
        lambda path: (Path("text").write_text("text"), path.symlink_to(Path("text").resolve()))
    ),
    "a link to nowhere": replaced(lambda path: path.symlink_to("nowhere")),
    "a link to itself": replaced(lambda path: path.symlink_to(path.name)),
    "a device": replaced(lambda path: path.symlink_to("/dev/zero")),
    "a pipe": replaced(os.mkfifo),
}


class Words(Console):
    """A console that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        super().__init__(quiet=True)

    def print(self, *objects, **options) -> None:
        self.said += map(str, objects)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A space; `done`, a whole run of it; `half`, one stopped within its search."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("damage")
    (folder / "small.nas").write_text(SMALL, encoding="utf-8")
    space = nasir.load(folder / "small.nas")
    resumed(space, folder / "done", resume=False)
    due, asked = Pauses.due, []

    def stop(self) -> bool:
        asked.append(1)
        self.told = signal.SIGTERM if len(asked) == 4 else 0
        return False

    Pauses.due = stop
    try:
        with pytest.raises(Stopped):
            resumed(space, folder / "half", resume=False)
    finally:
        Pauses.due = due
    return space, folder


def files(damage) -> tuple[str, ...]:
    """The files that a damage is done to."""
    return FILES if os.environ.get("NASIR_DAMAGE") == "all" else FILES[list(DAMAGES).index(damage) % 3 :: 3]


def resumed(space, run, resume=True) -> list[str]:
    words = Words()
    search(space, Request("digits", run, classes="2", resume=resume), words)
    return words.said


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_goes_on_to_the_same_bytes_or_is_refused_with_a_word(runs, tmp_path, monkeypatch, damage):
    space, folder = runs
    monkeypatch.chdir(tmp_path)
    for state in ("done", "half"):
        for name in files(damage) if state == "done" else ("metrics.jsonl", "plan.json", "checkpoint/search.pt"):
            run = Path("run")
            remove(run)
            shutil.copytree(folder / state, run, symlinks=True)
            DAMAGES[damage](run / name)
            said: list[str] = []
            codes = codes_of(lambda run=run, said=said: said.extend(resumed(space, run)))
            assert codes <= {"E0902", "E0909", "E0914"}, (state, name)
            if codes:
                continue
            grown = name in {"metrics.jsonl", "probabilities.jsonl"}
            if state == "done" and grown and changed(folder / state, run, name, damage):
                assert any("written again" in words for words in said), name
            for same in SAME:
                assert (run / same).read_bytes() == (folder / "done" / same).read_bytes(), (state, name, same)
            assert not Path("text").exists() or Path("text").read_text() == "text"


def codes_of(work) -> set[str]:
    """The codes of what is wrong; nothing else may be raised."""
    try:
        work()
    except CompileError as error:
        return {d.code for d in error.diagnostics}
    return set()


def changed(folder, run, name, damage) -> bool:
    """Whether the damage took away lines: to edit in place may leave a file as it was."""
    probe = run.parent / "probe"
    remove(probe)
    probe.mkdir()
    shutil.copy(folder / name, probe / "lines")
    DAMAGES[damage](probe / "lines")
    return not (probe / "lines").is_file() or (probe / "lines").read_bytes() != (folder / name).read_bytes()


def compared(run: Path) -> None:
    """Whatever is in it, a run that has a plan gets a page."""
    found = records([run])
    json.dumps(facts(found), allow_nan=False)
    write_comparison(found, Path("compare.html"))


@pytest.mark.parametrize("damage", DAMAGES)
def test_reports_and_repetitions_of_damaged_runs_end_in_diagnostics(runs, tmp_path, monkeypatch, damage):
    _, folder = runs
    monkeypatch.chdir(tmp_path)
    for name in files(damage):
        run = Path("run")
        remove(run)
        shutil.copytree(folder / "done", run, symlinks=True)
        DAMAGES[damage](run / name)
        for read in (write_report, compared, lambda run: repeat(run, Request("digits", Path("again")), ())):
            codes_of(lambda read=read, run=run: read(run))


HOSTILE = [
    ("threads", [1e6, -1, 0, "2", None, [], 10**30, True]),
    ("seed", ["0", None, 1e300, -5, [0]]),
    ("settings", [None, [], {"search": 3}]),
    ("versions", [None, [], "0", {"torch": {}}]),
    ("device", [None, 3, [], "nothing:9"]),
    ("ranks", [0, "1", None, 10**30]),
    ("images", [None, 3, {"train": "x"}]),
    ("imports", [None, 3, {"../x": "y"}, ["a"]]),
    ("given", [None, 3, {"set": 3}, {"set": ["epochs=9^99999"]}, {"bound": [None]}]),
    ("data", [None, 3, "python:os:system", "folder:/"]),
    ("bounds", [None, {"macs": "x"}, {"macs": float("inf")}]),
    ("name", [None, {}, "<script>alert(1)</script>"]),
]


@pytest.mark.parametrize(("key", "values"), HOSTILE, ids=[key for key, _ in HOSTILE])
def test_a_hostile_plan_ends_in_a_diagnostic(runs, tmp_path, monkeypatch, key, values):
    space, folder = runs
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder / "done", "run")
    plan = json.loads(Path("run/plan.json").read_text())
    for value in values:
        Path("run/plan.json").write_text(json.dumps({**plan, key: value}))
        uses = (
            write_report,
            compared,
            lambda run: repeat(run, Request("digits", Path("again")), ()),
            lambda run: resumed(space, run),
        )
        for use in uses:
            codes_of(lambda use=use: use(Path("run")))
        assert "<script>" not in Path("run/report.html").read_text() + Path("compare.html").read_text()
    assert torch.get_num_threads() == 1
