"""The parameters of ops: what each kind of them can be."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nasir.ir.values import Pair, Scalar

LARGEST_COUNT = 1_000_000
LARGEST_WINDOW = 1_023
CENTRED, SAME = "centred", "same"
PADDINGS = (CENTRED, SAME)
"""What a padding can be beside numbers: half the window on each side; as much as keeps `size / stride`, rounded up,
where what is uneven goes behind the map, as TensorFlow has it."""
MODES = ("nearest", "bilinear")
"""How a map is made larger."""
WORDS = (*PADDINGS, *MODES)
"""What programs write as values that are no numbers."""
PADDING_FORM = re.compile(r"[0-9]{1,4}:[0-9]{1,4}(x[0-9]{1,4}:[0-9]{1,4})?")
"""A padding that `infer-shapes` found uneven: before and behind, of each axis."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of an op in the language; no default means required. `kind` is `count`, `several` (from 2), `window`
    (a count or a pair of them), `size` (a larger one), `margin` (a window from 0), `padding` (a margin, or a word of
    `PADDINGS`), `mode` (a word of `MODES`), `flag`, `number`, `positive` or `share` (a number from 0 to 1).

    A `count` may be undecided where the op can have it so; of any other undecided parameter the op becomes a mixture of
    itself at each option, and so of a count that is not `sizing` (a stride).
    """

    name: str
    kind: str
    default: Scalar | None = None
    sizing: bool = False

    def problem(self, value: Scalar) -> str | None:
        """What a value must be, where it is not."""
        fits, words = _KINDS[self.kind]
        return None if fits(value) else words


def _counts(value: Scalar, least: int, most: int) -> bool:
    """Whether it is a whole number within the bounds, or a pair of them."""
    if isinstance(value, Pair):
        return all(least <= n <= most for n in value.numbers)
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_padding(value: Scalar) -> bool:
    written = value in PADDINGS or PADDING_FORM.fullmatch(str(value)) is not None
    return written or _counts(value, 0, LARGEST_WINDOW)


_KINDS: Mapping[str, tuple[Callable[[Scalar], bool], str]] = {
    "flag": (lambda value: isinstance(value, bool), "true or false"),
    "number": (_is_number, "a number"),
    "positive": (lambda value: _is_number(value) and float(value) > 0, "a number above 0"),
    "share": (lambda value: _is_number(value) and 0 <= float(value) < 1, "a number from 0 to under 1"),
    "mode": (lambda value: value in MODES, " or ".join(f"`{mode}`" for mode in MODES)),
    "margin": (
        lambda value: _counts(value, 0, LARGEST_WINDOW),
        f"a whole number from 0 to {LARGEST_WINDOW:,}, or two: `3x1`",
    ),
    "count": (
        lambda value: not isinstance(value, Pair) and _counts(value, 1, LARGEST_COUNT),
        f"a whole number from 1 to {LARGEST_COUNT:,}",
    ),
    "several": (
        lambda value: not isinstance(value, Pair) and _counts(value, 2, LARGEST_COUNT),
        f"a whole number from 2 to {LARGEST_COUNT:,}",
    ),
    "size": (
        lambda value: _counts(value, 1, LARGEST_COUNT),
        f"a whole number from 1 to {LARGEST_COUNT:,}, or two: `64x48`",
    ),
    "window": (
        lambda value: _counts(value, 1, LARGEST_WINDOW),
        f"a whole number from 1 to {LARGEST_WINDOW:,}, or two: `3x1`",
    ),
    "padding": (_is_padding, f"`same`, or a whole number from 0 to {LARGEST_WINDOW:,}, or two: `3x1`"),
}
"""What each kind of parameter can be: a test, and its words."""
