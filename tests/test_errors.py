"""What `docs/errors/` says is so: each code has a document and a place that raises it, and its examples do as they say.

`NASIR_UPDATE=1 pytest tests/test_errors.py` writes what nasir says now into the documents.
"""

import os
import re
import shlex
from pathlib import Path

import pytest

import nasir
from nasir.api import check
from nasir.cli.main import app
from nasir.diagnostics import CompileError, render_all
from nasir.diagnostics.codes import Document, codes, document, parsed
from nasir.resources import folder

DOCUMENTS = {code: document(code) for code in codes()}
RAISED = re.compile(r'"([EW]\d{4})"')

# Its command line is right as it stands; only the training that it starts goes wrong.
NEEDS_A_RUN = {"E0804"}


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def is_command(example: str) -> bool:
    return example.startswith("nasir ")


PROGRAMS = [code for code, one in DOCUMENTS.items() if one.wrong and not is_command(one.wrong)]
COMMANDS = [code for code, one in DOCUMENTS.items() if is_command(one.wrong) and code not in NEEDS_A_RUN]


def checked(program: str):
    Path("net.nas").write_text(program, encoding="utf-8")
    return check(Path("net.nas"))


def test_every_code_of_the_source_has_a_document_and_no_other():
    package = Path(nasir.__file__).parent
    raised = {code for path in package.rglob("*.py") for code in RAISED.findall(path.read_text(encoding="utf-8"))}
    assert set(DOCUMENTS) == raised


@pytest.mark.parametrize("code", PROGRAMS)
def test_a_wrong_program_yields_its_code_and_its_text(code):
    found = checked(DOCUMENTS[code].wrong)
    assert [d.code for d in found] == [code]
    says = render_all(found).replace(str(folder("spaces").resolve()), "<library>") + "\n"
    if os.environ.get("NASIR_UPDATE"):
        path = folder("docs/errors") / f"{code}.md"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f"```text\n{DOCUMENTS[code].says}```", f"```text\n{says}```"), encoding="utf-8")
    else:
        assert says == DOCUMENTS[code].says


@pytest.mark.parametrize("code", PROGRAMS)
def test_a_right_program_has_no_diagnostics(code):
    assert checked(DOCUMENTS[code].right) == ()


@pytest.mark.parametrize("code", COMMANDS)
def test_a_wrong_command_yields_its_code(code):
    *before, last = (shlex.split(line)[1:] for line in DOCUMENTS[code].wrong.splitlines())
    for arguments in before:
        app(arguments, standalone_mode=False)
    with pytest.raises(CompileError) as raised:
        app(last, standalone_mode=False)
    assert [d.code for d in raised.value.diagnostics] == [code]


@pytest.mark.parametrize("code", DOCUMENTS)
def test_documents_read_well(code):
    one = DOCUMENTS[code]
    assert one.code == code
    assert one.wrong or not one.right
    assert bool(one.says) == (code in PROGRAMS), "a wrong program has the text that nasir prints, a command has none"
    assert all(re.fullmatch(r"[^#\s].*[.]", paragraph) and "```" not in paragraph for paragraph in one.meaning)
    text = one.text()
    assert text.startswith(f"{code}: {one.title}\n\n")
    assert max(map(len, text.splitlines())) <= 88
    assert max(len(example.splitlines()) for example in (one.wrong or "-", one.right or "-")) <= 16


def test_no_two_documents_have_one_title():
    titles = [one.title for one in DOCUMENTS.values()]
    assert len({*titles}) == len(titles)


def test_a_document_is_its_title_its_meaning_and_its_examples():
    text = "# E0001: a title\n\nIt\nmeans.\n\nAnd more.\n\n## Wrong\n\n```console\nnasir x\n```\n"
    assert parsed(text) == Document("E0001", "a title", ("It means.", "And more."), wrong="nasir x\n")
    with pytest.raises(AssertionError, match="a document has a title"):
        parsed("E0001: no heading\n\nIt means.\n")
