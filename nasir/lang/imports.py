"""Files and the names they define: imports from the file's own folder or the shipped library, and nowhere else."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nasir import resources
from nasir.diagnostics import Diagnostic, Source, Span
from nasir.files import Unreadable, read_regular
from nasir.lang import composition, mistakes
from nasir.lang import syntax as s
from nasir.lang.mistakes import Mistake
from nasir.lang.parser import LARGEST_FILE, parse
from nasir.mistakes import unreadable

DEEPEST_IMPORTS = 40
MOST_FILES = 1_000
Definition = s.Block | s.Choice | s.Let | s.Space


@dataclass(frozen=True, eq=False)
class Module:
    """A parsed file. `names` are the definitions its text can use, each with the module it stands in."""

    path: Path
    source: Source = field(repr=False)
    tree: s.File = field(repr=False)
    names: dict[str, tuple["Module", Definition]] = field(default_factory=dict[str, tuple["Module", Definition]])
    defaults: dict[str, dict[str, s.Argument]] = field(default_factory=dict[str, dict[str, s.Argument]], repr=False)
    imports: dict[str, "Module"] = field(default_factory=dict[str, "Module"], repr=False)

    def sources(self) -> dict[str, str]:
        """The texts of the files it imports, and those import, by their paths below its own folder or the library."""
        found: dict[str, str] = {}
        waiting = [*self.imports.items()]
        while waiting:
            path, module = waiting.pop()
            if path not in found:
                found[path] = module.source.text
                waiting += module.imports.items()
        return dict(sorted(found.items()))

    def defined(self) -> Mapping[str, Definition]:
        """What the file itself defines."""
        return {name: definition for name, (module, definition) in self.names.items() if module is self}

    @property
    def is_library(self) -> bool:
        """A file of definitions for others to import: it has some, and neither a space nor sections."""
        return bool(self.defined()) and all(
            isinstance(i, (s.Import, s.Let, s.Defaults, s.Block, s.Choice)) for i in self.tree.items
        )

    @property
    def space(self) -> "s.Space | s.NarrowedSpace | None":
        """The file's space."""
        return next((item for item in self.tree.items if isinstance(item, (s.Space, s.NarrowedSpace))), None)

    @property
    def objective(self) -> "s.Objective | None":
        """The file's objective."""
        return next((item for item in self.tree.items if isinstance(item, s.Objective)), None)

    @property
    def exported(self) -> Mapping[str, Definition]:
        """What other files can import: what it defines, and its space."""
        space = self.space
        return {**self.defined(), **({space.name.text: space} if isinstance(space, s.Space) else {})}


def find(name: str) -> Path:
    """A file by path, or by its name in the shipped library (`digits`, `zoo/fbnetv2_f1`).

    Raises:
        CompileError: where there is neither.
    """
    path = Path(name)
    if path.suffix == ".py":
        raise mistakes.python_file(name)
    if os.path.isfile(path):  # the methods of Path raise for names that no file system takes
        return path
    if os.path.isdir(path):
        raise mistakes.folder_for_a_program(name)
    library = resources.folder("spaces")
    shipped = library / (name if name.endswith(".nas") else f"{name}.nas")
    if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts and os.path.isfile(shipped):
        return shipped
    known = [p.relative_to(library).with_suffix("").as_posix() for p in sorted(library.rglob("*.nas"))]
    raise mistakes.no_program(name, known)


def read(path: Path, name: str | None = None) -> Source:
    """The text of a file.

    Raises:
        CompileError: where it cannot be read as UTF-8 text, or is longer than a program can be.
    """
    try:
        data = read_regular(path, 4 * LARGEST_FILE)  # a character has up to four bytes
        return Source(name or str(path), data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))
    except UnicodeDecodeError:
        raise mistakes.not_utf8(path) from None
    except Unreadable as error:
        raise unreadable(path, error) from None


