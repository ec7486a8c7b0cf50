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
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Image files.")],
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="So many classes, likeliest first.")] = 5,
    as_json: Json = False,
) -> None:
    """Tell which classes a trained network takes image files for, with their probabilities.

    Images are prepared as `deploy.json` says: that file and the weights are all that a deployment needs. A run folder
    is data, and runs no code; a `.py` file is code that you name.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    from nasir.runs.predicting import predictor  # imports torch
    from nasir.terminal import Terminal

    found = list(predictor(network)(images, top))
    if as_json:
        records = [
            {"file": one.file, "classes": [{"name": name, "probability": share} for name, share in one.classes]}
            for one in found
        ]
        print(json.dumps(records, indent=2))
        return
    console = Terminal(highlight=False)
    table = Table("image", "class", box=SIMPLE_HEAD, header_style="dim")
    table.add_column("probability", justify="right")
    for one in found:
        for i, (name, share) in enumerate(one.classes):
            table.add_row(
                Text(one.file if i == 0 else ""), Text(name), f"{share:.1%}", end_section=i + 1 == len(one.classes)
            )
    console.print(table)
