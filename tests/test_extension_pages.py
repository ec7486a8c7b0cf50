"""The pages `docs/write-a-*.md`: what they show is a package outside of nasir, found by its entry points, and runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import ROOT, fenced

PAGES = [ROOT / "docs" / f"write-{name}.md" for name in ("an-op", "a-cost", "a-strategy")]


def installed(page: Path, folder: Path) -> None:
    """The page's files, and the metadata that an installer writes of its entry points."""
    for language in ("py", "nasir"):
        for text in fenced(page, language):
            name, _, body = text.partition("\n")
            (folder / name.removeprefix("# ")).write_text(body, encoding="utf-8")
    (toml,) = fenced(page, "toml")
    group, line = re.findall(r'\[project\.entry-points\."(.*)"\]\n(.*)', toml)[0]
    metadata = folder / "nasir_extra-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: nasir-extra\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{line.replace(chr(34), '')}\n", encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_what_a_page_shows_is_a_package_that_works(page, tmp_path):
    installed(page, tmp_path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-P", "-W", "error::UserWarning", "use.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_package_that_is_broken_is_left_out_with_a_word(tmp_path):
    page = PAGES[0]
    installed(page, tmp_path)
    (tmp_path / "nasir_prelu.py").write_text("raise RuntimeError('broken')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-P", "-m", "nasir", "check", "digits"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "`prelu = nasir_prelu:PReLU` is left out: RuntimeError('broken')" in done.stderr
