"""Files that appear whole or not at all."""

import os
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is either the old one or the whole new one.

    Raises:
        CompileError: where it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CompileError(Diagnostic("E0903", f"`{path}` cannot be written: {error.strerror}")) from None
