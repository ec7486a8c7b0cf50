"""The costs there are, by name."""

from collections.abc import Iterable, Mapping

from nasir import extensions
from nasir.cost.base import Cost

COSTS: Mapping[str, Cost] = {cost.name: cost for cost in extensions.COSTS.instances(Cost)}
STANDARD: tuple[str, ...] = tuple(name for name, cost in COSTS.items() if cost.is_standard)
"""What is shown and recorded of every network."""
PRIMARY = STANDARD[0]
"""What `largest` and `smallest` mean where no cost is named."""


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
