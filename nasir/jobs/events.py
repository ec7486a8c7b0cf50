"""TensorBoard events of a run, for those who watch several at once."""

import importlib.util
from collections.abc import Mapping
from functools import partial
from typing import Any

from nasir.jobs import mistakes
from nasir.jobs.folder import EVENTS, RunFolder


def check_events() -> None:
    """Events can be written.

    Raises:
        CompileError: where TensorBoard is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise mistakes.no_tensorboard()


class Events:
    """Writes each line of metrics.jsonl to `RUN/events` as well, a scalar a number, from the first line on."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder.path / EVENTS
        self._check = partial(folder.check_place, f"{EVENTS}/events")  # it makes the folder itself
        self._writer: Any = None
        folder.on_line = self._write

    def _write(self, name: str, line: Mapping[str, Any]) -> None:
        if name != "metrics.jsonl":
            return
        try:
            self._add(line)
        except OSError as error:
            raise mistakes.events_not_written(self._folder, error) from None

    def _add(self, line: Mapping[str, Any]) -> None:
        if self._writer is None:
            self._check()
            from torch.utils.tensorboard import SummaryWriter  # takes a second

            # What a killed search wrote after its last state is written again.
            purged = line["epoch"] if line["phase"] == "search" else None
            self._writer = SummaryWriter(str(self._folder), purge_step=purged)
        for key, value in line.items():
            if key not in {"phase", "epoch"} and value is not None:
                self._writer.add_scalar(f"{line['phase']}/{key}", value, line["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """At the end of the run."""
        if self._writer is not None:
            self._writer.close()
