"""`nasir export`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nasir.api import load
from nasir.cli import mistakes
from nasir.cli.choosing import Choosing, with_choice
from nasir.cli.options import Json, Quiet, With, folder, parameters
from nasir.exporting.formats import FORMATS, format_named

NAME = "export"
_DTYPES = ("float32", "int8")


@with_choice
def command(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|RUN", help="A finished run, an emitted `model.py` beside its weights, or a `.nas` program."
        ),
    ],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")],
    out: Annotated[Path, typer.Option("-o", metavar="DIR", help="The folder to write into.", parser=folder)],
    *,
    init: Annotated[
        Path | None,
        typer.Option(
            "--init",
            metavar="FILE.safetensors",
            help="Its weights, as of `nasir lift`.  [default: those beside a `.py` file; of a program torch's initial"
            " ones]",
        ),
    ] = None,
    given: With = None,
    dtype: Annotated[
        str, typer.Option("--dtype", metavar="float32|int8", help="Numbers of the weights and maps; int8 needs data.")
    ] = _DTYPES[0],
    data: Annotated[
        str,
        typer.Option("--data", metavar="D", help="The data to prove and to quantise on.  [default: those of the run]"),
    ] = "",
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Of noise and of weights, where there are no others.")
    ] = 0,
    threads: Annotated[int, typer.Option("--threads", metavar="N", min=1, help="Threads that run the file.")] = 1,
    choosing: Choosing,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an export that is in DIR already.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a network in the format of another runtime, and prove it there: the file is run beside the network on test
    inputs, and nothing is left where its outputs differ.

    DIR gets the network's file, `export.json` with differences, size and times, and the run's `deploy.json`. A run
    folder is data, and runs no code; a `.py` file is code that you name. A `.nas` program has the weights of `--init`,
    or torch's initial ones.
    """
    if dtype not in _DTYPES:
        raise typer.BadParameter(f"one of {', '.join(_DTYPES)}", param_hint="--dtype")
    form = format_named(to)
    program = not file.endswith(".py") and not Path(file).is_dir()
    if not program and (given or choosing.chooses):
        raise mistakes.options_of_programs(file)
    if init is not None and Path(file).is_dir():
        raise typer.BadParameter("a run has weights of its own", param_hint="--init")

    from nasir.runs.exports import Order, check_free, export  # imports torch
    from nasir.runs.subjects import of_program, of_run
    from nasir.terminal import Terminal

    order = Order(form, out, dtype, threads, overwrite)
    check_free(order)
    console = Terminal(highlight=False, stderr=True, quiet=quiet)
    if program:
        beside = Path(file).with_suffix(".safetensors")
        if init is None and beside.is_file():
            words = f"weights are torch's initial ones: `--init {beside}` takes those that lie beside the program"
            console.print(words, style="yellow", markup=False, soft_wrap=True)
        subject = of_program(choosing.network(load(file, **parameters(given))), data, seed, init)
    else:
        subject = of_run(Path(file), data, seed, init)
    record = export(subject, order, console)
    if as_json:
        print(json.dumps(record, indent=2))
    elif not quiet:
        _show(record, order.out)


def _show(record: dict[str, Any], out: Path) -> None:
    """A table of what the export is worth."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from nasir.terminal import Terminal

    table = Table("", "emitted, torch", f"exported, {record['format']}", box=SIMPLE_HEAD, header_style="dim")
    for one in record["differences"]:
        off = (f"{min(one[side].values()):.1e}" for side in ("emitted", "exported"))
        table.add_row(f"outputs are off, batch {one['batch']}", *off)
    for name, values in record.get("metrics", {}).items():
        table.add_row(name.replace("_", " "), *(f"{values[dtype]:.5g}" for dtype in _DTYPES))
    times = record["seconds"]
    shown = (f"{1e3 * times[one]:.3g} ms" for one in ("emitted", "exported"))
    table.add_row(f"one input, {times['threads']} thread{'s' * (times['threads'] > 1)}", *shown)
    table.add_row("size", "", f"{record['bytes']:,} bytes")
    console = Terminal(highlight=False)
    console.print(table)
    for words in (f"weights: {record['weights']}", f"{out / record['file']}: {record['dtype']}; on {record['inputs']}"):
        console.print(Text(words, style="dim"), soft_wrap=True)
