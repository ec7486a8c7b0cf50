"""What a long run shows: a bar on a terminal, a line an epoch elsewhere."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Report(Protocol):
    """Told once an epoch how things are."""

    def __call__(self, epoch: int, values: dict[str, str]) -> None: ...


@contextmanager
def progress(console: Console, title: str, epochs: int, start: int = 0) -> Generator[Report]:
    """Shows `epochs` epochs of `title`, from `start` on."""
    if not console.is_terminal:

        def plain(epoch: int, values: dict[str, str]) -> None:
            shown = "  ".join(f"{name} {value}" for name, value in values.items())
            console.print(f"{title} {epoch + 1}/{epochs}  {shown}", highlight=False, soft_wrap=True)

        yield plain
        return
    columns = (
        TextColumn(title),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[shown]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=epochs, completed=start, shown="")

        def live(epoch: int, values: dict[str, str]) -> None:
            shown = "  ".join(f"[dim]{name}[/] {value}" for name, value in values.items())
            bar.update(task, completed=epoch + 1, shown=shown)

        yield live


class Stages(Protocol):
    """Told of each stage how much of it is done, and of how much."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """`Stages` that nobody sees."""


@contextmanager
def stages(console: Console) -> Generator[Stages]:
    """Shows the stages of a long job: a bar each on a terminal, elsewhere a line as each begins and ends."""
    if not console.is_terminal:
        begun: set[str] = set()

        def plain(stage: str, done: int, total: int) -> None:
            if stage not in begun or done == total:
                begun.add(stage)
                console.print(f"{stage} {done:,}/{total:,}", highlight=False, soft_wrap=True)

        yield plain
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, TaskID] = {}

        def live(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done)

        yield live
