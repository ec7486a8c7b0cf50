"""Options that choose one network of a space, for the commands that need one."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from nasir.api import Space
from nasir.cli import mistakes
from nasir.cli.options import expanded, pairs
from nasir.files import Unreadable, parse_json, read_any
from nasir.ir.values import Scalar
from nasir.mistakes import unreadable


@dataclass(frozen=True)
class Choosing:
    """What a command line says of the network; each field is an option."""

    largest: Annotated[bool, typer.Option("--largest", help="The network with the most multiply-adds.")] = False
    smallest: Annotated[bool, typer.Option("--smallest", help="The network with the fewest multiply-adds.")] = False
    sample: Annotated[int | None, typer.Option("--sample", metavar="SEED", help="A random network.")] = None
    choose: Annotated[
        list[str] | None, typer.Option("--choose", metavar="NAME=VALUE", help="One decision; may be repeated.")
    ] = None
    choices: Annotated[Path | None, typer.Option("--choices", metavar="FILE.json", help="Every decision, as JSON.")] = (
        None
    )
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="What a search found, from its run folder.")
    ] = None

    @property
    def chooses(self) -> bool:
        """Any of the options is given."""
        return self._wholes() > 0 or bool(self.choose)

    def of(self, space: Space) -> dict[str, Scalar] | None:
        """The choices; None where there are none and the space has decisions.

        Raises:
            CompileError: where they contradict each other, or are no choices of the space.
        """
        if self._wholes() > 1:
            raise mistakes.rival_options()
        if not self.chooses:
            return None if space.decisions else {}
        base: dict[str, Scalar] | None = None
        if self.largest:
            base = space.largest()
        elif self.smallest:
            base = space.smallest()
        elif self.sample is not None:
            base = space.sample(self.sample)
        elif self.choices is not None or self.run is not None:
            path = self.choices if self.choices is not None else (self.run or Path()) / "choices.json"
            base = space.choices(_read_choices(path))
        return space.choices(pairs(self.choose or [], "--choose"), base)

    def network(self, space: Space) -> Space:
        """The space at the choices; itself where nothing was chosen and something is left to choose.

        Raises:
            CompileError: as `of` does.
        """
        choices = self.of(space)
        return space if choices is None else space.at(choices)

    def _wholes(self) -> int:
        """How many of the options that choose a whole network are given."""
        return sum((self.largest, self.smallest, *(v is not None for v in (self.sample, self.choices, self.run))))


def with_choice(function: Callable[..., None]) -> Callable[..., None]:
    """Makes of a function's parameter `choosing` an option for each field of `Choosing`."""

    def run(**values: Any) -> None:
        choosing = Choosing(**{name: values.pop(name) for name in _OPTIONS})
        function(**values, choosing=choosing)

    return expanded(run, function, "choosing", _OPTIONS.values())


def _read_choices(path: Path) -> dict[str, Any]:
    try:
        found = parse_json(read_any(path))
    except Unreadable as error:
        raise unreadable(path, error) from None
    if not isinstance(found, dict):
        raise mistakes.no_choices(path)
    return {str(name): value for name, value in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _parameters() -> dict[str, inspect.Parameter]:
    hints = get_type_hints(Choosing, include_extras=True)
    return {
        one.name: inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name]
        )
        for one in fields(Choosing)
    }


_OPTIONS = _parameters()
