"""What a folder of nasir and installed packages offer of one kind: ops, costs, strategies. Nothing lists them."""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import TypeVar

T = TypeVar("T")


def instances(kind: type[T], package: str, path: Iterable[str], group: str) -> Iterator[T]:
    """One of each: the `offered` things of the package's modules, by their modules' names, then those that the entry
    points of `group` name. A module without `offered` offers nothing.

    Raises:
        TypeError: where an entry point is of another kind, or a name is taken: a fault of the package that has it.
    """
    taken: dict[str, str] = {}
    for source, thing in _offers(package, path, group):
        one = thing() if isinstance(thing, type) else thing
        if not isinstance(one, kind):
            raise TypeError(f"{source} offers {one!r}, which is no {kind.__name__}")
        name = str(getattr(one, "name", ""))
        if name in taken:
            raise TypeError(f"{source} offers the {kind.__name__} `{name}`, and so does {taken[name]}")
        taken[name] = source
        yield one


def _offers(package: str, path: Iterable[str], group: str) -> Iterator[tuple[str, object]]:
    for module in sorted(found.name for found in iter_modules(path)):
        for thing in getattr(import_module(f"{package}.{module}"), "offered", ()):
            yield f"{package}.{module}", thing
    for point in sorted(_entry_points(group), key=lambda one: (one.name, one.value)):
        yield f"the entry point {point.name} = {point.value}", point.load()


@cache
def _entry_points(group: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=group))
