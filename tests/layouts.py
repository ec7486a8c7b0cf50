"""Programs in layouts that nobody would choose, to try the formatter on: line ends, blanks and comments anywhere,
parentheses and commas that nothing needs."""

import random

from nasir.diagnostics import Source
from nasir.lang.comments import comments, gaps
from nasir.lang.parser import parse, tokens
from nasir.lang.reformat import formatted

_COMMENTS = ("#", "# two words", "#tight", "## says what it is", "##", '# ") } | { # é -> by', "#   wide  ")


def mangled(text: str, seed: int) -> str:
    """The program in a random layout; most of it differs in nothing but what a reader skips."""
    draw = random.Random(seed)
    often = draw.choice([0.02, 0.1, 0.4])  # how many gaps hold more than a blank
    found: list[str] = []
    for token in tokens(Source("program.nas", text)):
        word = f"({token})" if token.type == "NUMBER" and draw.random() < 0.1 else str(token)
        found += [_between(draw, often), word]
    return "".join([*found, _between(draw, often)])


def _between(draw: random.Random, often: float) -> str:
    if draw.random() > often:
        return draw.choice([" ", " ", " ", "  ", "\n", "\t"])
    forms = ["\n", "\n", "\n\n", "\n\n\n", " ", " {}\n", "\n{}\n"]
    return "".join(draw.choice(forms).replace("{}", draw.choice(_COMMENTS)) for _ in range(draw.randrange(1, 4)))


def assert_layout_keeps(text: str) -> None:
    """The laws of the layout: the same tree, the same comments in their order, and nothing left to change."""
    source = Source("program.nas", text)
    once = formatted(source)
    assert not once.mistakes
    again = Source("program.nas", once.text)
    assert formatted(again).text == once.text
    assert parse(again) == parse(source)
    assert comments(gaps(again)) == comments(gaps(source))
    assert not any(line != line.rstrip() for line in once.text.splitlines())
