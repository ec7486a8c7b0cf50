"""Where `grammars/`, `spaces/`, `codegen/` and `docs/errors/` are: inside a wheel, or beside the package."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The data folder `name`, one of `grammars`, `spaces`, `codegen` and `docs/errors`."""
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name
