"""Maps with something around them, and larger maps."""

from collections.abc import Mapping, Sequence

from nasir.lifting.reading import Call, Form, Reader, Seen, Unliftable
from nasir.lifting.views import View, written


def _constant_around(reader: Reader, call: Call) -> Seen:
    if call.values.get("mode", "constant") != "constant":
        raise Unliftable(f"the language pads by a constant, not by `{call['mode']}`")
    name = reader.plain(call.x)
    rank = len(reader.writer.step(name).shape) - 1
    around = list(call["pad"])
    if any(around[2 * rank :]):
        raise Unliftable("it pads other axes than height and width")
    around = (around + [0] * (2 * rank))[: 2 * rank]
    return padded(reader, name, around, float(call["value"] or 0.0)) if any(around) else call.x


def padded(reader: Reader, name: str, around: Sequence[int], value: float) -> View:
    """A constant around a map, or less of it; together with what was put around it, or cut off, right before."""
    before = reader.writer.call(name)
    if before is not None and before.target == "pad" and before.arguments["value"] == value:
        both = [*before.arguments["pad"], *around]
        if min(both) >= 0 or max(both) <= 0:
            name, around = before.operands[0], [a + b for a, b in zip(before.arguments["pad"], around, strict=True)]
    channels, *sizes = reader.writer.step(name).shape
    rank = len(sizes)
    pairs = [around[2 * (rank - 1 - i) : 2 * (rank - i)] for i in range(rank)]
    shape = (channels, *(size + sum(pair) for size, pair in zip(sizes, pairs, strict=True)))
    return reader.emit("pad", [name], shape, pad=tuple(around), value=value)


def _grown(reader: Reader, call: Call) -> Seen:
    name = reader.plain(call.x)
    channels, *sizes = reader.writer.step(name).shape
    made = call.shape[2:]
    values = call.rest("output_size", "scale_factors")
    factors = [new / size for new, size in zip(made, sizes, strict=True)]
    if all(factor == int(factor) for factor in factors):
        return reader.emit(call.target, [name], (channels, *made), scale_factors=factors, **values)
    like = reader.writer.sized(made)
    if like is None:
        raise Unliftable(f"no tensor before it has the size {written(made)}")
    return reader.emit(call.target, [name, like], (channels, *made), **values)


FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("pad", "constant_pad_nd"), _constant_around),
    **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d", "upsample_linear1d", "upsample_bilinear2d"), _grown),
}
