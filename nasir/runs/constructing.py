"""Arguments for the network of a Python file, written into it: the file alone is then the network that trains."""

import ast
import io
import math
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nasir.execution import network_class
from nasir.runs import mistakes

_KINDS = (bool, int, float, str)
_NAMES = {kind.__name__: kind for kind in _KINDS}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a constructor, as it is written."""

    name: str
    annotation: ast.expr | None
    default: ast.expr | None
    node: ast.arg

    @property
    def written(self) -> str:
        """`classes: int = 10`."""
        hint = f": {ast.unparse(self.annotation)}" if self.annotation else ""
        return f"{self.name}{hint}" + (f" = {ast.unparse(self.default)}" if self.default else "")

    @property
    def kinds(self) -> list[type]:
        """What its values may be of numbers, flags and texts: by its annotation, else by its default."""
        if self.annotation is not None:
            named = {node.id for node in ast.walk(self.annotation) if isinstance(node, ast.Name)}
            return [kind for name, kind in _NAMES.items() if name in named]
        try:
            found: object = ast.literal_eval(self.default) if self.default else None
        except ValueError:  # an expression
            return list(_KINDS)
        return [kind for kind in _KINDS if type(found) is kind] or list(_KINDS)

    def value(self, text: str) -> bool | int | float | str | None:
        """The value that a text of the command line is; None where it is none."""
        kinds = self.kinds
        if bool in kinds and text.lower() in {"true", "false"}:
            return text.lower() == "true"
        for kind in (kind for kind in (int, float) if kind in kinds):
            try:
                value = kind(text)
            except ValueError:
                continue
            if math.isfinite(value):
                return value
        return text if str in kinds else None


def constructed(path: Path, source: bytes, given: Mapping[str, str]) -> bytes:
    """The source of a file whose network is made with the `given` arguments: they are the defaults in it.

    Raises:
        CompileError: where the file defines no network, or its constructor does not take them.
    """
    if not given:
        return source
    name = network_class(path, source).__name__
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    text = source.decode(encoding)
    parameters = {parameter.name: parameter for parameter in _parameters(ast.parse(text), name)}
    lines = io.StringIO(text, newline="").readlines()  # as Python counts them
    changes: list[tuple[int, int, str]] = []
    for argument, told in given.items():
        parameter = parameters.get(argument)
        if parameter is None:
            raise mistakes.no_parameter(path, name, argument, [one.written for one in parameters.values()])
        if (value := parameter.value(told)) is None:
            raise mistakes.no_argument(path, name, parameter.written, told)
        if parameter.default is None:
            changes.append((end := _end(lines, parameter.node), end, f" = {value!a}"))
        else:
            start = _offset(lines, parameter.default.lineno, parameter.default.col_offset)
            changes.append((start, _end(lines, parameter.default), f"{value!a}"))
    for start, end, value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    return text.encode(encoding)


def _parameters(tree: ast.Module, name: str) -> Iterator[Parameter]:
    """The parameters of a class's own constructor that can be given by their names."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    makers = [node for one in classes[-1:] for node in one.body if isinstance(node, ast.FunctionDef)]
    for maker in (node for node in makers if node.name == "__init__"):
        places = [*maker.args.posonlyargs, *maker.args.args]
        defaults = [*[None] * (len(places) - len(maker.args.defaults)), *maker.args.defaults]
        own = list(zip(places, defaults, strict=True))[max(1, len(maker.args.posonlyargs)) :]
        for node, default in (*own, *zip(maker.args.kwonlyargs, maker.args.kw_defaults, strict=True)):
            yield Parameter(node.arg, node.annotation, default, node)


def _offset(lines: list[str], line: int, column: int) -> int:
    """The place of a line and a column, which counts bytes of UTF-8."""
    before = sum(map(len, lines[: line - 1]))
    return before + len(lines[line - 1].encode()[:column].decode())


def _end(lines: list[str], node: ast.expr | ast.arg) -> int:
    return _offset(lines, node.end_lineno or 1, node.end_col_offset or 0)  # what is parsed has an end
