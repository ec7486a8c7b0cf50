"""Options that several commands share."""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nasir.cli import mistakes
from nasir.cost.registry import COSTS, PRIMARY
from nasir.cost.tabled import FAMILIES
from nasir.jobs.pool import LOCAL, RAY
from nasir.runs.request import MOST_THREADS, Known, Request, options_of


def folder(text: str) -> Path:
    """A folder to write into; nothing, as of a shell's variable that is not set, names none."""
    if not text:
        raise typer.BadParameter("the folder has no name")
    return Path(text)


File = Annotated[str, typer.Argument(metavar="FILE", help="A path, or a name in the shipped library (`digits`).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TO = "Where to write it.  [default: standard output]"
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

        return expanded(run, function, "request", map(_parameter, known))

    return decorate


def with_limits(function: Callable[..., None]) -> Callable[..., None]:
    """Makes of a function's parameter `limits` an option for each cost, `--macs 20M,40M`; it gets those that are
    given, by the cost's name."""
    names = {name: name.replace("(", "_").replace(")", "") for name in (*COSTS, *FAMILIES)}

    def run(**values: Any) -> None:
        given = {cost: values.pop(taken) for cost, taken in names.items()}
        function(**values, limits={cost: text for cost, text in given.items() if text is not None})

    return expanded(run, function, "limits", map(_limits, names.items()))


def expanded(
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


def parameters(given: list[str] | None) -> dict[str, str]:
    """What `--with` gives, by name.

    Raises:
        CompileError: where one has no value, or a name has two.
    """
    return pairs(given or [], "--with")


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """The values of several `NAME=VALUE` by their names, as an option has them.

    Raises:
        CompileError: where one has no value, or a name has two.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise mistakes.no_value(option, text)
        if found.setdefault(name, value) != value:
            raise mistakes.two_values(option, name, (found[name], value))
    return found


def write_or_print(text: str, out: Path | None) -> None:
    """To a file, atomically, or to standard output."""
    if out is None:
        print(text, end="")
        return
    from nasir.files import write_atomically

    write_atomically(out, text.encode("utf-8"))
