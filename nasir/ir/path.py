"""Places of the program as values.

Nodes, regions, decisions and dims are named after the place that made them: `trunk.3:ir_k3.project.conv` is the step
`conv` of the flow `project` in the alternative `ir_k3` of the layer `trunk.3`. A `Path` is such a name; it is a string,
so that names compare and print as what they are.
"""

import re
from collections.abc import Callable, Container, Iterator

ALTERNATIVE = ":"
_ALTERNATIVE_PART = re.compile(rf"{ALTERNATIVE}\w+")


class Path(str):
    """A name with what can be read from it. What is around it is a path too; the top of the network is empty."""

    __slots__ = ()

    @property
    def parent(self) -> "Path":
        """The flow, block or table around it, the layer of an alternative left out: `a:b.c` is in `a:b`, `a:b` where
        `a` is."""
        return Path(self.rpartition(".")[0])

    @property
    def parents(self) -> Iterator["Path"]:
        """`parent`, its parent, and so on, the innermost first."""
        around = self.parent
        while around:
            yield around
            around = around.parent

    @property
    def scopes(self) -> Iterator["Path"]:
        """Every scope around it, layers of alternatives too, the innermost first: `a:b.c` is in `a:b` and in `a`."""
        end = max(self.rfind("."), self.rfind(ALTERNATIVE))
        while end > 0:
            yield Path(self[:end])
            end = max(self.rfind(".", 0, end), self.rfind(ALTERNATIVE, 0, end))

    @property
    def last(self) -> str:
        """The name within its parent."""
        return self.rpartition(".")[2]

    @property
    def first(self) -> str:
        """The outermost of its names."""
        return self.partition(".")[0]

    @property
    def layer(self) -> "Path":
        """What is outside of every alternative: the layer that it may be an alternative of, or in one of."""
        return Path(self.partition(ALTERNATIVE)[0])

    @property
    def home(self) -> "Path":
        """The innermost alternative that it is in; empty where it is in none."""
        inner = self.rpartition(ALTERNATIVE)
        return Path(f"{inner[0]}{inner[1]}{Path(inner[2]).first}") if inner[1] else Path("")

    @property
    def flat(self) -> "Path":
        """The path without its alternatives: what the chosen one's nodes are called in a network."""
        return Path(_ALTERNATIVE_PART.sub("", self))

    @property
    def is_alternative(self) -> bool:
        """Whether it is an alternative or in one."""
        return ALTERNATIVE in self

    @property
    def order(self) -> tuple[tuple[int, int, str], ...]:
        """Sorts paths as one reads them: parents first, layer 10 after layer 9."""
        parts = self.replace(ALTERNATIVE, ".").split(".")
        return tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts)

    def within(self, scope: str) -> str:
        """The name as it is within a scope around it: `.conv` of a step, `:ir_k3` of an alternative; the whole name
        where it is somewhere else."""
        rest = self[len(scope) :]
        return rest if scope and self.startswith(scope) and rest[:1] in {".", ALTERNATIVE} else str(self)

    def alternative(self, option: str) -> "Path":
        """One of its alternatives."""
        return Path(f"{self}{ALTERNATIVE}{option}")


def fresh(name: str, taken: Container[str], form: str = "{}_{}") -> str:
    """`name`, or the first of `name_2`, `name_3`, ... that is not taken."""
    return first_free(name, taken.__contains__, form)


def first_free(name: str, is_taken: Callable[[str], bool], form: str = "{}_{}") -> str:
    """`name`, or the first of `name_2`, `name_3`, ... that is not taken."""
    free, count = name, 1
    while is_taken(free):
        count += 1
        free = form.format(name, count)
    return free
