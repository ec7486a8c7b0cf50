"""What each code means: one document a code, `docs/errors/CODE.md`, which `nasir explain` prints and the tests run.

E01 syntax, E02 names and imports, E03 evaluation, E04 shapes, E05 settings, E06 options, E07 files, E08 data and
training, E09 run folders and devices; W the same, as warnings. Nothing is read before it is asked for.
"""

import re
from dataclasses import dataclass
from textwrap import fill, indent

from nasir.resources import folder

_WIDTH = 88
_MARGIN = 2
_FORM = re.compile(
    r"# (?P<code>[EW]\d{4}): (?P<title>[^\n]+)\n"
    r"\n(?P<meaning>.+?)\n"
    r"(\n## Wrong\n\n```(nas|console)\n(?P<wrong>.*?)```\n)?"
    r"(\n## Says\n\n```text\n(?P<says>.*?)```\n)?"
    r"(\n## Right\n\n```(nas|console)\n(?P<right>.*?)```\n)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class Document:
    """One kind of mistake. `meaning` is in paragraphs. `wrong` and `right` are whole programs, or command lines; `says`
    is what nasir prints for a wrong program. Each of the three may be missing."""

    code: str
    title: str
    meaning: tuple[str, ...]
    wrong: str = ""
    says: str = ""
    right: str = ""

    def text(self) -> str:
        """The document as `nasir explain` prints it."""
        parts = [f"{self.code}: {self.title}", *(_wrapped(paragraph, _WIDTH) for paragraph in self.meaning)]
        says = "\n".join(_wrapped(line, _WIDTH - _MARGIN, hanging=4) for line in self.says.splitlines())
        for label, example in (("Wrong:", self.wrong), ("Says:", says), ("Right:", self.right)):
            if example:
                parts.append(f"{label}\n{indent(example.rstrip(), ' ' * _MARGIN)}")
        return "\n\n".join(parts)


def codes() -> tuple[str, ...]:
    """Every code that has a document, in order."""
    return tuple(sorted(path.stem for path in folder("docs/errors").glob("*.md")))


def document(code: str) -> Document:
    """The document of a code that has one."""
    return parsed((folder("docs/errors") / f"{code}.md").read_text(encoding="utf-8"))


def parsed(text: str) -> Document:
    """The document that a Markdown text is."""
    found = _FORM.fullmatch(text)
    assert found, f"a document has a title, a meaning, and the sections Wrong, Says and Right: {text[:40]!r}"
    parts = found.groupdict(default="")
    meaning = tuple(" ".join(paragraph.split()) for paragraph in parts.pop("meaning").split("\n\n"))
    return Document(meaning=meaning, **parts)


def _wrapped(line: str, width: int, hanging: int = 0) -> str:
    """The line as it is, or as several where it is longer, none of which ends inside `--an-option`; the later ones are
    indented by `hanging`."""
    if len(line) <= width:
        return line
    return fill(line, width, subsequent_indent=" " * hanging, break_on_hyphens=False, break_long_words=False)
