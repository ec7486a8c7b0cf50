"""compare.html: one self-contained page of several runs, made from their folders alone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from nasir.drawing.curves import Series, colour, plot
from nasir.files import write_atomically
from nasir.runs.comparing import differing, figures, names, networks
from nasir.runs.record import Record
from nasir.templates import template


def write_comparison(runs: Sequence[Record], out: Path) -> None:
    """Write a page with the runs' figures, curves and networks side by side.

    Raises:
        CompileError: where it cannot be written.
    """
    called = names(runs)
    page = template("compare.html.j2").render(
        names=called,
        colours=[colour(i) for i in range(len(runs))],
        figures=figures(runs),
        settings=differing(runs),
        curves=list(_curves(runs)),
        networks=networks(runs),
        pictures=[(name, run.network) for name, run in zip(called, runs, strict=True) if run.network],
        damage=[one.message for run in runs for one in run.damage],
    )
    write_atomically(out, page.encode("utf-8", "backslashreplace"))  # names of files may be no text at all


def _curves(runs: Sequence[Record]) -> Iterator[str]:
    """A picture for each figure that is told over the epochs, with all runs that tell it, each in its colour."""
    from_zero: dict[str, bool] = {}
    found: dict[str, list[Series]] = {}
    for i, (name, run) in enumerate(zip(names(runs), runs, strict=True)):
        for picture in run.pictures:
            lines = [one for one in picture.series if not one.dashed]
            bounds = [one for one in picture.series if one.dashed]
            for line in lines:
                title = f"{picture.title}: {line.name}" if len(lines) > 1 else picture.title
                from_zero[title] = picture.from_zero
                found.setdefault(title, []).extend(
                    Series(name, one.points, dashed=one.dashed, colour=colour(i)) for one in (line, *bounds)
                )
    for title, series in found.items():
        if any(one.points for one in series):
            yield plot(title, series, "epoch", from_zero=from_zero[title], legend=False)
