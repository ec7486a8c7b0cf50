"""ProxylessNAS' tables: YAML, a mapping for each layer, blocks measured as one.

    expanded_conv-input:112x112x16-output:56x56x24-expand:3-kernel:5-stride:2-idskip:0:
      count: 100
      mean: 9.5

Sizes are height, width and channels, `mean` is in ms. Read is the part of YAML that such a table takes, mappings in
mappings in either style: a parser of all of YAML would be one more dependency, and would not know the places of what is
wrong.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from nasir.cost import mistakes
from nasir.cost.imported.table import Table, beginnings
from nasir.cost.profile import Row
from nasir.cost.written import Applied, Written
from nasir.diagnostics import Source, Span
from nasir.ir.graph import Type
from nasir.ir.ops.window import axes

_SKIPPED = re.compile(r"(?:[ \t]*(?:#.*)?(?:\n|\Z)|(?:---|\.\.\.)[ \t]*(?:\n|\Z))")
_LAYER = re.compile(
    r"""(?P<quote>['"]?)(?P<name>[^\s'"{}\[\],#]+)(?P=quote):[ \t]*"""
    r"""(?:\{(?P<flow>[^{}]*)\}[ \t]*(?:\n|\Z)|(?P<block>(?:\n+[ \t]+[^\n]+)+)(?:\n|\Z))"""
)
_PAIR = re.compile(r"(\w+)\s*:\s+(\S.*)")
_LETTERS = {"bn": "b", "relu": "r", "relu6": "r", "add": "+", "global_avg_pool": "g", "linear": "l"}
_BLOCK = re.compile(r"(?P<expanded>(?:pbr)?dbrpb\+?)|(?P<last>pbr)|(?P<first>cbr)|(?P<logits>gl)")
_ACTIVATIONS = ("relu", "relu6")


def _sequences() -> Iterator[tuple[str, ...]]:
    for act in _ACTIVATIONS:
        depthwise = ("dwconv", "bn", act, "conv", "bn", "add")
        yield depthwise
        yield ("conv", "bn", act, *depthwise)
    yield ("global_avg_pool", "linear")


class ProxylessNAS(Table):
    """A layer is an inverted residual with its batch norms, ReLUs (of either kind) and addition, the first 3x3
    convolution, the last 1x1 one, or all that comes behind it."""

    format = "ProxylessNAS"
    figure = "mean, ms"
    fuse = beginnings(*_sequences())

    def layers(self, kernel: Written) -> Sequence[str]:
        letters, place, names = "".join(map(_letter, kernel.steps)), 0, list[str]()
        while place < len(letters):
            found = _BLOCK.match(letters, place)
            name = found and found.lastgroup and _name(found.lastgroup, kernel.steps[found.start() : found.end()])
            if not found or not name:
                return ()
            names.append(name)
            place = found.end()
        return names


def _letter(step: Applied) -> str:
    """The kind of an op: `p` of a 1x1 convolution, `c` of a 3x3 one, `d` of a depthwise one."""
    if step.op not in ("conv", "dwconv"):
        return _LETTERS.get(step.op, "?")
    height, width = _pair(step, "kernel")
    if step.it.x.rank != 2 or height != width or set(axes(step.it, "dilation")) != {1}:
        return "?"
    if step.op == "dwconv":
        return "d"
    plain = step.it["groups"] == 1
    return "p" if plain and (height, *_pair(step, "stride")) == (1, 1, 1) else "c" if plain and height == 3 else "?"


def _pair(step: Applied, attribute: str) -> tuple[int, int]:
    values = axes(step.it, attribute)
    return values[0], values[-1]


def _name(kind: str, steps: Sequence[Applied]) -> str:
    """What a table calls a layer; nothing where it cannot say it."""
    given, made = steps[0].it.x, steps[-1].it.out
    match kind:
        case "first":
            return f"Conv-input:{_shape(given)}-output:{_shape(made)}"
        case "last":
            return f"Conv_1-input:{_shape(given)}-output:{_shape(made)}"
        case "logits":
            return f"Logits-input:{_shape(given)}-output:{_channels(made)}"
        case _:
            return _expanded(steps, given, made)


def _expanded(steps: Sequence[Applied], given: Type, made: Type) -> str:
    depthwise = next(step for step in steps if step.op == "dwconv")
    expand, rest = divmod(_channels(depthwise.it.x), _channels(given))
    kernel, (stride, other) = axes(depthwise.it, "kernel")[0], _pair(depthwise, "stride")
    if rest or stride != other:
        return ""
    skip = int(steps[-1].op == "add")
    sizes = f"input:{_shape(given)}-output:{_shape(made)}"
    return f"expanded_conv-{sizes}-expand:{expand}-kernel:{kernel}-stride:{stride}-idskip:{skip}"


def _channels(type: Type) -> int:
    return sum(int(segment) for segment in type.channels if isinstance(segment, int))


def _shape(type: Type) -> str:
    return "x".join(str(size) for size in (*type.sizes, _channels(type)))


def read_proxylessnas(source: Source) -> ProxylessNAS:
    """The table of a text.

    Raises:
        CompileError: at the place that is no part of such a table.
    """
    text, place, rows = source.text, 0, dict[str, Row]()
    while place < len(text):
        if skipped := _SKIPPED.match(text, place):
            place = skipped.end()
            continue
        found = _LAYER.match(text, place)
        line = Span(source, place, _line_end(text, place))
        if not found:
            raise mistakes.damaged_table(line, "here a layer and its figures should stand")
        name = found["name"]
        if name in rows:
            raise mistakes.damaged_table(line, f"`{name}` is in it twice")
        rows[name] = _row(_figures(source, found), line)
        place = found.end()
    return ProxylessNAS(rows, {})


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", place)
    return end if end >= 0 else len(text)


def _figures(source: Source, layer: re.Match[str]) -> Mapping[str, tuple[str, Span]]:
    """What stands under a layer: each value with its place."""
    part, between = ("flow", ",") if layer["flow"] is not None else ("block", "\n")
    found, place = dict[str, tuple[str, Span]](), layer.start(part)
    for piece in layer[part].split(between):
        inner = piece.strip()
        start = place + piece.find(inner)
        span = Span(source, start, start + len(inner))
        place += len(piece) + 1
        if not inner or inner.startswith("#"):
            continue
        pair = _PAIR.fullmatch(inner)
        if not pair or pair[1] in found:
            raise mistakes.damaged_table(span, "here one `name: value` should stand")
        found[pair[1]] = pair[2], span
    return found


def _row(figures: Mapping[str, tuple[str, Span]], layer: Span) -> Row:
    if "mean" not in figures:
        raise mistakes.damaged_table(layer, "the layer has no `mean`")
    mean = _number(*figures["mean"])
    count = _number(*figures["count"]) if "count" in figures else Decimal(0)
    return Row(float(mean * 1000), n=int(count))


def _number(text: str, span: Span) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise mistakes.damaged_table(span, f"`{text}` is no number") from None
    if not number.is_finite() or not 0 <= number < 10**12:
        raise mistakes.damaged_table(span, f"`{text}` is no number from 0 to 1e12")
    return number
