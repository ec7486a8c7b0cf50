"""`nasir lift`."""

import ast
import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasir.cli.options import Json, parameters
from nasir.cost.registry import STANDARD
from nasir.files import write_atomically

if TYPE_CHECKING:
    from nasir.lifting.program import Program

NAME = "lift"


def command(
    where: Annotated[
        str, typer.Argument(metavar="MODULE:FACTORY", help="A class or a function; of a file `nets/mine.py:Net`.")
    ],
    out: Annotated[Path, typer.Option("-o", metavar="NET.nas", help="Where to write the program.")],
    given: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME=VALUE", help="An argument of the factory; may be repeated."),
    ] = None,
    input: Annotated[
        str | None,
        typer.Option("--input", metavar="SHAPE", help="The shape of one input: `3x224x224`.  [default: the network's]"),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="FILE.safetensors", help="The network's weights.  [default: random ones]"),
    ] = None,
    opened: Annotated[
        str, typer.Option("--open", metavar="KINDS", help="Sets in the place of `widths`, `kernels`, `depth`.")
    ] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a PyTorch network of yours as a `.nas` program, with its weights, and prove them equal.

    The network is made and run in evaluation: this is your code, and runs because you name it. Modules that repeat
    become blocks, blocks one after another a table. NET.safetensors is written beside NET.nas: the weights, by the
    names that `nasir build NET.nas` gives them. `--open` makes a space of the network, with the network in it.

    * `nasir lift timm.models:resnet50 -o resnet50.nas`

    * `nasir lift my_nets.py:SmallNet --with width=32 --input 3x64x64 -o small.nas`

    * `nasir lift my_nets:small --input 3x32x32 --open widths,depth -o small.nas`
    """
    from nasir.jobs.progress import stages
    from nasir.lifting import mistakes
    from nasir.lifting.network import network  # imports torch
    from nasir.lifting.opening import kinds
    from nasir.lifting.program import lift, weights_beside
    from nasir.mistakes import not_written
    from nasir.terminal import Terminal

    if out.suffix != ".nas":
        raise typer.BadParameter("the program's name ends in `.nas`", param_hint="-o")
    files = out, weights_beside(out)
    for path in files:
        if path.exists() and not overwrite:
            raise mistakes.is_there(path)
        if not path.parent.is_dir():
            raise not_written(path, NotADirectoryError(f"there is no folder {path.parent}"))
    asked = kinds(opened)
    arguments = {name: _value(text) for name, text in parameters(given).items()}
    with redirect_stdout(sys.stderr):  # what your code prints is no part of the answer
        module = network(where, arguments, input, weights)
        with stages(Terminal(highlight=False, quiet=as_json)) as told:
            program = lift(module, where, asked, told)
    write_atomically(files[1], program.weights())
    write_atomically(files[0], program.text.encode("utf-8"))
    told = facts(program, files)
    print(json.dumps(told, indent=2) if as_json else _text(told, asked))


def _value(text: str) -> Any:
    """A number, a list or the like as Python writes it; any other text is itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(text, text)


def facts(program: "Program", files: tuple[Path, Path]) -> dict[str, Any]:
    """What `--json` prints."""
    from nasir.lifting.proof import INPUTS, TOLERANCE

    space, proof = program.space, program.proof
    return {
        "program": str(files[0]),
        "weights": str(files[1]),
        "lines": len(program.text.splitlines()),
        "blocks": program.blocks,
        "decisions": len(space.decisions),
        "networks": None if space.size() is None else str(space.size()),
        **{cost: space.costs.at(program.choices)[cost] for cost in STANDARD},
        "choices": dict(program.choices),
        "closed": list(program.closed),
        "unused": dict(program.unused),
        "proof": {"inputs": INPUTS, "error": proof.error, "stirred": proof.stirred, "tolerance": TOLERANCE},
    }


def _text(told: dict[str, Any], asked: Sequence[str]) -> str:
    """What is printed elsewhere; `asked` are the kinds of numbers that were to become sets."""
    made = f"{told['lines']} lines, {told['blocks']} {'block' if told['blocks'] == 1 else 'blocks'}"
    costs = ", ".join(f"{told[cost]:,} {cost}" for cost in STANDARD)
    lines = [f"{told['program']}: {made}; {costs}"]
    if told["decisions"]:
        networks = "" if told["networks"] is None else f", {int(told['networks']):,} networks"
        count = f"{told['decisions']} decision{'s' * (told['decisions'] != 1)}"
        lines.append(f"  {count}{networks}; the lifted one is among them")
    elif asked:
        lines.append(f"  nothing to open: no {', '.join(asked)} of it can be another")
    lines += [f"  not opened: {one}" for one in told["closed"]]
    counts = told["unused"].items()
    lines += [f"  not used: {name}, {count:,} parameter{'s' * (count != 1)}" for name, count in counts]
    proof = told["proof"]
    worst = max(proof["error"], proof["stirred"] or 0.0)
    lines.append(f"{told['weights']}: its weights")
    lines.append(f"proved: on {proof['inputs']} inputs the outputs differ by {worst:.1e} of the largest")
    return "\n".join(lines)
