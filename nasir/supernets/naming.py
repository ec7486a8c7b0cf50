"""Names of modules and values in generated code."""

import builtins
import keyword
import re
from collections.abc import Container

_GLOBALS = ("torch", "nasir", "operator", "_operator", "math", "typing", "fx_pytree", "pytree")
"""What names of functions in the code of torch.fx begin with."""
_TAKEN = frozenset((*dir(builtins), *keyword.kwlist, "self", "inf", "nan", "NoneType", "device", "dtype"))


def identifier(name: str) -> str:
    """A node's name as a Python identifier that hides nothing that the code of torch.fx uses."""
    plain = re.sub(r"\W+", "_", name).strip("_") or "x"
    if plain in _TAKEN or plain.startswith(_GLOBALS):
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
