"""Names of modules and values in generated code."""

import keyword
import re
from collections.abc import Container


def identifier(name: str) -> str:
    """A node's name as a Python identifier."""
    plain = re.sub(r"\W+", "_", name).strip("_") or "x"
    if keyword.iskeyword(plain) or plain == "self":
        return f"{plain}_"
    return f"_{plain}" if plain[:1].isdigit() else plain


def free_name(name: str, taken: Container[str], owner: type) -> str:
    """`name`, or the first of `name_2`, ... that is neither taken nor an attribute of the class `owner`."""
    free, count = name, 1
    while free in taken or free in _INSTANCE_ATTRIBUTES or hasattr(owner, free):
        count += 1
        free = f"{name}_{count}"
    return free


_INSTANCE_ATTRIBUTES = frozenset(
    ("gates", "sizes", "running", "space", "modules_by_node", "training", "meta", "shape_env")
)
