"""`nasir draw`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasir.api import Space, load
from nasir.cli.choosing import Choosing, with_choice
from nasir.cli.costs import costed
from nasir.cli.options import TO, File, With, parameters, write_or_print
from nasir.cost.table import layer_rows
from nasir.mistakes import still_undecided

if TYPE_CHECKING:
    from nasir.drawing import Heat

NAME = "draw"


@with_choice
def command(
    file: File,
    *,
    given: With = None,
    out: Annotated[Path | None, typer.Option("-o", metavar="net.svg", help=TO)] = None,
    choosing: Choosing,
    cost: Annotated[
        str | None,
        typer.Option(
            "--cost", metavar="NAME|FILE.json", help="Colour a network's layers by a cost, as a device file's."
        ),
    ] = None,
) -> None:
    """Draw a space or a network: a bar a layer, its height the expansion, its colour the kernel. Writes SVG."""
    from nasir.drawing import draw  # imports jinja2

    drawn = choosing.network(load(file, **parameters(given)))
    write_or_print(draw(drawn.graph, _heat(drawn, cost) if cost else None), out)


def _heat(drawn: Space, name: str) -> "Heat":
    """The layers' shares of a cost."""
    from nasir.drawing import Heat

    if drawn.decisions:
        raise still_undecided(drawn.name, [d.name for d in drawn.decisions])
    drawn, name = costed(drawn, name)
    cost = drawn.costs.costs[name]
    rows = [row for row in layer_rows(drawn.costs, (name,)) if name in row.costs]
    if not rows:
        raise typer.BadParameter(f"`{name}` is no sum over layers", param_hint="--cost")
    most = max(row.costs[name] for row in rows) or 1
    amounts = {row.name: (row.costs[name] / most, f"{cost.amount(row.costs[name])} {cost.unit}") for row in rows}
    return Heat(cost.title, amounts)
