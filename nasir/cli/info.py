"""`nasir info`."""

import json
import math
from typing import Annotated

import typer

from nasir.api import Space, load
from nasir.cli.options import File, Json, With, parameters
from nasir.cost.extremes import cost_range
from nasir.cost.names import CONVENTIONS
from nasir.cost.table import layer_rows
from nasir.ir.values import key

NAME = "info"
_COSTS = {"ours": ("macs", "params"), "published": ("published_macs", "published_params")}


def command(
    file: File,
    given: With = None,
    as_json: Json = False,
    convention: Annotated[
        str, typer.Option("--convention", metavar="NAME", help="How costs are counted: `ours`, or `published`.")
    ] = "ours",
) -> None:
    """Show a space or a network: decisions, number of networks, costs, layers with their shapes.

    Costs are counted as `ours` counts them (multiply-adds of convolutions and linear layers; all trainable
    parameters) or as the released FBNets are, `published`: with the elements that global poolings read, and weights
    alone.
    """
    if convention not in _COSTS:
        raise typer.BadParameter(" or ".join(_COSTS), param_hint="--convention")
    space = load(file, **parameters(given))
    if as_json:
        print(json.dumps(facts(space, _COSTS[convention]), indent=2))
        return
    _print(space, _COSTS[convention])


def facts(space: Space, costs: tuple[str, str]) -> dict[str, object]:
    """What `--json` prints. Counts are exact, as strings: they outgrow what JSON readers hold."""
    networks = space.size()
    macs, params = (cost_range(space.costs, cost) for cost in costs)
    return {
        "name": space.name,
        "decisions": [{"name": d.name, "options": list(d.options)} for d in space.decisions],
        "assignments": str(space.assignments()),
        "networks": None if networks is None else str(networks),
        "networks_log10": None if networks is None else math.log10(networks),
        "macs": {"min": macs[0], "max": macs[1]},
        "params": {"min": params[0], "max": params[1]},
        "conventions": {name: CONVENTIONS[cost] for name, cost in zip(("macs", "params"), costs, strict=True)},
        "layers": [
            {"name": r.name, "block": r.block, "output": r.shape, "macs": r.macs, "params": r.params}
            if not space.decisions
            else {"name": r.name, "block": r.block, "output": r.shape}
            for r in layer_rows(space.graph)
        ],
    }


def _print(space: Space, costs: tuple[str, str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from nasir.terminal import Terminal

    console = Terminal(highlight=False)
    console.print(f"[bold]{space.name}[/]  {_headline(space)}", soft_wrap=True)
    layers = Table("layer", "made of", "output", box=SIMPLE_HEAD, header_style="dim")
    if not space.decisions:
        layers.add_column("macs", justify="right")
        layers.add_column("params", justify="right")
    for row in layer_rows(space.graph):
        shown = () if space.decisions else (f"{row.macs:,}", f"{row.params:,}")
        layers.add_row(row.name, row.block, row.shape, *shown)
    console.print(layers)
    if space.decisions:
        decisions = Table("decision", "options", box=SIMPLE_HEAD, header_style="dim")
        for decision in space.decisions:
            decisions.add_row(decision.name, ", ".join(map(key, decision.options)))
        console.print(decisions)
    for name, cost in zip(("macs", "params"), costs, strict=True):
        least, most = cost_range(space.costs, cost)
        amount = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        console.print(f"{name:<7} {amount}   [dim]{CONVENTIONS[cost]}[/]", soft_wrap=True)


def _headline(space: Space) -> str:
    if not space.decisions:
        return "a network: nothing is left to decide"
    networks = space.size()
    count = "not computed" if networks is None else f"{_count(networks)} networks (inactive decisions merged)"
    return f"{len(space.decisions)} decisions, {_count(space.assignments())} assignments, {count}"


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**9 else f"10^{math.log10(number):.2f}"
