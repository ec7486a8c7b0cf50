"""Options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nasir.api import Space
from nasir.cli import mistakes
from nasir.files import Unreadable, parse_json, read_any
from nasir.ir.values import Scalar
from nasir.mistakes import unreadable


def folder(text: str) -> Path:
    """A folder to write into; nothing, as of a shell's variable that is not set, names none."""
    if not text:
        raise typer.BadParameter("the folder has no name")
    return Path(text)


File = Annotated[str, typer.Argument(metavar="FILE", help="A path, or a name in the shipped library (`digits`).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Largest = Annotated[bool, typer.Option("--largest", help="The network with the most multiply-adds.")]
Smallest = Annotated[bool, typer.Option("--smallest", help="The network with the fewest multiply-adds.")]
Sample = Annotated[int | None, typer.Option("--sample", metavar="SEED", help="A random network.")]
Choose = Annotated[
    list[str] | None, typer.Option("--choose", metavar="NAME=VALUE", help="One decision; may be repeated.")
]
Choices = Annotated[Path | None, typer.Option("--choices", metavar="FILE.json", help="Every decision, as JSON.")]
Run = Annotated[Path | None, typer.Option("--run", metavar="RUN", help="What a search found, from its run folder.")]
Data = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="D",
        help="The data set: `digits`, `idx:DIR` (files like MNIST's), `folder:DIR` (class folders), or"
        " `python:module:function` (your own).",
    ),
]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="N", help="So many of the classes, `100` or `10%`, picked by the seed."),
]
SkipBroken = Annotated[
    bool, typer.Option("--skip-broken", help="Leave out image files that cannot be read, and count them.")
]
SyncBatchNorm = Annotated[
    bool, typer.Option("--sync-bn", help="Batch statistics over all GPUs of a `torchrun`, not over each one's images.")
]
TensorBoard = Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard events to RUN/events as well.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors alone.")]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        max=1_024,
        help="Threads that compute.  [default: one for small networks, else one a core]",
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on from the folder's last checkpoint; start where there is none.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="RUN", parser=folder, help="The run folder.  [default: one of its own in runs]"),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, max=2**31 - 1, help="Seed of all randomness.")]
Device = Annotated[str, typer.Option("--device", metavar="D", help="`cpu`, `cuda`, or `auto`.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A setting, `search.KEY=VALUE`, `train.KEY=VALUE`, or `KEY=VALUE` of the command's own; may be repeated.",
    ),
]
With = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="NAME=VALUE", help="A parameter of the space, as `classes=10`; may be repeated."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run that is in the folder already.")]


def check_start(resume: bool, overwrite: bool) -> None:
    """A run goes on or is replaced, not both."""
    if resume and overwrite:
        raise typer.BadParameter("one of --resume and --overwrite")


def selected(
    space: Space,
    *,
    largest: bool = False,
    smallest: bool = False,
    sample: int | None = None,
    choose: list[str] | None = None,
    choices: Path | None = None,
    run: Path | None = None,
) -> dict[str, Scalar] | None:
    """The choices that the options name; None where there are none and the space has decisions.

    Raises:
        CompileError: where they contradict each other, or are no choices of the space.
    """
    given = [largest, smallest, sample is not None, choices is not None, run is not None]
    if sum(given) > 1:
        raise mistakes.rival_options()
    if not space.decisions:
        return {}
    if not any(given) and not choose:
        return None
    base: dict[str, Scalar] | None = None
    if largest:
        base = space.largest()
    elif smallest:
        base = space.smallest()
    elif sample is not None:
        base = space.sample(sample)
    elif choices is not None or run is not None:
        base = space.choices(_read_choices(choices if choices is not None else (run or Path()) / "choices.json"))
    return space.choices(dict(map(_pair, choose or [])), base)


def parameters(given: list[str] | None) -> dict[str, str]:
    """What `--with` gives, by name.

    Raises:
        CompileError: where one has no value.
    """
    return dict(_pair(text, "--with") for text in given or [])


def _pair(text: str, option: str = "--choose") -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise mistakes.no_value(option, text)
    return name.strip(), value.strip()


def _read_choices(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(read_any(path))
    except Unreadable as error:
        raise unreadable(path, error) from None
    if not isinstance(found, dict):
        raise mistakes.no_choices(path)
    return {str(name): value for name, value in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def network(space: Space, choices: dict[str, Scalar] | None) -> Space:
    """The space at the choices; itself where nothing was chosen and nothing is left to choose."""
    return space if choices is None else space.at(choices)


def write_or_print(text: str, out: Path | None) -> None:
    """To a file, atomically, or to standard output."""
    if out is None:
        print(text, end="")
        return
    from nasir.files import write_atomically

    write_atomically(out, text.encode("utf-8"))
