"""`nasir fmt`."""

import difflib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from nasir.cli import mistakes
from nasir.diagnostics import CompileError, Diagnostic, Source, render_all
from nasir.files import write_atomically
from nasir.lang.imports import read
from nasir.lang.mistakes import not_utf8, python_file
from nasir.lang.parser import LARGEST_FILE
from nasir.lang.reformat import formatted
from nasir.mistakes import unreadable

NAME = "fmt"
_STDIN = "-"
_MOST_BYTES = 4 * LARGEST_FILE  # a character has up to four


def command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER...", help="Of a folder every `.nas` file below it; `-` is standard input to output."
        ),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; name the files that would change, and exit 1 if any would.")
    ] = False,
    diff: Annotated[bool, typer.Option("--diff", help="As `--check`, and print what would change.")] = False,
) -> None:
    """Put files into the one layout of the language, in place: two spaces, aligned bindings and tables, lines of at
    most 100 columns.

    Comments stay where they stand, of several blank lines one stays, and the program means what it meant. It has no
    settings: derived programs look the same.

    An item with a syntax error stays as it is, the others are laid out; the error is told, and the exit status is 1.

    * `nasir fmt .` lays out every program below this folder

    * `nasir fmt --check spaces` is for CI

    * `nasir fmt - < net.nas` is for editors
    """
    found: list[Diagnostic] = []
    changed = count = 0
    for path in _files(paths, found):
        count += 1
        try:
            source = read(path) if path else _stdin()
            result = formatted(source)
            found += result.mistakes
            differs = result.text != source.text
            changed += differs
            if diff:
                sys.stdout.write(_diff(source, result.text))
            elif path is None and not check:
                sys.stdout.write(result.text)
            elif differs and check:
                print(f"would change {source.name}")
            elif differs and path:
                write_atomically(path, result.text.encode("utf-8"))
                print(f"formatted {source.name}")
        except CompileError as error:
            found += error.diagnostics
    if found:
        print(render_all(dict.fromkeys(found)), file=sys.stderr)
    if _STDIN not in paths and not diff:
        verb = "would change" if check else "formatted"
        print(f"{count} {'file' if count == 1 else 'files'}, {changed} {verb}")
    raise typer.Exit(1 if found or (changed and (check or diff)) else 0)


def _files(paths: list[str], found: list[Diagnostic]) -> Iterator[Path | None]:
    """The files to lay out, each once; None is standard input. What names none is told in `found`."""
    if _STDIN in paths:
        if len(paths) > 1:
            raise typer.BadParameter("`-` stands alone", param_hint="FILE|FOLDER...")
        yield None
        return
    seen: set[str] = set()
    for name in paths:
        path = Path(name)
        below = [path]
        if path.suffix == ".py":
            found += python_file(name).diagnostics
            continue
        if os.path.isdir(path):
            below = list(_below(path))
            found += mistakes.no_programs(name).diagnostics if not below else ()
        for file in below:
            if os.path.realpath(file) not in seen:
                seen.add(os.path.realpath(file))
                yield file


def _below(folder: Path) -> Iterator[Path]:
    """The programs below a folder, but for those in hidden folders, which are tools' own."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(where) / name for name in sorted(files) if name.endswith(".nas"))


def _stdin() -> Source:
    try:
        with open(0, "rb", closefd=False) as stream:
            data = stream.read(_MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise unreadable("<stdin>", error.strerror) from None
    except UnicodeDecodeError:
        raise not_utf8(Path("<stdin>")) from None
    if len(data) > _MOST_BYTES:
        raise unreadable("<stdin>", f"it has more than {_MOST_BYTES:,} bytes")
    return Source("<stdin>", text.replace("\r\n", "\n").replace("\r", "\n"))


def _diff(source: Source, text: str) -> str:
    before, after = (t.splitlines(keepends=True) for t in (source.text, text))
    lines = difflib.unified_diff(before, after, source.name, source.name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
