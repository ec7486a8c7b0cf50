"""A run folder: outputs appear whole or not at all."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from nasir.diagnostics import CompileError, Diagnostic
from nasir.files import write_atomically


class RunFolder:
    """The files of one run. Text and JSON are written beside their place and renamed into it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, *, overwrite: bool) -> None:
        """Make the folder, empty of an earlier run's files.

        Raises:
            CompileError: where it holds a run already and may not be overwritten, or cannot be made.
        """
        if (self.path / "plan.json").exists() and not overwrite:
            hints = ("`--resume` continues it, `--overwrite` replaces it, `--out DIR` goes elsewhere",)
            raise CompileError(Diagnostic("E0901", f"`{self.path}` holds a run already", hints=hints))
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CompileError(Diagnostic("E0901", f"`{self.path}` cannot be made: {error.strerror}")) from None
        for name in _FILES:
            (self.path / name).unlink(missing_ok=True)

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file atomically."""
        data = content.encode("utf-8") if isinstance(content, str) else content
        write_atomically(self.path / name, data)

    def write_program(self, name: str, text: str, imports: Mapping[str, str]) -> None:
        """Write a program with the files it imports beside it, so that it loads from here."""
        for path, imported in imports.items():
            (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            self.write(path, imported)
        self.write(name, text)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file atomically."""
        self.write(name, json.dumps(content, indent=2) + "\n")

    def append(self, name: str, line: Mapping[str, Any]) -> None:
        """Add a line to a .jsonl file."""
        with (self.path / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a .jsonl file that are whole."""
        path = self.path / name
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return

    def keep_lines(self, name: str, lines: list[dict[str, Any]]) -> None:
        """Cut a .jsonl file back to the given lines."""
        self.write(name, "".join(json.dumps(line) + "\n" for line in lines))

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Write the search's state; the one before stays until this one is whole."""
        folder = self.path / "checkpoint"
        folder.mkdir(exist_ok=True)
        partial = folder / "search.pt.partial"
        with partial.open("wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / "search.pt")

    def load_checkpoint(self) -> dict[str, Any] | None:
        """The search's last state, None where there is none.

        Raises:
            CompileError: where it cannot be read.
        """
        path = self.path / "checkpoint" / "search.pt"
        if not path.exists():
            return None
        try:
            return torch.load(path, weights_only=True, map_location="cpu")
        except Exception as error:  # torch.load raises what pickle, zip and torch find wrong
            hint = "start again with `--overwrite`"
            raise CompileError(
                Diagnostic("E0902", f"the checkpoint `{path}` is damaged: {error}", hints=(hint,))
            ) from None


_FILES = (
    "plan.json",
    "metrics.jsonl",
    "timing.jsonl",
    "arch.nas",
    "choices.json",
    "model.py",
    "model.safetensors",
    "summary.json",
    "space.nas",
    "checkpoint/search.pt",
)
