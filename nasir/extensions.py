"""What a program names and Python gives, a search strategy or a loss: one file of this package each, or what an
installed package announces as an entry point. Names are known without importing any of them."""

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from nasir.mistakes import extension_fails, unknown_extension


@dataclass(frozen=True)
class Kind:
    """A kind of such things: what a program calls it, the package with a file for each of ours, and the group of
    entry points for those of others."""

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


STRATEGIES = Kind("strategy", "nasir.searching.strategies", "nasir.strategies")
LOSSES = Kind("loss", "nasir.searching.losses", "nasir.losses")
