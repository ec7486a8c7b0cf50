"""Costs that an option names: those of the program, others that there are, or a device file."""

import typer

from nasir.api import Space


def costed(space: Space, name: str) -> tuple[Space, str]:
    """The space with a cost that `--cost` names, and the cost's own name."""
    if name.endswith(".json"):
        space = space.on(name)
        return space, [*space.costs.costs][-1]
    if name not in space.costs.costs:
        known = ", ".join(space.costs.costs)
        raise typer.BadParameter(f"`{name}` is none of {known}, and no device file (.json)", param_hint="--cost")
    return space, name
