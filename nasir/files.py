"""Files that appear whole or not at all."""

import os
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is either the old one or the whole new one. A link's target is written, not the link;
    what is no regular file (a pipe, a device) is written as it is.

    Raises:
        CompileError: where it cannot be written.
    """
    if path.is_dir():
        raise CompileError(Diagnostic("E0903", f"`{path}` is a folder", hints=("name a file in it",)))
    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        _replace(path, data)
    except OSError as error:
        raise CompileError(Diagnostic("E0903", f"`{path}` cannot be written: {error.strerror}")) from None


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")  # two processes may write one report
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
