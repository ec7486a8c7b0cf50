"""TensorBoard events of a run, for those who watch several at once."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from nasir.diagnostics import CompileError, Diagnostic
from nasir.search.run_folder import RunFolder


@contextmanager
def log_events(folder: RunFolder, wanted: bool) -> Generator[None]:
    """Writes each line of metrics.jsonl to `RUN/events` as well, a scalar a number.

    Raises:
        CompileError: where TensorBoard is not installed.
    """
    if not (wanted and folder.writes):
        yield
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        hint = "pip install 'nasir[tensorboard]'"
        raise CompileError(Diagnostic("E0906", "`--tensorboard` needs TensorBoard", hints=(hint,))) from None
    writer = SummaryWriter(str(folder.path / "events"))  # pyright: ignore[reportUnknownVariableType]

    def write(name: str, line: Mapping[str, Any]) -> None:
        if name != "metrics.jsonl":
            return
        for key, value in line.items():
            if key not in {"phase", "epoch"} and value is not None:
                writer.add_scalar(f"{line['phase']}/{key}", value, line["epoch"])  # pyright: ignore[reportUnknownMemberType]
        writer.flush()  # pyright: ignore[reportUnknownMemberType]

    folder.on_line = write
    try:
        yield
    finally:
        folder.on_line = None
        writer.close()  # pyright: ignore[reportUnknownMemberType]
