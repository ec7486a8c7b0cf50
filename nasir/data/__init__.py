"""Data sets by name, as a user names them to `--data`."""

from collections.abc import Callable, Mapping

from nasir.data import mistakes
from nasir.data.base import DataSet, Split, batch_count, batches, class_count, pieces, shares, stratified, whole
from nasir.data.digits import load_digits
from nasir.data.folder import load_folder
from nasir.data.forms import Input, Shape, Target, input_of
from nasir.data.generated import load_shapes, load_signals
from nasir.data.idx import load_idx
from nasir.data.own import load_own

_SOURCES: Mapping[str, Callable[[str, Input | None, bool], DataSet]] = {
    "digits": load_digits,
    "signals": load_signals,
    "shapes": load_shapes,
    "idx": load_idx,
    "folder": load_folder,
    "python": load_own,
}
KNOWN = "`digits`, `signals`, `shapes`, `idx:DIR`, `folder:DIR`, `python:module:function`"


def load_data(
    name: str, input: Input | None = None, *, classes: str | None = None, seed: int = 0, skip_broken: bool = False
) -> DataSet:
    """A data set by its name (`KNOWN`), with inputs as a network takes them (as the data have them where None).

    `classes`, `10%` or `100`, takes so many of the classes, drawn by `seed`. `skip_broken` leaves files out that cannot
    be read, and counts them.

    Raises:
        CompileError: where there is none of that name, or it does not do.
    """
    kind, _, rest = name.partition(":")
    if kind not in _SOURCES:
        raise mistakes.unknown_data(name, kind, _SOURCES, KNOWN)
    data = _SOURCES[kind](rest, input, skip_broken)
    if classes is not None:
        if not data.target.is_class:
            raise mistakes.no_classes(name, str(data.target))
        data = data.with_classes(class_count(classes, data.classes), seed)
    if len(data.train) < 2 or not len(data.test):
        raise mistakes.too_few_images(name, len(data.train), len(data.test))
    return data


__all__ = [
    "DataSet",
    "Input",
    "Shape",
    "Split",
    "Target",
    "batch_count",
    "batches",
    "input_of",
    "load_data",
    "pieces",
    "shares",
    "stratified",
    "whole",
]
