"""Documents, which say where a line may end, and the printer that lays them out within a width.

Comments are no part of a document. The printer counts the tokens that it writes, and puts each comment between the two
tokens between which it stood. What it writes is a function of the document and of the gaps, and its text has the same
gaps: so laying out twice changes nothing.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

INDENT = 2
_SHORT = 50  # columns; a bracket that is no longer is opened only where nothing else helps


@dataclass(frozen=True)
class Comment:
    """A comment; `own_line` where nothing stands before it on its line, `after_blank` where a blank line does."""

    text: str
    own_line: bool = True
    after_blank: bool = False


@dataclass(frozen=True)
class Gap:
    """What stands between two tokens; `blank` where a blank line is right before the second. Only the first comment can
    stand on the line of the first token."""

    comments: tuple[Comment, ...] = ()
    blank: bool = False


Gaps = Mapping[int, Gap]
"""By the number of tokens before each. Commas and parentheses that only group are no tokens here: they come and go."""


class Doc:
    """A part of a text."""

    @cached_property
    def tokens(self) -> int:
        raise NotImplementedError

    @cached_property
    def flat(self) -> str | None:
        """The part on one line; None where it cannot stand on one."""
        raise NotImplementedError

    @cached_property
    def can_break(self) -> bool:
        return False

    @cached_property
    def lead(self) -> tuple[int, bool]:
        """The columns up to where the line would end first, and whether it can end within the part at all."""
        return len(self.flat or ""), False


@dataclass(frozen=True)
class Token(Doc):
    """A word or sign of the language that every layout has."""

    text: str

    @cached_property
    def tokens(self) -> int:
        return 1

    @cached_property
    def flat(self) -> str | None:
        return self.text


@dataclass(frozen=True)
class Mark(Doc):
    """Blanks, a comma or a grouping parenthesis; comments stand before one that `opens`, and behind the others."""

    text: str
    opens: bool = False

    @cached_property
    def tokens(self) -> int:
        return 0

    @cached_property
    def flat(self) -> str | None:
        return self.text


@dataclass(frozen=True)
class Joined(Doc):
    """Parts one after another. The first is no blank and no comma."""

    parts: tuple[Doc, ...]

    @cached_property
    def tokens(self) -> int:
        return sum(part.tokens for part in self.parts)

    @cached_property
    def flat(self) -> str | None:
        return _flat(self.parts, "")

    @cached_property
    def can_break(self) -> bool:
        return any(part.can_break for part in self.parts)

    @cached_property
    def lead(self) -> tuple[int, bool]:
        return _lead(self.parts, 0)


@dataclass(frozen=True)
class Filled(Doc):
    """Parts with blanks between them, as many on a line as fit; later lines begin below the first part."""

    parts: tuple[Doc, ...]
    between: str = " "

    @cached_property
    def tokens(self) -> int:
        return sum(part.tokens for part in self.parts)

    @cached_property
    def flat(self) -> str | None:
        return _flat(self.parts, self.between)

    @cached_property
    def can_break(self) -> bool:
        return len(self.parts) > 1 or any(part.can_break for part in self.parts)

    @cached_property
    def lead(self) -> tuple[int, bool]:
        columns, ends = self.parts[0].lead
        return columns, ends or len(self.parts) > 1


@dataclass(frozen=True)
class Bracket(Doc):
    """Parts between two tokens, on one line or indented on lines of their own: one a line, `filled` where no comment
    stands between them, or as a `body`, which is never on one line and keeps the author's blank lines."""

    opening: str
    parts: tuple[Doc, ...]
    closing: str
    style: Literal["lines", "filled", "body"]
    inside: str = ""
    """What stands behind the opening and before the closing where all is on one line."""

    @cached_property
    def tokens(self) -> int:
        return 2 + sum(part.tokens for part in self.parts)

    @cached_property
    def flat(self) -> str | None:
        if not self.parts:
            return self.opening + self.closing
        if self.style == "body":
            return None
        parts = _flat(self.parts, " ")
        return None if parts is None else f"{self.opening}{self.inside}{parts}{self.inside}{self.closing}"

    @cached_property
    def can_break(self) -> bool:
        return bool(self.parts)

    @cached_property
    def lead(self) -> tuple[int, bool]:
        if self.flat is not None and (len(self.flat) <= _SHORT or not self.parts):
            return len(self.flat), False
        return len(self.opening), True


@dataclass(frozen=True)
class Unbroken(Doc):
    """A part that no width breaks: a row of a table."""

    part: Doc

    @cached_property
    def tokens(self) -> int:
        return self.part.tokens

    @cached_property
    def flat(self) -> str | None:
        return self.part.flat


def _flat(parts: Sequence[Doc], between: str) -> str | None:
    texts = [part.flat for part in parts]
    return None if None in texts else between.join(text or "" for text in texts)


def _lead(parts: Sequence[Doc], after: int) -> tuple[int, bool]:
    columns = 0
    for part in parts:
        more, ends = part.lead
        columns += more
        if ends:
            return columns, True
    return columns + after, False


