"""`nasir fmt` as a user runs it."""

import pytest

from tests.processes import nasir

UNTIDY = "block  a(width=8) { # why\n return x->conv(1,width) }\n"
TIDY = "block a(width = 8) {  # why\n  return x -> conv(1, width)\n}\n"
BROKEN = f"{UNTIDY}choice c {{\n  a:  conv(1, 8\n}}\n"


@pytest.fixture
def files(tmp_path):
    """Programs in folders, one of them a tool's own; and what is none."""
    for name, text in {
        "net.nas": UNTIDY,
        "below/tidy.nas": TIDY,
        "below/deep/untidy.nas": UNTIDY,
        "below/notes.txt": UNTIDY,
        "below/.venv/other.nas": UNTIDY,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_files_and_those_below_folders_are_written_in_place_where_something_changes(files):
    before = (files / "below/tidy.nas").stat().st_mtime_ns
    (files / "net.nas").chmod(0o640)
    done = nasir("fmt", "net.nas", "below", cwd=files)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "formatted net.nas\nformatted below/deep/untidy.nas\n3 files, 2 formatted\n"
    assert (files / "net.nas").read_text() == (files / "below/deep/untidy.nas").read_text() == TIDY
    assert (files / "net.nas").stat().st_mode & 0o777 == 0o640
    assert (files / "below/tidy.nas").stat().st_mtime_ns == before
    assert (files / "below/notes.txt").read_text() == (files / "below/.venv/other.nas").read_text() == UNTIDY
    assert nasir("fmt", ".", cwd=files).stdout == "3 files, 0 formatted\n"


def test_check_names_what_would_change_and_writes_nothing(files):
    found = nasir("fmt", "--check", ".", "net.nas", cwd=files)
    assert found.returncode == 1
    assert found.stdout == "would change net.nas\nwould change below/deep/untidy.nas\n3 files, 2 would change\n"
    assert (files / "net.nas").read_text() == UNTIDY
    assert nasir("fmt", "--check", "below/tidy.nas", cwd=files).returncode == 0


def test_diff_prints_what_would_change_and_writes_nothing(files):
    found = nasir("fmt", "--diff", "net.nas", "below/tidy.nas", cwd=files)
    assert found.returncode == 1
    removed, added = UNTIDY.splitlines(), TIDY.splitlines()
    lines = ["--- net.nas", "+++ net.nas", "@@ -1,2 +1,3 @@", *(f"-{x}" for x in removed), *(f"+{x}" for x in added)]
    assert found.stdout.splitlines() == lines
    assert (files / "net.nas").read_text() == UNTIDY


def test_standard_input_comes_out_laid_out(files):
    shown = nasir("fmt", "-", cwd=files, input=UNTIDY)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, TIDY, "")
    assert nasir("fmt", "--check", "-", cwd=files, input=UNTIDY).returncode == 1
    assert nasir("fmt", "-", "net.nas", cwd=files, input=UNTIDY).returncode == 2


def test_an_item_that_does_not_parse_is_told_and_left_as_it_is(files):
    (files / "net.nas").write_text(BROKEN, encoding="utf-8")
    done = nasir("fmt", "net.nas", cwd=files)
    assert done.returncode == 1
    assert "net.nas:5:1: error[E0101]" in done.stderr
    assert (files / "net.nas").read_text() == f"{TIDY}\nchoice c {{\n  a:  conv(1, 8\n}}\n"
    shown = nasir("fmt", "-", cwd=files, input=BROKEN)
    assert (shown.returncode, shown.stdout) == (1, (files / "net.nas").read_text())


def test_what_cannot_be_laid_out_is_told_and_the_rest_is_done(files):
    (files / "empty").mkdir()
    (files / "latin.nas").write_bytes(b"# \xe9\n")
    done = nasir("fmt", "nowhere.nas", "model.py", "empty", "latin.nas", "net.nas", cwd=files)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for code in ("E0702", "E0704", "E0711", "E0706"):
        assert code in done.stderr
    assert (files / "net.nas").read_text() == TIDY


def test_the_files_of_the_shipped_library_are_no_arguments(files):
    done = nasir("fmt", "digits", cwd=files)
    assert done.returncode == 1
    assert "`digits` cannot be read" in done.stderr
