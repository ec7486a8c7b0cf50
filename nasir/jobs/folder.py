"""A run folder: outputs appear whole or not at all, and one run at a time writes into it."""

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from filelock import FileLock, Timeout

from nasir.diagnostics import CompileError
from nasir.files import Unreadable, parse_json, read_regular, replace_atomically
from nasir.jobs import mistakes
from nasir.mistakes import not_written

EVENTS = "events"
DIGEST = "sha256:"
"""What a digest begins with that stands for a text."""
_LOCK = ".lock"
_MARK = ".nasir"
"""A file that says of a folder that a run of ours began in it, and which `torchrun` went on with it last."""
_MOST_LINES = 2**30  # bytes
_DIGEST = hashlib.sha256().digest_size


class RunFolder:
    """The files of one run. Text and JSON are written beside their place and renamed into it. Where `writes` is false,
    as on all ranks but the first, nothing is written.

    The folder may be a stranger's: nothing in it is run, nothing is written through a link, and only regular files are
    read. Lines of .jsonl files are kept in the checkpoints as well, which a digest seals.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self.path = path
        self.writes = writes
        self.on_line: Callable[[str, Mapping[str, Any]], None] | None = None
        """Told of each line that is added to a .jsonl file, with the file's name."""
        self._journal: dict[str, list[str]] = {name: [] for name in JOURNAL}
        self._lock = FileLock(path / _LOCK)

    def lock(self) -> None:
        """Keep other runs out, on this machine, until `unlock` or the end of this process, however it ends.

        Raises:
            CompileError: where another run is in it, where it holds files of a run's names that no run wrote, or the
                folder cannot be made.
        """
        if not self._ours:
            others = [name for name in _FILES if os.path.lexists(self.path / name)]
            others += [path.relative_to(self.path).as_posix() for path in self._events()]
            if others:
                raise mistakes.foreign_file(self.path, others[0])
        for name in (_LOCK, _MARK, f"{EVENTS}/{_LOCK}", *_FILES):
            self.check_place(name)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise mistakes.in_use(self.path) from None
        except OSError as error:
            raise self._unusable(error) from None

    def unlock(self) -> None:
        """Let others in; where no run began, what locked them out goes."""
        if self._lock.is_locked and not self.begun:
            (self.path / _LOCK).unlink(missing_ok=True)
        self._lock.release()

    def check_place(self, name: str) -> None:
        """What stands at a file's place is a file that may be replaced, in folders that are no links.

        Raises:
            CompileError: where it is not.
        """
        for inner in [*Path(name).parents][-2::-1]:
            if os.path.lexists(self.path / inner) and (
                os.path.islink(self.path / inner) or not os.path.isdir(self.path / inner)
            ):
                raise mistakes.no_folder(self.path / inner, name)
        place = self.path / name
        if os.path.isdir(place) and not os.path.islink(place):
            raise mistakes.folder_for_a_file(place)
        if name == _LOCK and os.path.lexists(place) and (os.path.islink(place) or not os.path.isfile(place)):
            raise mistakes.no_lock_file(place)

    def _unusable(self, error: OSError) -> CompileError:
        reason = "a file has its name" if os.path.isfile(self.path) else error.strerror
        return mistakes.folder_not_made(self.path, reason)

    def _holds(self, name: str, text: object) -> bool:
        """A file is this text, or has this digest (`sha256:...`)."""
        try:
            data = read_regular(self.path / name)
            told = text.encode("utf-8") if isinstance(text, str) else None
            return told in (data, f"{DIGEST}{hashlib.sha256(data).hexdigest()}".encode())
        except Unreadable:
            return False

    @property
    def begun(self) -> bool:
        """There is a run in it."""
        return os.path.lexists(self.path / "plan.json")

    @property
    def _ours(self) -> bool:
        """A run began in it, whatever has become of its plan."""
        return os.path.lexists(self.path / _MARK) or "versions" in (self.read_json("plan.json") or {})

    def is_of(self, launchers: Collection[str]) -> bool:
        """One of these began the run in it, or went on with it last."""
        try:
            last = read_regular(self.path / _MARK).decode("utf-8", "replace").split()
        except Unreadable:
            return False
        return self.begun and not {*last}.isdisjoint(launchers)

    def mark(self, launchers: Collection[str]) -> None:
        """Note on whose behalf processes write into it from now on.

        Raises:
            CompileError: where it cannot be written.
        """
        self.write(_MARK, "".join(f"{one}\n" for one in sorted(launchers)))

    def check_free(self) -> None:
        """A run may start in it.

        Raises:
            CompileError: where it holds one already.
        """
        if self.begun:
            raise mistakes.run_there(self.path)

    def start(self, *, overwrite: bool, imports: Mapping[str, str] | None = None) -> None:
        """Make it empty of an earlier run's files; `imports` are files that the run will write beside its program.
        Those of the earlier run stay: they may be the user's own.

        Raises:
            CompileError: where it holds a run already and may not be overwritten, where one of the imports has the name
                of a file of the run or of one in the folder that no run wrote, or where it cannot be made.
        """
        if taken := sorted({*(imports or {})} & {*_FILES}):
            raise mistakes.import_in_the_way(taken[0])
        if not overwrite:
            self.check_free()
        earlier = (self.read_json("plan.json") or {}).get("imports")
        earlier = cast("dict[str, Any]", earlier) if isinstance(earlier, dict) else {}
        for name, text in (imports or {}).items():
            there = os.path.lexists(self.path / name)
            if there and not self._holds(name, text) and not self._holds(name, earlier.get(name)):
                raise mistakes.foreign_file(self.path, name)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            replace_atomically(self.path / _MARK, b"")
            self._clear()
        except OSError as error:
            raise self._unusable(error) from None

    def abandon(self) -> None:
        """Take away what a run wrote that could not begin, and the sign of it."""
        self._clear()
        (self.path / _MARK).unlink(missing_ok=True)

    def _clear(self) -> None:
        for name in _FILES:
            (self.path / name).unlink(missing_ok=True)
        for path in self._events():
            path.unlink()

    def _events(self) -> list[Path]:
        return sorted((self.path / EVENTS).glob("events.out.tfevents*"))

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file atomically.

        Raises:
            CompileError: where it cannot be written.
        """
        if self.writes:
            self.check_place(name)
            # Names of files may be no text at all.
            data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
            replace_atomically(self.path / name, data)

    def write_program(self, name: str, text: str, imports: Mapping[str, str]) -> None:
        """Write a program with the files it imports beside it, so that it loads from here."""
        for path, imported in imports.items() if self.writes else ():
            self.check_place(path)
            try:
                (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise mistakes.folder_not_made((self.path / path).parent, error.strerror) from None
            self.write(path, imported)
        self.write(name, text)

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file atomically."""
        self.write(name, json.dumps(content, indent=2) + "\n")

    def append(self, lines: Mapping[str, Mapping[str, Any]]) -> None:
        """Add a line to each of these .jsonl files.

        Raises:
            CompileError: where one cannot be written.
        """
        for name, line in lines.items() if self.writes else ():
            self._append(name, line)

    def _append(self, name: str, line: Mapping[str, Any]) -> None:
        if self.on_line is not None:
            self.on_line(name, line)
        text = json.dumps(line)
        path = self.path / name
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(path, flags, 0o666), "a", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise not_written(path, error) from None
        self._journal[name].append(text)

    def read_json(self, name: str) -> dict[str, Any] | None:
        """A JSON file's object, None where there is none that can be read."""
        try:
            found: Any = parse_json(read_regular(self.path / name))
        except Unreadable:
            return None
        return cast("dict[str, Any]", found) if isinstance(found, dict) else None

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a .jsonl file that are whole."""
        for text in self._written(name):
            try:
                found: Any = parse_json(text)
            except Unreadable:
                return
            if not (isinstance(found, dict) and {"phase", "epoch"} <= found.keys()):
                return
            yield cast("dict[str, Any]", found)

    def is_cut(self, name: str) -> bool:
        """A .jsonl file has lines that `lines` cannot give."""
        return len(list(self.lines(name))) < len(self._written(name))

    def _written(self, name: str) -> list[str]:
        try:
            return read_regular(self.path / name, _MOST_LINES).decode("utf-8", "replace").split("\n")[:-1]
        except Unreadable:
            return []

    def rewrite_lines(self) -> list[str]:
        """Write the .jsonl files as the checkpoint that was loaded last has them: what was added after it goes, and
        what was done to them is mended. The names of those that had not all its lines come back."""
        if not self.writes:
            return []
        mended: list[str] = []
        for name, lines in self._journal.items():
            if self._written(name)[: len(lines)] != lines:
                mended.append(name)
            self.write(name, "".join(f"{line}\n" for line in lines))
        return mended

    def save_checkpoint(self, phase: str, state: Mapping[str, Any]) -> None:
        """Write a phase's state, sealed with its digest; the one before stays beside it.

        Raises:
            CompileError: where it cannot be written. What was there before is as it was.
        """
        if not self.writes:
            return
        memory = io.BytesIO()
        torch.save({**state, _LINES: {name: list(lines) for name, lines in self._journal.items()}}, memory)
        data = memory.getvalue()
        path, before, after = (self._checkpoint(phase, suffix) for suffix in ("", "before", "after"))
        for name in (path, before, after):
            self.check_place(name.relative_to(self.path).as_posix())
        try:
            path.parent.mkdir(exist_ok=True)
            # torch reads past what stands behind its archive, and does not look whether the archive is whole.
            replace_atomically(after, data + hashlib.sha256(data).digest())
            if os.path.lexists(path):
                path.replace(before)
            after.replace(path)  # a run that is killed between the two goes on from the one before
        except OSError as error:
            raise mistakes.checkpoint_not_written(path, error) from None

    def load_checkpoint(self, phase: str) -> dict[str, Any] | None:
        """A phase's last state, None where there is none. The lines of the run's files are then those of the state.

        Raises:
            CompileError: where it cannot be read.
        """
        path, before = self._checkpoint(phase), self._checkpoint(phase, "before")
        if not os.path.lexists(path):
            path = before
        if not os.path.lexists(path):
            return None
        try:
            return self._opened(path)
        except Exception as error:  # torch.load raises what pickle, zip and torch find wrong
            left = before.name if path != before and os.path.lexists(before) else None
            raise mistakes.damaged_checkpoint(path, error, phase, left) from None

    def _opened(self, path: Path) -> dict[str, Any]:
        data = read_regular(path, None)
        if hashlib.sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
            raise ValueError("its digest is another")
        state = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
        journal = {name: [str(line) for line in state[_LINES][name]] for name in JOURNAL}
        self._journal = journal
        return state

    def drop_checkpoints(self, phase: str) -> None:
        """Take a phase's states away."""
        for suffix in _CHECKPOINTS:
            with contextlib.suppress(FileNotFoundError):
                self._checkpoint(phase, suffix).unlink()

    def _checkpoint(self, phase: str, suffix: str = "") -> Path:
        return self.path / "checkpoint" / _checkpoint_name(phase, suffix)


def _checkpoint_name(phase: str, suffix: str) -> str:
    return f"{phase}{'.' * bool(suffix)}{suffix}.pt"


_CHECKPOINTS = ("", "before", "after")
_LINES = "lines"
JOURNAL = ("metrics.jsonl", "probabilities.jsonl", "timing.jsonl")
"""Files that grow by a line an epoch."""
_FILES = (
    "plan.json",  # the first: without it there is no run in the folder
    *JOURNAL,
    "arch.nas",
    "choices.json",
    "model.py",
    "model.safetensors",
    "summary.json",
    "report.html",
    "space.nas",
    "data.json",
    "deploy.json",
    "test.json",
    "latency.json",
    *(f"checkpoint/{_checkpoint_name(phase, suffix)}" for phase in ("search", "train") for suffix in _CHECKPOINTS),
)
