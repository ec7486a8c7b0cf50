"""Files that appear whole or not at all, and names that no file system takes."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import nasir
from nasir.cli.main import explained
from nasir.files import Unreadable, parse_json, read_any, read_regular, replace_atomically, write_atomically
from nasir.lang.imports import find


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = tmp_path / f".model.py.{dead.stdout.strip()}.partial"
    other = tmp_path / f".model.py.{os.getppid()}.partial"  # a process that lives may be writing it
    theirs = tmp_path / ".other.py.1.partial"
    for path in (left, other, theirs):
        path.write_text("half")
    write_atomically(tmp_path / "model.py", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([other.name, theirs.name, "model.py"])


def test_a_path_that_is_named_is_written_where_it_leads_and_one_of_a_folder_is_replaced(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"
    replace_atomically(tmp_path / "link", b"newer")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_reading_ends_and_says_why_it_does_not_begin(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "large").write_bytes(bytes(100))
    for path in (tmp_path / "pipe", tmp_path / "loop", tmp_path, Path("/dev/zero"), tmp_path / "none"):
        with pytest.raises(Unreadable):
            read_regular(path)
    with pytest.raises(Unreadable, match="more than 99 bytes"):
        read_regular(tmp_path / "large", 99)
    with pytest.raises(Unreadable, match="more than 1,000 bytes"):
        read_any(Path("/dev/zero"), 1_000)
    for text in ("[" * 100_000, "1" + "0" * 5_000, "{", b"\xff\xfe"):
        with pytest.raises(Unreadable):
            parse_json(text)


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3_000, "nul\0", "loop.nas", "model.py"])
def test_names_that_are_no_programs_are_diagnostics(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("loop.nas").symlink_to("loop.nas")
    Path("model.py").write_text("")
    with pytest.raises(nasir.CompileError, match="E0704" if name == "model.py" else "E0701"):
        find(name)
    Path("net.nas").write_text(f'from "{name}" import a\n'.replace("\0", "0"), encoding="utf-8")
    assert {d.code for d in nasir.api.check(Path("net.nas"))} <= {"E0204", "E0702", "E0203"}


def test_faults_are_told_without_a_traceback(monkeypatch):
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(FileNotFoundError) as none:
        tempfile.gettempdir()
    (told,) = explained(none.value).diagnostics
    assert (told.code, "TMPDIR" in told.hints[0]) == ("E0923", True)
    (told,) = explained(ZeroDivisionError("division by zero")).diagnostics
    assert told.code == "E0910"


def test_types_reach_those_who_use_them(tmp_path):
    """pyright sees what a supernet returns, with nothing said about it."""
    program = (
        "import nasir, torch\n"
        'out = nasir.supernet(nasir.load("digits"))(torch.zeros(1, 1, 8, 8))\n'
        "reveal_type(out.cost)\n"
        'reveal_type(nasir.search("digits").summary.test_accuracy)\n'
    )
    (tmp_path / "use.py").write_text(program, encoding="utf-8")
    pyright = [str(Path(sys.executable).with_name("pyright")), "--pythonpath", sys.executable, "use.py"]
    done = subprocess.run(pyright, cwd=tmp_path, capture_output=True, text=True)
    assert '"out.cost" is "dict[str, Tensor]"' in done.stdout
    assert 'is "float"' in done.stdout
    assert done.returncode == 0, done.stdout
