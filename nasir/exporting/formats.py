"""The formats, by their names."""

from collections.abc import Mapping

from nasir.exporting import mistakes
from nasir.exporting.executorch import ExecuTorch
from nasir.exporting.format import Format
from nasir.exporting.litert import LiteRT
from nasir.exporting.onnx import Onnx
from nasir.exporting.pt2 import Pt2

FORMATS: Mapping[str, Format] = {one.name: one for one in (Onnx(), Pt2(), ExecuTorch(), LiteRT())}


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        CompileError: where there is none.
    """
    if name not in FORMATS:
        raise mistakes.unknown_format(name, list(FORMATS))
    return FORMATS[name]
