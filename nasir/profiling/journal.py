"""What a profile has measured so far, a line each beside its file: it goes on from there after an interruption."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from nasir.cost.profile import Row
from nasir.files import Unreadable, read_regular
from nasir.mistakes import not_written
from nasir.profiling.fusing import FoundFusions


class Journal:
    """The lines of one profile: first what it is of, then a kernel each. A line that was cut off is none."""

    def __init__(self, path: Path, head: Mapping[str, Any]) -> None:
        """Lines of another profile, or of other kernels that run as one, are of no use, and go."""
        self.path = path
        self._head: dict[str, Any] = {"profile": dict(head)}
        self.rows: dict[str, Row] = {}
        self.found: FoundFusions | None = None
        lines = self._lines()
        if lines[:1] == [json.loads(json.dumps(self._head))]:
            for line in lines[1:]:
                self._take(line)
        else:
            self.drop()
            self._add(self._head)

    def keep(self, rows: Mapping[str, Row]) -> None:
        """Add kernels that were measured."""
        self.rows |= rows
        for kernel, row in rows.items():
            self._add({"kernel": kernel, **row.as_json()})

    def keep_fusions(self, found: FoundFusions) -> None:
        """Add which ops run as one, and which do not."""
        self.found = found
        self._add({"fuse": sorted(found.accepted), "apart": sorted(found.refused)})

    def drop(self) -> None:
        """Take it away."""
        with suppress(FileNotFoundError):
            self.path.unlink()

    def _take(self, line: dict[str, Any]) -> None:
        with suppress(KeyError, TypeError, ValueError):  # whatever was done to a line
            if "fuse" in line:
                fuse, apart = (frozenset(tuple(map(str, ops)) for ops in line[name]) for name in ("fuse", "apart"))
                self.found = FoundFusions(fuse, apart)
            else:
                p50, p10, p90 = (float(line[name]) for name in ("p50", "p10", "p90"))
                self.rows[str(line["kernel"])] = Row(p50, p10, p90, int(line["n"]))

    def _lines(self) -> list[dict[str, Any]]:
        try:
            text = read_regular(self.path).decode("utf-8", errors="replace")
        except Unreadable:
            return []
        found: list[dict[str, Any]] = []
        for line in text.splitlines():
            with suppress(ValueError):
                value: Any = json.loads(line)
                found += [cast("dict[str, Any]", value)] if isinstance(value, dict) else []
        return found

    def _add(self, line: Mapping[str, Any]) -> None:
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(self.path, flags, 0o666), "a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            raise not_written(self.path, error) from None
