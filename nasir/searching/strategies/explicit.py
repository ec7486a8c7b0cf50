"""Conventional DNAS (FBNet; FBNetV2, section 3.1): as `dmasking`, with a copy of the layers for each width in place of
masks. Memory and time grow with the number of widths, and no two widths share a weight: the baseline that masks
replace."""

from typing import ClassVar

from nasir.passes.pipeline import Strategy as Lowering
from nasir.searching import mistakes
from nasir.searching.strategies.dmasking import DMasking
from nasir.searching.strategy import Task


class Explicit(DMasking):
    """DMaskingNAS' search over explicit copies."""

    lowering: ClassVar[Lowering] = "explicit"

    def __init__(self, task: Task) -> None:
        """
        Raises:
            CompileError: where weights are given to start from: copies share none of them; or where a layer has
                several undecided widths.
        """
        if task.start is not None:
            raise mistakes.unused(task.settings.strategy, "`init`", "its widths share no weights")
        super().__init__(task)
