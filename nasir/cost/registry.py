"""The costs there are, by name."""

import json
import re
from collections.abc import Iterable, Mapping

from nasir import extensions
from nasir.cost.base import Cost
from nasir.cost.tabled import FAMILIES, MEDIAN

COSTS: Mapping[str, Cost] = {cost.name: cost for cost in extensions.COSTS.instances(Cost)}
STANDARD: tuple[str, ...] = tuple(name for name, cost in COSTS.items() if cost.is_standard)
"""What is shown and recorded of every network."""
_OF_A_FILE = re.compile(r"(\w+)\((\"(?:[^\"\\]|\\.)*\")(?:, (\w+))?\)")
PRIMARY = STANDARD[0]
"""What `largest` and `smallest` mean where no cost is named."""


def described(name: str) -> Cost | None:
    """What a figure of this name is: a cost that there is, or one of a device file, which need not be at hand; None
    where it is no cost."""
    found = _OF_A_FILE.fullmatch(name)
    if name in COSTS or not found or found[1] not in FAMILIES or found[3] not in (None, MEDIAN):
        return COSTS.get(name)
    return FAMILIES[found[1]](json.loads(found[2]), quantile=found[3] or "")


def with_standard(names: Iterable[str]) -> tuple[str, ...]:
    """The standard costs, and those of the names that are others."""
    return (*STANDARD, *(name for name in dict.fromkeys(names) if name not in STANDARD))


def by_convention(convention: str) -> tuple[str, ...]:
    """The costs of a way to count that are shown: of ours the standard ones."""
    return tuple(
        name
        for name, cost in COSTS.items()
        if cost.convention == convention and (cost.is_standard or convention != "ours")
    )
