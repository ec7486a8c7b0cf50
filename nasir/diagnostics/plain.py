"""Text of users, files and data as a terminal may show it."""

import re

# C0 and C1 controls, delete, line and paragraph separators, marks and overrides of writing direction, and what shows as
# nothing: a terminal obeys the first, and the others make a line read as what it is not.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def plain(text: str) -> str:
    """The text with a visible sign, of one column, for each character that a terminal obeys or does not show; tabs and
    line ends stay."""
    return _HARMFUL.sub(_sign, text)


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)  # the control pictures: ␛ for escape
    return "\u2421" if code == 0x7F else "\ufffd"
