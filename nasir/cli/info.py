"""`nasir info`."""

import json
import math
from collections.abc import Sequence
from typing import Annotated

import typer

from nasir.api import Space, load
from nasir.cli.costs import costed
from nasir.cli.options import File, Json, With, parameters
from nasir.cost.extremes import cost_range
from nasir.cost.registry import COSTS, by_convention
from nasir.cost.table import layer_rows
from nasir.ir.values import key

NAME = "info"


def command(
    file: File,
    given: With = None,
    as_json: Json = False,
    convention: Annotated[
        str, typer.Option("--convention", metavar="NAME", help="How costs are counted: `ours`, or `published`.")
    ] = "ours",
    cost: Annotated[
        list[str] | None,
        typer.Option(
            "--cost",
            metavar="NAME|FILE.json",
            help="Another cost to show, as `activations`, or that of a device file (`nasir profile`); may be repeated.",
        ),
    ] = None,
) -> None:
    """Show a space or a network: decisions, number of networks, costs, layers with their shapes.

    Costs are counted as `ours` counts them (multiply-adds of convolutions and linear layers; all trainable
    parameters) or as the released FBNets are, `published`: with the elements that global poolings read, and weights
    alone.
    """
    costs = by_convention(convention)
    if not costs:
        known = dict.fromkeys(cost.convention for cost in COSTS.values())
        raise typer.BadParameter(" or ".join(known), param_hint="--convention")
    space = load(file, **parameters(given))
    shown = dict.fromkeys(costs)
    for name in cost or ():
        space, found = costed(space, name)
        shown[found] = None
    if as_json:
        print(json.dumps(facts(space, [*shown]), indent=2))
        return
    _print(space, [*shown])


def facts(space: Space, costs: Sequence[str]) -> dict[str, object]:
    """What `--json` prints. Counts are exact, as strings: they outgrow what JSON readers hold."""
    networks = space.size()
    return {
        "name": space.name,
        "decisions": [{"name": d.name, "options": list(d.options)} for d in space.decisions],
        "assignments": str(space.assignments()),
        "networks": None if networks is None else str(networks),
        "networks_log10": None if networks is None else math.log10(networks),
        **{_label(cost): dict(zip(("min", "max"), cost_range(space.costs, cost), strict=True)) for cost in costs},
        "conventions": {_label(cost): space.costs.costs[cost].words for cost in costs},
        "layers": [
            {"name": r.name, "block": r.block, "output": r.shape, **{_label(c): n for c, n in r.costs.items()}}
            for r in layer_rows(space.costs, costs)
        ],
    }


def _label(cost: str) -> str:
    """What a cost goes by beside others: of another convention what it counts, else its own name."""
    return COSTS[cost].quantity if cost in COSTS and COSTS[cost].convention != "ours" else cost


def _print(space: Space, costs: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from nasir.terminal import Terminal

    rows, known = layer_rows(space.costs, costs), space.costs.costs
    ranges = {cost: cost_range(space.costs, cost) for cost in costs}  # what is wrong is said alone
    console = Terminal(highlight=False)
    console.print(f"[bold]{space.name}[/]  {_headline(space)}", soft_wrap=True)
    layers = Table("layer", "made of", "output", box=SIMPLE_HEAD, header_style="dim")
    for cost in rows[0].costs if rows else ():
        layers.add_column(_label(cost), justify="right")
    for row in rows:
        layers.add_row(
            row.name, row.block, row.shape, *(known[name].amount(amount) for name, amount in row.costs.items())
        )
    if rows:
        console.print(layers)
    if space.decisions:
        decisions = Table("decision", "options", box=SIMPLE_HEAD, header_style="dim")
        for decision in space.decisions:
            decisions.add_row(decision.name, ", ".join(map(key, decision.options)))
        console.print(decisions)
    width = max(7, *(len(_label(cost)) for cost in costs))
    for cost in costs:
        least, most = ranges[cost]
        ends = dict.fromkeys((known[cost].written(least), known[cost].written(most)))
        words = f"   [dim]{escape(known[cost].words)}[/]"
        console.print(f"{escape(_label(cost)):<{width}} {' to '.join(ends)}{words}", soft_wrap=True)


def _headline(space: Space) -> str:
    if not space.decisions:
        return "a network: nothing is left to decide"
    networks = space.size()
    count = "not computed" if networks is None else f"{_count(networks)} networks (inactive decisions merged)"
    decisions = "1 decision" if len(space.decisions) == 1 else f"{len(space.decisions)} decisions"
    return f"{decisions}, {_count(space.assignments())} assignments, {count}"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**9 else f"10^{math.log10(number):.2f}"
