"""`nasir compare`: what runs came to, side by side; of whatever stands in their folders.

`NASIR_UPDATE=1 pytest tests/runs/test_compare.py` writes what it prints now into `tests/cases/compare`.
"""

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

import nasir
from nasir.lang.settings import override
from nasir.runs.comparing import differing, names, networks, records
from nasir.runs.request import Request
from nasir.runs.run import search, train_network
from tests.conftest import CASES
from tests.processes import nasir as command
from tests.spaces import TINY

QUIET = Console(quiet=True)
FIGURES = {
    "a": {
        "test_accuracy": 0.9125,
        "supernet_accuracy": 0.5,
        "validation_accuracy": 0.9,
        "entropy": 0.25,
        "seconds": 61,
    },
    "b": {
        "test_accuracy": 0.95,
        "supernet_accuracy": 0.625,
        "validation_accuracy": 0.9375,
        "entropy": 0.5,
        "seconds": 90.4,
    },
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with two searches, `a` and `b`, whose figures, times and networks are made the same on all machines,
    and `t`, a training of the second one's network."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("compare")
    (folder / "tiny.nas").write_text(TINY, encoding="utf-8")
    space = nasir.load(folder / "tiny.nas")
    for name, seed, epochs in (("a", 0, 1), ("b", 1, 2)):
        changed = replace(space, settings=override(space.settings, [f"epochs={epochs}", "train.epochs=1"]))
        search(changed, Request("digits", folder / name, seed=seed), QUIET)
        pinned(space, folder / name, {"a": space.smallest, "b": space.largest}[name]())
    network = nasir.load(folder / "b" / "arch.nas")
    short = replace(network, settings=override(network.settings, ["train.epochs=1"]))
    train_network(short, Request("digits", folder / "t"), QUIET)
    pinned(space, folder / "t", None)
    return folder


def pinned(space, run: Path, choices) -> None:
    summary = json.loads((run / "summary.json").read_text())
    summary |= FIGURES.get(run.name, {"test_accuracy": 0.5, "validation_accuracy": 0.25, "seconds": 7})
    if choices:
        (run / "choices.json").write_text(json.dumps(choices))
        (run / "arch.nas").write_text(space.arch(choices))
        summary |= {"macs": 12_345, "params": 1_000 + len(run.name)}
    else:
        summary |= {"macs": 23_456, "params": 2_000}
    (run / "summary.json").write_text(json.dumps(summary))
    lines = [json.loads(line) for line in (run / "timing.jsonl").read_text().splitlines()]
    (run / "timing.jsonl").write_text("".join(json.dumps({**line, "seconds": 12.5}) + "\n" for line in lines))


@pytest.fixture
def copies(runs, tmp_path):
    """The same folders, to be changed."""
    shutil.copytree(runs, tmp_path / "runs")
    return tmp_path / "runs"


def golden(name: str, text: str) -> None:
    path = CASES / "compare" / name
    if os.environ.get("NASIR_UPDATE"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def printed(*arguments, cwd: Path, status: int = 0) -> tuple[str, str]:
    done = command("compare", *arguments, cwd=cwd, env={**os.environ, "COLUMNS": "80"})
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


def test_the_table_and_what_differs_read_as_the_golden_file(runs):
    golden("table.txt", printed("a", "b", "t", cwd=runs)[0])


def test_json_is_as_the_golden_file(runs):
    golden("facts.json", printed("b", "t", "--json", cwd=runs)[0])


def test_settings_that_differ_are_told_and_no_others(runs, copies):
    def told(*runs):
        return {row.title: row.cells for row in differing(records(runs))}

    assert told(runs / "a", runs / "b", runs / "t") == {"search.epochs": ("1", "2", None)}
    assert told(runs / "a", copies / "a") == told(runs / "a", runs / "t") == {}
    plan = json.loads((copies / "a" / "plan.json").read_text())
    plan["settings"]["search"] |= {"strategy": "evolution", "loss": "mse"}  # the first is a figure of the table
    plan["settings"]["train"]["weights"]["arguments"][0][1] = 0.5
    (copies / "a" / "plan.json").write_text(json.dumps({**plan, "space": "another", "threads": 2, "init": "sha256:1"}))
    optimizer = "sgd(lr={}, momentum=0.9, weight_decay=0.0001)"
    found = told(runs / "a", copies / "a", runs / "t")
    space = found.pop("space.sha256")
    assert space[0] != space[1]
    assert found == {
        "search.loss": ("cross_entropy", "mse", None),
        "train.weights": (optimizer.format(0.1), optimizer.format(0.5), optimizer.format(0.1)),
        "threads": ("1", "2", "1"),
        "init": (None, "sha256:1", None),
    }


def test_more_runs_than_a_line_has_room_for_are_told_in_several_tables(runs):
    text, _ = printed(*"ababab", cwd=runs)
    assert text.count("test accuracy") > 1
    assert max(map(len, text.splitlines())) <= 80
    assert len(re.findall(r"91\.25%", text)) == len(re.findall(r"95\.00%", text)) == 3


def test_the_page_has_all_runs_in_each_picture_and_loads_nothing(runs, tmp_path):
    printed("a", "b", "t", "-o", tmp_path / "compare.html", cwd=runs)
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    pictures = drawn_in(page)
    for title, drawn in {
        "Loss of the search: weights": {"a", "b"},
        "Multiply-adds: effective": {"a", "b"},
        "Loss of the training": {"a", "b", "t"},
        "Validation accuracy, %": {"a", "b", "t"},
    }.items():
        assert {*re.findall(r"<title>(\w+): \S+ at", pictures[title])} == drawn, title
    assert pictures["Multiply-adds: effective"].count("stroke-dasharray") == 2
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert all(one.startswith("data:") for one in re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page))
    printed("a", "b", "t", "-o", tmp_path / "again.html", cwd=runs)
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def drawn_in(page: str) -> dict[str, str]:
    """The pictures of a page by their titles."""
    return {re.search("<title>(.*?)</title>", one)[1]: one for one in re.findall("<svg.*?</svg>", page, re.DOTALL)}


def test_a_run_has_one_colour_in_the_table_and_in_all_pictures(runs, tmp_path):
    printed("t", "a", "-o", tmp_path / "compare.html", cwd=runs)
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    t, a = re.findall(r'<th class="n"><span style="color: (#\w+)">', page)[:2]
    strokes = {title: re.findall(r'<polyline .* stroke="(#\w+)"', one) for title, one in drawn_in(page).items()}
    assert strokes["Loss of the search: weights"] == [a]
    assert strokes["Multiply-adds: effective"] == [a, a]  # the bound too
    assert strokes["Loss of the training"] == [t, a]


def test_decisions_stand_side_by_side_where_spaces_have_the_same_ones(runs, copies):
    a, b, t = records([runs / name for name in "abt"])
    (one,) = networks([a, b, t])
    assert one.names == ("a", "b")
    told = {row.title: (row.cells, row.differs) for row in one.rows}
    assert told["stem.width"] == (("4", "8"), True)
    assert told["trunk.1.block"] == (("skip", "ir_k3"), True)
    assert told["trunk.1.width"] == ((None, "16"), True)  # a skipped layer has no use for a width
    program = copies / "b" / "space.nas"
    program.write_text(program.read_text().replace("trunk", "body"))
    choices = copies / "b" / "choices.json"
    choices.write_text(choices.read_text().replace("trunk", "body"))
    first, second = networks(records([copies / "a", copies / "b"]))
    assert (first.names, second.names) == (("a",), ("b",))
    assert not any(row.differs for row in (*first.rows, *second.rows))


def test_of_an_unfinished_run_is_shown_what_is_there(copies):
    for name in ("summary.json", "choices.json", "arch.nas"):
        (copies / "b" / name).unlink()
    lines = (copies / "b" / "metrics.jsonl").read_text().splitlines()
    (copies / "b" / "metrics.jsonl").write_text(f"{lines[0]}\n{lines[1][:9]}")  # the second is being written
    text, _ = printed("a", "b", "-o", "compare.html", cwd=copies)
    told = {line[:24].strip(): line[24:].split() for line in text.splitlines()}
    assert told["state"] == ["finished", "searching"]
    assert told["epochs of the search"] == ["1", "1", "of", "2"]
    assert told["test accuracy"] == ["91.25%", "-"]
    assert told["multiply-adds"] == ["12,345", "-"]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("plan.json", lambda text: text.replace('"seed": 0', '"seed": "0"')),
        ("summary.json", lambda text: text.replace("0.9125", "NaN")),
        ("metrics.jsonl", lambda text: f"[]\n{text}"),
        ("timing.jsonl", lambda text: text.replace("12.5", "1e999")),
        ("choices.json", lambda text: text.replace('"skip"', '"nothing"')),
        ("arch.nas", lambda text: text.replace("return", "retrun")),
    ],
)
def test_damage_is_named_and_the_rest_is_shown(copies, file, change):
    path = copies / "a" / file
    path.write_text(change(path.read_text()))
    text, errors = printed("a", "b", "-o", "compare.html", cwd=copies, status=1)
    assert "95.00%" in text
    assert ("91.25%" in text) == (file != "summary.json")
    assert re.findall(r"error\[(E\d+)\]: `(\S+)` is damaged: .", errors) == [("E0909", f"a/{file}")]
    remarks = re.findall(r"<p class=.remark.>(.*)</p>", (copies / "compare.html").read_text())
    assert len(remarks) == 1
    assert remarks[0].startswith(f"`a/{file}` is damaged: ")
    facts = json.loads(printed("a", "b", "--json", cwd=copies, status=1)[0])  # without NaN
    assert [len(run["damage"]) > 0 for run in facts["runs"]] == [True, False]


