"""Names of a program, made of names of the user's network."""

import re
from collections.abc import Collection

from nasir.ir.dims import SHAPE_FUNCTIONS
from nasir.ir.path import fresh
from nasir.lang.evaluate import WORDS, builtin_names
from nasir.lang.stages import PREVIOUS, SPECIAL_COLUMNS

_LONGEST = 40
_TAKEN = frozenset((*WORDS, *builtin_names(), *SHAPE_FUNCTIONS, *SPECIAL_COLUMNS, PREVIOUS, "x")) - {"stride", "width"}


def named(text: str, taken: Collection[str], default: str) -> str:
    """A name of the language that is like the text and not taken; `CamelCase` becomes `camel_case`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z]{2}|[A-Z]{2}|[A-Z]$)|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    plain = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:_LONGEST].rstrip("_")
    if not plain or plain[0].isdigit():
        plain = f"{default}_{plain}".rstrip("_")
    return fresh(f"{plain}_1" if plain in _TAKEN else plain, {*taken, *_TAKEN})


def is_free(text: str) -> bool:
    """Whether a text is more than nothing, and means nothing in the language."""
    return bool(text) and text not in _TAKEN