class Loader:
    """Loads a file and what it imports; every mistake of every file ends in `diagnostics`."""

    def __init__(self, path: Path) -> None:
        """A loader for the program in the file `path`."""
        self._roots = roots_of(path.parent)
        self._loaded: dict[Path, Module | None] = {}
        self._loading: list[Path] = []
        self.diagnostics: list[Diagnostic] = []
        self.modules: list[Module] = []

    def load(self, path: Path, source: Source | None = None) -> Module:
        """The module in the file `path`, or that of the text `source` in its place; with the names it defines and
        imports."""
        key = _real(path)
        self._loaded[key] = None  # being loaded: an import that comes back here is a cycle
        self._loading.append(key)
        source = source or read(path)
        module = Module(path, source, parse(source))
        for item in module.tree.items:
            try:
                match item:
                    case s.Import():
                        self._import(module, item)
                    case s.Block() | s.Choice() | s.Let():
                        _define(module, item.name, module, item)
                    case s.Defaults():
                        _set_defaults(module, item)
                    case _:
                        pass
            except Mistake as mistake:
                self.diagnostics.append(mistake.diagnostic)
        self.diagnostics += _section_mistakes(module)
        self._loaded[key] = module
        self._loading.pop()
        self.modules.append(module)
        return module

    def _import(self, module: Module, item: s.Import) -> None:
        path = located(module.path.parent, self._roots, item.path, "*.nas")
        key = _real(path)
        if len(self._loading) >= DEEPEST_IMPORTS:
            raise mistakes.too_large(item.path.span, "files import each other too deep", DEEPEST_IMPORTS)
        if len(self._loaded) >= MOST_FILES:
            raise mistakes.too_large(item.path.span, "the program is made of too many files", MOST_FILES)
        if key in self._loaded and self._loaded[key] is None:
            raise mistakes.import_cycle(item.path.span, item.path.value)
        imported = self._loaded.get(key) or self.load(path)
        root = next(root for root in self._roots if key.is_relative_to(root))
        module.imports[key.relative_to(root).as_posix()] = imported
        for entry in item.names:
            if entry.name.text not in imported.exported:
                known = imported.exported
                self.diagnostics.append(
                    mistakes.unknown_import(entry.name.span, entry.name.text, item.path.value, known).diagnostic
                )
                continue
            owner = imported.names.get(entry.name.text, (imported, None))[0]
            _define(module, entry.alias or entry.name, owner, imported.exported[entry.name.text])


def located(folder: Path, roots: tuple[Path, Path], path: s.String, kind: str, where: str = "beside this file") -> Path:
    """The file that a program in a folder names, beside it or in the library: within the roots and nowhere else. `kind`
    is the pattern of such files' names, `where` are the folders in words.

    Raises:
        Mistake: where there is none.
    """
    written = PurePosixPath(path.value)
    if written.is_absolute() or not path.value:
        raise mistakes.outside_roots(path.span, path.value)
    known: list[str] = []
    for place in (folder, roots[1]):
        candidate = place / written
        try:
            inside = any(_real(candidate).is_relative_to(root) for root in roots)
        except (OSError, ValueError):  # a name that no file system takes
            break
        if not inside:
            raise mistakes.outside_roots(path.span, path.value)
        if os.path.isfile(candidate):
            return candidate
        with suppress(OSError):
            known += [(written.parent / beside.name).as_posix() for beside in candidate.parent.glob(kind)]
    raise mistakes.no_file(path.span, path.value, sorted(set(known)), where)


def roots_of(folder: Path) -> tuple[Path, Path]:
    """The folders that a program in a folder may read files of: that one, and nasir's library."""
    return _real(folder), _real(resources.folder("spaces"))


def _real(path: Path) -> Path:
    """The path without links; of links that lead in a circle, the path itself."""
    return Path(os.path.realpath(path))


def _define(module: Module, name: s.Identifier, owner: Module, definition: Definition) -> None:
    if name.text in module.names:
        _, first = module.names[name.text]
        raise mistakes.defined_twice(name.span, name.text, first.name.span)
    module.names[name.text] = (owner, definition)


def _set_defaults(module: Module, item: s.Defaults) -> None:
    known = module.defaults.setdefault(item.name.text, {})
    for argument in item.arguments:
        if argument.name is None:
            raise composition.unnamed_default(argument.span, item.name.text)
        if argument.name.text in known:
            raise mistakes.defined_twice(argument.name.span, argument.name.text, known[argument.name.text].span)
        if any(isinstance(tree, (s.Set, s.Range)) for tree in s.walk(argument.value)):
            raise composition.deciding_default(argument.value.span)
        known[argument.name.text] = argument


def _section_mistakes(module: Module) -> Iterator[Diagnostic]:
    first: dict[str, Span] = {}
    for item in module.tree.items:
        for tree in s.walk(item) if not isinstance(item, s.Objective) else ():
            if isinstance(tree, s.Number) and tree.unit:
                yield mistakes.unit_out_of_place(tree.span, tree.unit).diagnostic
        match item:
            case s.Space(span=span) | s.NarrowedSpace(span=span):
                section = "space"
            case s.Objective(span=span):
                section = "objective"
            case s.Settings(span=span, section=section):
                pass
            case _:
                continue
        if section in first:
            again = mistakes.second_space if section == "space" else None
            mistake = again(span, first[section]) if again else mistakes.twice(span, section, first[section])
            yield mistake.diagnostic
        first.setdefault(section, span)
