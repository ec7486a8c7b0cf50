"""Options that several commands share."""

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from nasir.api import Space
from nasir.cli import mistakes
from nasir.cost.registry import COSTS, PRIMARY
from nasir.cost.tabled import FAMILIES
from nasir.files import Unreadable, parse_json, read_any
from nasir.ir.values import Scalar
from nasir.jobs.pool import LOCAL, RAY
from nasir.mistakes import unreadable
from nasir.runs.request import MOST_THREADS, Known, Request, options_of


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
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors alone.")]
With = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="NAME=VALUE", help="A parameter, as `classes=10`; may be repeated."),
]
On = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="PLACE",
        help="Where the work is done: `local`, processes of this machine; `ray`, the Ray cluster that RAY_ADDRESS"
        " names, or else one of this machine's cores; `ray://HOST:PORT`, a Ray cluster.",
    ),
]
Cpus = Annotated[
    int | None,
    typer.Option(
        "--cpus",
        metavar="C",
        min=1,
        max=MOST_THREADS,
        help="Cores, and threads, for each.  [default: its share of this machine's; on a cluster one]",
    ),
]
Gpus = Annotated[
    float,
    typer.Option("--gpus", metavar="G", min=0.0, help="GPUs of a cluster for each; `0.5`: two of them share one."),
]


def check_place(on: str, gpus: float) -> None:
    """A place is named where jobs can be done, and GPUs are shared out by those who know of them."""
    if not re.fullmatch(rf"{LOCAL}|{RAY}(://.+)?", on):
        raise typer.BadParameter(f"`--on {LOCAL}`, `--on {RAY}` or `--on {RAY}://HOST:PORT`")
    if gpus and on == LOCAL:
        raise typer.BadParameter("`--gpus` is for clusters: here each search takes the GPU of `--device`")


def check_start(request: Request) -> None:
    """A run goes on or is replaced, not both."""
    if request.resume and request.overwrite:
        raise typer.BadParameter("one of --resume and --overwrite")


def with_request(command: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes of a function's parameter `request` an option for each field of `Request` that the command has, as typer
    reads them of a signature."""

    known = options_of(command)

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            taken = {one.name: values.pop(one.name) for one in known}
            for one in known:
                taken[one.name] = tuple(taken[one.name] or ()) if one.repeats else taken[one.name]
            function(**values, request=Request(**taken))

        return _told(run, function, "request", map(_parameter, known))

    return decorate


def with_limits(function: Callable[..., None]) -> Callable[..., None]:
    """Makes of a function's parameter `limits` an option for each cost, `--macs 20M,40M`; it gets those that are
    given, by the cost's name."""
    names = {name: name.replace("(", "_").replace(")", "") for name in (*COSTS, *FAMILIES)}

    def run(**values: Any) -> None:
        given = {cost: values.pop(taken) for cost, taken in names.items()}
        function(**values, limits={cost: text for cost, text in given.items() if text is not None})

    return _told(run, function, "limits", map(_limits, names.items()))


def _told(
    run: Callable[..., None], function: Callable[..., None], name: str, options: Iterable[inspect.Parameter]
) -> Callable[..., None]:
    """`run` with the signature of `function`, as typer reads it, the options in the place of the parameter `name`."""
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        parameters += options if parameter.name == name else [parameter]
    keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    made: Any = run
    made.__signature__ = inspect.Signature(keywords)
    made.__annotations__ = {parameter.name: parameter.annotation for parameter in keywords}
    made.__doc__ = function.__doc__
    return made


def _limits(one: tuple[str, str]) -> inspect.Parameter:
    """The option for bounds on a cost."""
    cost, taken = one
    flag = f"--{taken.replace('_', '-')}"
    example = "`20M,40M,60M`, or `40%,60%`" if cost == PRIMARY else "in place of those on another cost"
    title = COSTS[cost].title if cost in COSTS else "The cost of the device file that the program names"
    example = example if cost in COSTS else "`4ms,5ms`" if "" not in FAMILIES[cost].units else example
    words = f"Bounds on {title[:1].lower()}{title[1:]}: {example}."
    annotation = Annotated[str | None, typer.Option(flag, metavar="LIMITS", help=words)]
    return inspect.Parameter(taken, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _parameter(one: Known) -> inspect.Parameter:
    """An option as a parameter that typer reads."""
    said = one.option
    parser = folder if one.kind == Path | None else None
    shown = typer.Option(said.flag, metavar=said.metavar, help=said.help, min=said.least, max=said.most, parser=parser)
    kind, default = (list[str] | None, None) if one.repeats else (one.kind, one.default)
    annotation = Annotated[kind, shown]
    return inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


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
    if not any(given) and not choose:
        return None if space.decisions else {}
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