class Printer:
    """Lays out documents; `width` is the longest line where it can be helped."""

    def __init__(self, gaps: Gaps, width: float) -> None:
        self._gaps = gaps
        self._commented = sorted(place for place, gap in gaps.items() if gap.comments)
        self._width = width
        self._lines: list[str] = []
        self._line = ""
        self._indent = 0  # of the line
        self._place = 0  # tokens written
        self._passed = -1  # the place whose gap is written

    def items(self, parts: Sequence[Doc], apart: Sequence[bool]) -> str:
        """The parts on lines of their own, a blank line before those that stand `apart` from the one before."""
        for part, blank in zip(parts, apart, strict=True):
            if self._place:
                self._break(0, blanks="kept", parted=blank)
            elif self._gap():
                self._break(0, blanks="kept")
            self._put(part, INDENT, 0)
        self._break(0, blanks="kept")
        return "\n".join(self._lines).strip("\n")

    def _put(self, doc: Doc, indent: int, after: int) -> None:
        """Write a part. Lines that end in it go on at `indent`; `after` columns stand behind its last line."""
        if doc.tokens or (isinstance(doc, Mark) and doc.opens):
            self._pass_comments(indent)
        text = doc.flat
        if text is not None and not self._has_comments(doc) and self._fits(doc, text, after):
            self._write(text, doc.tokens)
            return
        match doc:
            case Joined(parts):
                for i, part in enumerate(parts):
                    self._put(part, indent, _lead(parts[i + 1 :], after)[0])
            case Filled():
                self._fill(doc, after)
            case Bracket():
                self._open(doc, indent, after)
            case Unbroken(part):
                width, self._width = self._width, math.inf
                self._put(part, indent, after)
                self._width = width
            case _:
                raise AssertionError("a token has no gap in it")

    def _fits(self, doc: Doc, text: str, after: int) -> bool:
        return not doc.can_break or len(self._line) + len(text) + after <= self._width

    def _fill(self, doc: Filled, after: int) -> None:
        first, *rest = doc.parts
        indent = len(self._line)
        self._put(first, indent, 0 if rest else after)
        for i, part in enumerate(rest):
            behind = after if i == len(rest) - 1 else 0
            if self._ends_before(part, doc.between, indent, behind):
                self._break(indent)
            else:
                self._write(doc.between, 0)
            self._put(part, indent, behind)

    def _ends_before(self, part: Doc, between: str, indent: int, after: int) -> bool:
        """Whether a part goes on a line of its own: where it fits there, and not here; or neither, and not even its
        first line here."""
        if self._gap().comments:
            return True
        column = len(self._line) + len(between)
        if part.flat is not None and not self._has_comments(part):
            if column + len(part.flat) + after <= self._width:
                return False
            if indent + len(part.flat) + after <= self._width:
                return True
        columns, ends = part.lead
        return column + columns > self._width or not (ends or self._has_comments(part))

    def _open(self, doc: Bracket, indent: int, after: int) -> None:
        """A bracket on several lines; they are indented from the line that opens it."""
        outer, inner = self._indent, self._indent + INDENT
        first, later = ("later", "kept") if doc.style == "body" else ("none", "none")
        filled = doc.style == "filled" and not self._has_comments(doc)
        parts = (Filled(doc.parts),) if filled else doc.parts
        self._put(Token(doc.opening), indent, 0)
        for i, part in enumerate(parts):
            self._break(inner, later if i else first)
            self._put(part, inner + INDENT, 0)
        self._close(outer, inner, later if parts else first)
        self._put(Token(doc.closing), outer, after)

    def _close(self, outer: int, inner: int, blanks: str) -> None:
        """The end of the last line in a bracket: the comments before the closing token belong inside."""
        gap = self._gap()
        if gap.comments:
            self._comments(gap.comments, inner, blanks)
            self._passed = self._place
        self._end_line(outer)

    # Gaps

    def _gap(self) -> Gap:
        """The gap at the place, where it is not yet written."""
        return self._gaps.get(self._place, Gap()) if self._passed != self._place else Gap()

    def _has_comments(self, doc: Doc) -> bool:
        """Whether comments stand between the tokens of a part that begins here."""
        i = bisect_right(self._commented, self._place)
        return i < len(self._commented) and self._commented[i] < self._place + doc.tokens

    def _pass_comments(self, indent: int) -> None:
        """Write the comments before a token, where no end of a line has done so."""
        if self._gap().comments:
            self._break(indent)

    def _break(self, indent: int, blanks: str = "none", parted: bool = False) -> None:
        """End the line, and write the gap. Its blank lines are `kept`, or all but a first one (`later`), or `none`;
        where it has none, a gap that is to be `parted` begins with one."""
        gap = self._gap()
        own = [comment for comment in gap.comments if comment.own_line]
        parted = parted and not gap.blank and not any(comment.after_blank for comment in own)
        self._comments(gap.comments, indent, blanks, parted)
        kept = gap.blank and (blanks == "kept" or (blanks == "later" and bool(own)))
        self._end_line(indent, kept or (parted and not own))
        self._passed = self._place

    def _comments(self, comments: Sequence[Comment], indent: int, blanks: str, parted: bool = False) -> None:
        first = True
        for comment in comments:
            if not comment.own_line:
                self._line = f"{self._line.rstrip()}  {comment.text}"
                continue
            kept = comment.after_blank and (blanks == "kept" or (blanks == "later" and not first))
            self._end_line(indent, kept or (parted and first))
            self._line += comment.text
            first = False

    # Lines

    def _write(self, text: str, tokens: int) -> None:
        self._line += text if self._line.strip() else text.lstrip()
        self._place += tokens

    def _end_line(self, indent: int, blank: bool = False) -> None:
        if self._line or self._lines:
            self._lines += [self._line.rstrip(), ""] if blank else [self._line.rstrip()]
        self._line = " " * indent
        self._indent = indent
