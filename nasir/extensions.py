"""What a program names and Python gives: ops, costs, search strategies, losses. Each is one file of this package, or
what an installed package announces as an entry point; nothing lists them."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from nasir.mistakes import extension_fails, unknown_extension

T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """A kind of such things: what a program calls it, the package with a file for each of ours, and the group of
    entry points for those of others. Of strategies and losses the names are known without importing any (`names`,
    `load`); ops and costs are all made as nasir is imported (`instances`)."""

    setting: str
    package: str
    group: str

    def shipped(self) -> list[str]:
        """The names of ours, sorted."""
        folder = Path(__file__).parent.joinpath(*self.package.split(".")[1:])
        return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")

    def names(self) -> list[str]:
        """All names that there are here, sorted."""
        return sorted({*self.shipped(), *(one.name for one in entry_points(group=self.group))})

    def load(self, name: str) -> Any:
        """What is of that name: in a file of ours the class or the function that is called as the file is (`dmasking`,
        `DMasking`).

        Raises:
            CompileError: where there is none, or it cannot be loaded.
        """
        if name in self.shipped():
            members = vars(import_module(f"{self.package}.{name}"))
            return next(one for key, one in members.items() if key.lower() == name.replace("_", "") or key == name)
        found = next(iter(entry_points(group=self.group, name=name)), None)
        if found is None:
            raise unknown_extension(self.setting, name, self.names())
        try:
            return found.load()
        except Exception as error:  # whatever another's package raises
            raise extension_fails(self.setting, name, found.value, error) from error

    def instances(self, of: type[T]) -> Iterator[T]:
        """One of each: the `offered` things of our files, then those of entry points. Another package's that is broken,
        or takes a name that there is, is left out with a warning: nasir goes on without it."""
        taken: set[str] = set()
        for source, offered in self._offers():
            one = offered() if isinstance(offered, type) else offered
            name = str(getattr(one, "name", ""))
            if not isinstance(one, of) or name in taken:
                why = f"there is one called `{name}`" if isinstance(one, of) else f"it is no {of.__name__}"
                warnings.warn(f"the {self.setting} of {source} is left out: {why}", stacklevel=2)
                continue
            taken.add(name)
            yield one

    def _offers(self) -> Iterator[tuple[str, object]]:
        for module in self.shipped():
            for offered in getattr(import_module(f"{self.package}.{module}"), "offered", ()):
                yield module, offered
        for point in sorted(entry_points(group=self.group), key=lambda one: (one.name, one.value)):
            source = f"`{point.name} = {point.value}`"
            try:
                offered = point.load()
            except Exception as error:  # whatever another's package raises
                warnings.warn(f"the {self.setting} of {source} is left out: {error!r}", stacklevel=2)
                continue
            yield source, offered


OPS = Kind("op", "nasir.ir.ops", "nasir.ops")
COSTS = Kind("cost", "nasir.cost.costs", "nasir.costs")
STRATEGIES = Kind("strategy", "nasir.searching.strategies", "nasir.strategies")
LOSSES = Kind("loss", "nasir.searching.losses", "nasir.losses")
