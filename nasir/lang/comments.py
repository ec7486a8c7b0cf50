"""The comments and blank lines of a text, by the tokens between which they stand."""

import re
from collections.abc import Iterator

from nasir.diagnostics import Source
from nasir.lang.layout import Comment, Gap, Gaps
from nasir.lang.parser import tokens

_COMMENT_OR_LINE_END = re.compile(r"#[^\n]*|\n")
_ENDS_VALUE = {"NAME", "NUMBER", "PAIR", "STRING", "TRUE", "FALSE", "RPAR", "RBRACE"}
"""Behind one of these, a parenthesis opens arguments or parameters."""


def gaps(source: Source) -> Gaps:
    """The gaps of a file that parses, of those that hold something."""
    found: dict[int, Gap] = {}
    place = 0
    comments: list[Comment] = []
    blank = False
    for between, is_counted in _between(source):
        new, blank = _read(between, at_start=place == 0 and not comments)
        comments += new
        if is_counted:
            if comments or blank:
                found[place] = Gap((*comments[:1], *map(_alone, comments[1:])), blank)
            comments = []
            place += 1
    return found


def comments(found: Gaps) -> list[str]:
    """The comments of a file's gaps, in their order."""
    return [comment.text for place in sorted(found) for comment in found[place].comments]


def _between(source: Source) -> Iterator[tuple[str, bool]]:
    """The text before each token, and whether the token counts: commas do not, nor do parentheses that group. The end
    of the file is one that does."""
    end = 0
    before = ""
    opened: list[bool] = []
    for token in tokens(source):
        is_counted = token.type != "COMMA"
        if token.type == "LPAR":
            opened.append(before in _ENDS_VALUE)
            is_counted = opened[-1]
        elif token.type == "RPAR":
            is_counted = opened.pop()
        yield source.text[end : token.start_pos], is_counted
        end = token.end_pos or 0
        before = token.type
    yield source.text[end:], True


def _read(between: str, at_start: bool) -> tuple[list[Comment], bool]:
    """The comments between two tokens, and whether a blank line stands before the second."""
    found: list[Comment] = []
    line_ends = 0
    begins = at_start
    for match in _COMMENT_OR_LINE_END.finditer(between):
        if match[0] == "\n":
            line_ends += 1
            continue
        found.append(Comment(match[0].rstrip(), begins or line_ends > 0, line_ends > 1))
        line_ends, begins = 0, False
    return found, line_ends > 1


def _alone(comment: Comment) -> Comment:
    """A comment that cannot stand behind its token, for another one does."""
    return Comment(comment.text, True, comment.after_blank)
