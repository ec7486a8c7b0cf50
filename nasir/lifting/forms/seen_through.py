"""What computes nothing: copies, reshapes, permutations, repetitions."""

from collections.abc import Mapping

import torch

from nasir.lifting.reading import Call, Form, Reader, Seen, Shifted, Unliftable
from nasir.lifting.views import SPREAD, Factor, View, numbers, written


def _same(reader: Reader, call: Call) -> Seen:
    if call.values.get("dtype") not in {None, torch.float32}:
        raise Unliftable("it computes with numbers of another kind than float32")
    return call.first if isinstance(call.first, Shifted) else call.x


def _checked(reader: Reader, call: Call) -> None:
    """What torch notes of the tensor that a conversion was recorded with."""


def _dropped(reader: Reader, call: Call) -> Seen:
    if call["p"] == 0.0:
        return call.x
    if call["train"]:
        raise Unliftable("it drops at random in evaluation too")
    return reader.pointwise(call) if call.target == "dropout" else call.x  # the language has none of the others


def _reshaped(reader: Reader, call: Call) -> Seen:
    view = call.x.reshaped(call.shape)
    if view is None:
        raise Unliftable(f"{written(call.x.shape)} as {written(call.shape)} parts an axis unevenly")
    return view


def _indexed(reader: Reader, call: Call) -> Seen:
    dims = call.x.dims
    place = int(call["dim"]) % len(dims)
    if dims[place]:
        raise Unliftable("it takes one place of an axis and drops the axis: a slice keeps it, as `x[:, 0:1]`")
    return View(call.x.step, dims[:place] + dims[place + 1 :])


def _permuted(reader: Reader, call: Call) -> Seen:
    x, rank = call.x, len(call.x.dims)
    if "dims" in call.values:
        return x.permuted([d % rank for d in call["dims"]])
    given = call.rest()
    if not given:
        return x.permuted(range(rank)[::-1])
    source, target = ([n % rank for n in numbers(value)] for value in given.values())
    if call.target in {"movedim", "moveaxis"}:
        order = [d for d in range(rank) if d not in source]
        for place, d in sorted(zip(target, source, strict=True)):
            order.insert(place, d)
        return x.permuted(order)
    swapped = dict(zip([*source, *target], [*target, *source], strict=True))
    return x.permuted([swapped.get(d, d) for d in range(rank)])


def _expanded(reader: Reader, call: Call) -> Seen:
    dims = list(call.x.dims)
    dims = [()] * (len(call.shape) - len(dims)) + dims
    return View(
        call.x.step,
        tuple(
            dim or ((Factor(SPREAD, 1, size),) if size > 1 else ()) for dim, size in zip(dims, call.shape, strict=True)
        ),
    )


_COPIES = ("contiguous", "clone", "alias", "detach", "to", "_to_copy", "type_as", "lift_fresh_copy")
_DROPS = ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
_SHAPES = ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as")
_ORDERS = ("permute", "transpose", "swapaxes", "movedim", "moveaxis", "t", "numpy_T")
FORMS: Mapping[str, Form] = {
    **dict.fromkeys(_COPIES, _same),
    **dict.fromkeys(_DROPS, _dropped),
    **dict.fromkeys(_SHAPES, _reshaped),
    **dict.fromkeys(_ORDERS, _permuted),
    **dict.fromkeys(("expand", "expand_as"), _expanded),
    "_assert_tensor_metadata": _checked,
    "select": _indexed,
}
