"""A diagnostic, and the one exception that carries them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from nasir.diagnostics.source import Span

MOST_MISTAKES = 100
"""A stage looks for no more: the first ones cause most of the others."""

_MOST_CANDIDATES, _LONGEST_WORD = 1_000, 60
"""Of a did-you-mean: comparing words takes the product of their lengths."""


@dataclass(frozen=True)
class Diagnostic:
    """One mistake: its code (`nasir explain CODE`), what is wrong, where, and how to mend it. Codes that begin with W
    are warnings: the program means something, most likely not what was meant."""

    code: str
    message: str
    span: Span | None = None
    hints: tuple[str, ...] = ()
    related: tuple[tuple[Span, str], ...] = ()

    @property
    def is_warning(self) -> bool:
        return self.code.startswith("W")


class CompileError(Exception):
    """Raised at the end of a stage with every mistake that the stage found."""

    def __init__(self, diagnostics: Sequence[Diagnostic] | Diagnostic) -> None:
        found = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        assert found, "an error has a diagnostic"
        self.diagnostics = distinct(found)
        super().__init__("\n".join(f"{d.span or '-'}: {d.code}: {d.message}" for d in self.diagnostics))


def distinct(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """In the order of the text, each mistake once: a block that is used twice is wrong in one place."""
    once: dict[tuple[object, ...], Diagnostic] = {}
    for diagnostic in diagnostics:
        once.setdefault((diagnostic.code, diagnostic.span, diagnostic.message), diagnostic)
    return tuple(sorted(once.values(), key=_place))


def _place(diagnostic: Diagnostic) -> tuple[str, int]:
    span = diagnostic.span
    return (span.source.name, span.start) if span else ("", 0)


def closest(word: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """A did-you-mean hint for `word`, or nothing where no candidate is near."""
    names = sorted({name for name in candidates if len(name) <= _LONGEST_WORD})
    if len(word) > _LONGEST_WORD or len(names) > _MOST_CANDIDATES:
        return ()
    near = get_close_matches(word, names, n=1, cutoff=0.65)
    return (f"did you mean `{near[0]}`?",) if near else ()
