"""Data sets by name, as a user names them to `--data`."""

from collections.abc import Callable, Mapping

from nasir.diagnostics import CompileError, Diagnostic, closest
from nasir.search.data.base import (
    DataSet,
    Input,
    Split,
    batch_count,
    batches,
    check_classes,
    input_of,
    pieces,
)
from nasir.search.data.digits import load_digits
from nasir.search.data.folder import load_folder

_SOURCES: Mapping[str, Callable[[str, Input | None], DataSet]] = {"digits": load_digits, "folder": load_folder}


def load_data(name: str, input: Input | None = None) -> DataSet:
    """A data set, `digits` or `folder:DIR`, with images as a network takes them (as the data have them where None).

    Raises:
        CompileError: where there is none of that name, or it does not do.
    """
    kind, _, rest = name.partition(":")
    if kind not in _SOURCES:
        hints = closest(kind, _SOURCES) or ("data sets: `digits`, `folder:DIR`",)
        raise CompileError(Diagnostic("E0801", f"no data set is named `{name}`", hints=hints))
    data = _SOURCES[kind](rest, input)
    if len(data.train) < 2 or not len(data.test):
        message = f"`{name}` has {len(data.train)} training and {len(data.test)} test images"
        raise CompileError(Diagnostic("E0801", message, hints=("batch statistics need two images, a test one",)))
    return data


__all__ = [
    "DataSet",
    "Input",
    "Split",
    "batch_count",
    "batches",
    "check_classes",
    "input_of",
    "load_data",
    "pieces",
]
