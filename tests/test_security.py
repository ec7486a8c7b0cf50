"""`docs/security.md`, line by line: what is trusted, and what a stranger's file can not do."""

import hashlib
import importlib.util
import io
import json
import marshal
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rich.console import Console

import nasir
from nasir.diagnostics import render_all
from nasir.jobs.folder import RunFolder
from nasir.runs.repeating import repeat
from nasir.runs.request import Request
from nasir.runs.run import search, train_file
from nasir.runs.subjects import of_program
from nasir.runs.sweep import members, write_family
from nasir.runs.teaching import teacher_of
from nasir.runs.trained import trained
from nasir.terminal import Terminal
from tests.spaces import TINY

QUIET = Console(quiet=True)
SHORT = TINY.replace("epochs       = 3", "epochs       = 1").replace("epochs = 2", "epochs = 1")
NETWORK = """
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))
"""


def test_each_line_of_the_page_names_a_test_that_there_is():
    page = (Path(__file__).parents[1] / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    assert named == {name for name in globals() if name.startswith("test_") and "each_line" not in name}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    Path("tiny.nas").write_text(SHORT, encoding="utf-8")
    return nasir.load("tiny.nas")


def plant(folder: Path, stem: str) -> Path:
    """Bytecode that Python's loader takes in place of STEM.py, unchecked (PEP 552); it leaves a file `ran`."""
    mark = folder.resolve() / "ran"
    code = compile(f"open({str(mark)!r}, 'w').write('ran')\n{NETWORK}", f"{stem}.py", "exec")
    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
    (folder / "__pycache__").mkdir(parents=True, exist_ok=True)
    path = folder / "__pycache__" / f"{stem}.{sys.implementation.cache_tag}.pyc"
    path.write_bytes(header + marshal.dumps(code))
    return mark


@pytest.mark.parametrize("start", ["plain", "resume", "overwrite"])
def test_bytecode_in_a_run_folder_is_not_run(tiny, start):
    run = Path("run")
    if start != "plain":
        search(tiny, Request("digits", run), QUIET)
        RunFolder(run).drop_checkpoints("train")
    mark = plant(run, "model")
    found = search(tiny, Request("digits", run, resume=start == "resume", overwrite=start == "overwrite"), QUIET)
    assert not mark.exists()
    assert found.summary.costs["params"] == found.network.params()[0]


def test_the_module_of_a_run_folder_is_not_run(tiny):
    run = Path("run")
    search(tiny, Request("digits", run), QUIET)
    mark = Path("ran").resolve()
    (run / "model.py").write_text(f"open({str(mark)!r}, 'w').write('ran')\n{NETWORK}", encoding="utf-8")
    trained(run)  # what `nasir predict` and `nasir export` begin with
    teacher_of(run)
    of_program(nasir.load(run / "arch.nas"), "", 0)
    assert not mark.exists()


def test_bytecode_beside_a_file_that_is_trained_is_not_run(tmp_path, monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    Path("d.py").write_text(NETWORK, encoding="utf-8")
    marks = plant(Path(), "d"), plant(Path("run"), "model")
    settings = nasir.load("digits").settings
    train_file(Path("d.py"), settings, Request("digits", Path("run")), QUIET)
    assert not any(mark.exists() for mark in marks)


def hostile_modules(folder: Path) -> None:
    for name in ("json", "lark", "torch", "rich", "nasir", "sklearn"):
        (folder / f"{name}.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\nraise SystemExit(9)", encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["nasir", "python -P", "sweep", "torchrun"])
def test_modules_of_the_current_folder_are_not_run(tmp_path, form):
    (tmp_path / "tiny.nas").write_text(SHORT, encoding="utf-8")
    hostile_modules(tmp_path)
    nasir_command = str(Path(sys.executable).with_name("nasir"))
    torchrun = [str(Path(sys.executable).with_name("torchrun")), "--no-python", "--standalone", "--nproc-per-node", "1"]
    command = {
        "nasir": [nasir_command, "search", "tiny.nas"],
        "python -P": [sys.executable, "-P", "-m", "nasir", "search", "tiny.nas"],
        "sweep": [nasir_command, "sweep", "tiny.nas", "--macs", "15K"],
        "torchrun": [*torchrun, nasir_command, "search", "tiny.nas"],
    }[form]
    done = subprocess.run(
        [*command, "--out", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
    assert list(tmp_path.glob("run/**/summary.json"))


def test_a_data_module_runs_where_it_is_named_and_lets_no_other_stand_in(tmp_path, monkeypatch):
    """The module is found first in the current folder; nothing else of the folder comes before what is installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in {"", str(tmp_path)}])
    hostile_modules(tmp_path)
    (tmp_path / "sibling.py").write_text("COUNT = 12", encoding="utf-8")
    (tmp_path / "my_images.py").write_text(
        "import colorsys, sibling, torch\n"
        "def load():\n"
        "    images = torch.zeros(sibling.COUNT, 1, 8, 8)\n"
        "    part = torch.utils.data.TensorDataset(images, torch.arange(sibling.COUNT) % 2)\n"
        "    return part, part\n",
        encoding="utf-8",
    )
    (tmp_path / "colorsys.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    from nasir.data import load_data

    assert len(load_data("python:my_images:load").train) == 12
    assert not (tmp_path / "ran").exists()


LINKED = ("report.html", "model.py", "metrics.jsonl", "plan.json", "arch.nas", "space.nas", ".nasir", "timing.jsonl")


@pytest.mark.parametrize("way", ["overwrite", "resume"])
def test_nothing_is_written_through_a_link_of_a_run_folder(tiny, tmp_path, way):
    search(tiny, Request("digits", Path("run")), QUIET)
    target = tmp_path / "precious"
    for name in LINKED:
        if way == "resume" and name == "plan.json":
            continue
        target.write_text("mine", encoding="utf-8")
        place = Path("run") / name
        place.unlink()
        place.symlink_to(target)
    search(tiny, Request("digits", Path("run"), resume=way == "resume", overwrite=way == "overwrite"), QUIET)
    assert target.read_text(encoding="utf-8") == "mine"
    assert [name for name in LINKED if (Path("run") / name).is_symlink() and name != ".nasir"] == []


@pytest.mark.parametrize("name", ["checkpoint", "events", ".lock"])
def test_a_folder_of_a_run_that_is_a_link_is_refused(tiny, tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "events.out.tfevents.1").write_text("mine", encoding="utf-8")
    (tmp_path / "run" / ".nasir").touch()
    (tmp_path / "run" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(nasir.CompileError, match="E0914"):
        search(tiny, Request("digits", Path("run")), QUIET)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["events.out.tfevents.1"]


def test_a_sweep_writes_through_no_link(tmp_path):
    target = tmp_path / "precious"
    target.write_text("mine", encoding="utf-8")
    for name in ("sweep.json", "sweep.md", "sweep.svg"):
        (tmp_path / name).symlink_to(target)
    write_family(tmp_path, "macs", members("macs", ["20M"], tmp_path))
    assert target.read_text(encoding="utf-8") == "mine"


class Hostile:
    """What pickle would run when it loads this."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def test_a_checkpoint_is_data(tiny):
    """A seal says that a checkpoint is whole, not who wrote it: pickle's code is not run in any."""
    search(tiny, Request("digits", Path("run")), QUIET)
    for write in (lambda file: torch.save({"epoch": Hostile()}, file), lambda file: pickle.dump(Hostile(), file)):
        memory = io.BytesIO()
        write(memory)
        data = memory.getvalue()
        Path("run/checkpoint/search.pt").write_bytes(data + hashlib.sha256(data).digest())
        with pytest.raises(nasir.CompileError, match="E0902"):
            search(tiny, Request("digits", Path("run"), resume=True), QUIET)
    assert not Path("ran").exists()


def test_no_program_and_no_run_folder_names_a_loss_in_python(tiny):
    Path("theirs.py").write_text("open('ran', 'w')\ndef loss(outputs, targets): ...\n", encoding="utf-8")
    search(tiny, Request("digits", Path("run")), QUIET)
    plan = json.loads(Path("run/plan.json").read_text())
    Path("run/plan.json").write_text(json.dumps({**plan, "loss_named": "python:theirs:loss"}))
    with pytest.raises(nasir.CompileError, match="E0929"):
        repeat(Path("run"), Request(out=Path("again")), ())
    with pytest.raises(nasir.CompileError, match="it has another `--loss`"):
        search(tiny, Request("digits", Path("run"), resume=True), QUIET)
    text = SHORT.replace("epochs       = 1", "loss = WRITTEN")
    for written in ("python:theirs:loss", "theirs", '"python:theirs:loss"'):
        Path("other.nas").write_text(text.replace("WRITTEN", written), encoding="utf-8")
        with pytest.raises(nasir.CompileError):
            nasir.load("other.nas")
    assert not Path("ran").exists()


ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202egnihton\u2066\x9b31m\x7f"


def test_escape_sequences_of_texts_and_names_do_not_reach_the_terminal(tmp_path, capsys):
    path = tmp_path / f"{ESCAPES[:4]}.nas"
    path.write_text(f"space s(c = 1) {{ # {ESCAPES}\n  x = foo -> {ESCAPES}\n}}", encoding="utf-8")
    shown = render_all(nasir.api.check(path))
    Terminal(force_terminal=True, highlight=False).print(ESCAPES, markup=False)
    printed = capsys.readouterr().out
    for text in (shown, printed):
        assert not {c for c in ESCAPES if not c.isprintable()} & set(text)
        assert "\u241b" in text  # it is shown
    excerpt, underline = shown.splitlines()[2:4]
    assert excerpt.index("\u241b") == underline.index("^")


def test_a_program_reaches_no_file_outside_its_folder(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.nas").write_text("let width = 8", encoding="utf-8")
    (tmp_path / "inner" / "link.nas").symlink_to(tmp_path / "secret.nas")
    for written in ("../secret.nas", str(tmp_path / "secret.nas"), "link.nas"):
        path = tmp_path / "inner" / "net.nas"
        path.write_text(f'from "{written}" import width\n', encoding="utf-8")
        assert [d.code for d in nasir.api.check(path)] == ["E0205"]


def test_what_is_emitted_imports_torch_alone(compiled):
    """Whatever names a program uses: they are identifiers of Python, and its strings do not reach the source."""
    space = compiled(
        "space os(system = 3) {\n  __import__ = image(3, size=4)\n  eval = __import__ -> conv(1, 4) -> bn\n"
        "  exec = eval -> global_avg_pool\n  return exec -> linear(system)\n}"
    )
    source = nasir.emit(space)
    imports = {line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("from", "import"))}
    assert imports == {"torch"}
    assert "__import__(" not in source
