"""`nasir predict`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from nasir.cli.options import Json

NAME = "predict"


def command(
    network: Annotated[
        Path, typer.Argument(metavar="RUN|model.py", help="A finished run, or an emitted file beside its weights.")
    ],
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Image files; or recordings, or arrays in .npy files.")
    ],
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="So many classes, likeliest first.")] = 5,
    as_json: Json = False,
) -> None:
    """Tell which classes a trained network takes files for, with their probabilities; of a network of pixels the share
    of each class, of one of numbers the numbers.

    Files are prepared as `deploy.json` says: that file and the weights are all that a deployment needs. A run folder
    is data, and runs no code; a `.py` file is code that you name.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from nasir.runs.predicting import predictor  # imports torch
    from nasir.terminal import Terminal

    told = predictor(network)
    found = list(told(files, top))
    if as_json:
        records = [
            {"file": one.file, "classes": [{"name": name, told.number: number} for name, number in one.classes]}
            for one in found
        ]
        print(json.dumps(records, indent=2))
        return
    console = Terminal(highlight=False)
    kind = "value" if told.number == "value" else "class"
    table = Table("file", kind, box=SIMPLE_HEAD, header_style="dim")
    table.add_column(told.number, justify="right")
    for one in found:
        for i, (name, number) in enumerate(one.classes):
            shown = f"{number:.5g}" if kind == "value" else f"{number:.1%}"
            table.add_row(Text(one.file if i == 0 else ""), Text(name), shown, end_section=i + 1 == len(one.classes))
    console.print(table)
