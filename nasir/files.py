"""Files: what is written appears whole or not at all, what is read is no longer than it may be."""

import contextlib
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from nasir.mistakes import folder_for_a_file, not_written

MOST_BYTES = 64 * 2**20
"""The most that is read of a file of JSON or of a run's lines."""


class Unreadable(Exception):
    """A file cannot be read; the argument says why, as the end of a sentence."""


def read_regular(path: Path, most: int | None = MOST_BYTES) -> bytes:
    """The content of a regular file: never of a pipe or a device, which might not end.

    Raises:
        Unreadable: where there is none, or it has more than `most` bytes.
    """
    try:
        # A pipe without a writer would keep a plain `open` waiting.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable("it is no regular file")
            return _bounded(file.read(-1 if most is None else most + 1), most)
    except IsADirectoryError:
        raise Unreadable("it is a folder") from None
    except (OSError, ValueError) as error:
        raise Unreadable(getattr(error, "strerror", None) or str(error)) from None


def read_any(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a file that the user named, which may be a pipe.

    Raises:
        Unreadable: as `read_regular` does.
    """
    try:
        with path.open("rb") as file:
            return _bounded(file.read(most + 1), most)
    except IsADirectoryError:
        raise Unreadable("it is a folder") from None
    except (OSError, ValueError) as error:
        raise Unreadable(getattr(error, "strerror", None) or str(error)) from None


def _bounded(data: bytes, most: int | None) -> bytes:
    if most is not None and len(data) > most:
        raise Unreadable(f"it has more than {most:,} bytes")
    return data


def parse_json(data: bytes | str) -> Any:
    """The value that a JSON text is.

    Raises:
        Unreadable: where it is none, or nests too deep.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise Unreadable("its JSON nests too deep") from None
    except ValueError as error:  # no JSON, no UTF-8, a number of thousands of digits
        raise Unreadable(f"it is not JSON: {error}") from None


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that the user named, so that it is either the old one or the whole new one. A link's target is
    written, not the link; what is no regular file (a pipe, a device) is written as it is. A file that is there keeps
    its permissions.

    Raises:
        CompileError: where it cannot be written.
    """
    target = Path(os.path.realpath(path))
    if os.path.exists(target) and not os.path.isfile(target) and not os.path.isdir(target):
        try:
            target.write_bytes(data)
        except OSError as error:
            raise not_written(path, error) from None
        return
    mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.isfile(target) else None
    replace_atomically(target, data, path, mode)


def replace_atomically(path: Path, data: bytes, named: Path | None = None, mode: int | None = None) -> None:
    """Write a file in a folder that may be a stranger's: what stands there goes, also a link, and nothing is written
    through it. `named` is the path as the user knows it, `mode` the file's permissions, where not those of a new file.

    Raises:
        CompileError: where it cannot be written.
    """
    named = named or path
    if os.path.isdir(path) and not os.path.islink(path):
        raise folder_for_a_file(named)
    partial = _partial(path, os.getpid())  # two processes may write one report
    try:
        _sweep(path)
        with partial.open("xb") as file:
            if mode is not None:
                os.chmod(partial, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise not_written(named, error) from None


_LONGEST_NAME = 200  # of the 255 bytes that file systems take; the process and the ending need some


def _partial(path: Path, process: int | str) -> Path:
    name = path.name.encode("utf-8", "surrogateescape")[:_LONGEST_NAME].decode("utf-8", "ignore")
    return path.with_name(f".{name}.{process}.partial")


def _sweep(path: Path) -> None:
    """Take away what processes left that were killed while they wrote this file."""
    pattern = re.compile(re.escape(_partial(path, "%").name).replace("%", r"(\d+)"))
    for entry in os.scandir(path.parent):
        found = pattern.fullmatch(entry.name)
        if found and (int(found[1]) == os.getpid() or not _runs(int(found[1]))):
            with contextlib.suppress(OSError):
                os.unlink(entry.path)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