def test_folders_without_a_run_are_each_named(runs):
    _, errors = printed("a", "nowhere", ".", cwd=runs, status=1)
    assert re.findall(r"error\[(E\d+)\]: `(\S+)`", errors) == [("E0908", "nowhere"), ("E0908", ".")]


def test_what_is_in_a_folder_cannot_write_into_the_page_or_the_terminal(copies):
    evil = "</td><script>alert(1)</script>[bold]\x1b]0;owned\x07\ud800"
    plan = json.loads((copies / "a" / "plan.json").read_text())
    metric = {"name": "accuracy", "title": evil}
    hostile = {"name": evil, "data_set": evil, "machine": evil, "metrics": [metric], evil: evil}
    plan["settings"]["search"] |= {"strategy": evil, evil: evil}
    (copies / "a" / "plan.json").write_text(json.dumps({**plan, **hostile}))
    shutil.copytree(copies / "a", copies / "<script>[red]")
    text, _ = printed("<script>[red]", "b", "-o", "compare.html", cwd=copies)
    page = (copies / "compare.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 10
    assert "\x1b" not in text
    assert "[bold]" in text
    assert "<script>[red]" in text


def test_metrics_are_told_by_their_names(copies):
    plan = json.loads((copies / "b" / "plan.json").read_text())
    metric = {"name": "mse", "title": "mean squared error", "higher": False, "share": False}
    (copies / "b" / "plan.json").write_text(json.dumps({**plan, "metrics": [metric]}))
    summary = (copies / "b" / "summary.json").read_text()
    (copies / "b" / "summary.json").write_text(summary.replace("_accuracy", "_mse"))
    text, _ = printed("a", "b", cwd=copies)
    assert re.search(r"test accuracy +91\.25% +-", text)
    assert re.search(r"test mean squared error +- +0\.95", text)


def test_runs_of_one_name_go_by_their_paths(copies):
    shutil.copytree(copies / "b", copies / "more" / "a")
    assert names(records([copies / "a", copies / "b"])) == ("a", "b")
    both = [copies / "a", copies / "more" / "a"]
    assert names(records(both)) == tuple(map(str, both))
