"""A diagnostic, and the one exception that carries them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from nasir.diagnostics.source import Span


@dataclass(frozen=True)
class Diagnostic:
    """One mistake: its code (`nasir explain CODE`), what is wrong, where, and how to mend it."""

    code: str
    message: str
    span: Span | None = None
    hints: tuple[str, ...] = ()
    related: tuple[tuple[Span, str], ...] = ()


class CompileError(Exception):
    """Raised at the end of a stage with every mistake that the stage found."""

    def __init__(self, diagnostics: Sequence[Diagnostic] | Diagnostic) -> None:
        found = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        self.diagnostics = tuple(sorted(dict.fromkeys(found), key=_place))
        super().__init__("\n".join(f"{d.span or '-'}: {d.code}: {d.message}" for d in self.diagnostics))


def _place(diagnostic: Diagnostic) -> tuple[str, int]:
    span = diagnostic.span
    return (span.source.name, span.start) if span else ("", 0)


def closest(word: str, candidates: Iterable[str]) -> tuple[str, ...]:
    """A did-you-mean hint for `word`, or nothing where no candidate is near."""
    near = get_close_matches(word, sorted(set(candidates)), n=1, cutoff=0.6)
    return (f"did you mean `{near[0]}`?",) if near else ()
