"""A run repeated from its folder alone (`nasir search --from RUN`)."""

import json
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasir.api import Space, load
from nasir.files import Unreadable, parse_json, read_regular
from nasir.jobs.machine import rank_count
from nasir.named import PYTHON
from nasir.runs import mistakes
from nasir.runs.plan import plain_settings
from nasir.runs.request import Request, anchor, whole

COMPARED = ("arch.nas", "choices.json", "metrics.jsonl", "model.py", "model.safetensors", "probabilities.jsonl")
"""Files of a run that its repetition writes again, byte by byte."""


def repeat(run: Path, asked: Request, named: Collection[str]) -> tuple[Space, Request]:
    """The space and the request of a run, with as many threads; `named` are the options that `asked` gives of its own.
    Data that a user's code makes (`python:`) must be named again, and a loss of a user's code is not repeated, for a
    run folder is data, and may be another's: it runs no code on its own.

    Raises:
        CompileError: where the folder holds no run, one of other data than those named, or one that its folder alone
            does not repeat.
    """
    try:
        plan: dict[str, Any] = parse_json(read_regular(run / "plan.json"))
        if not os.path.isfile(run / "space.nas"):
            raise ValueError("of a training")
        request = asked.repeat(plan, named)
        loaded = load(run / "space.nas")
        settings = request.settle(loaded.settings)
        data, as_used = str(plan["data"]), plan["settings"]
        ranks = whole("ranks", plan["ranks"], 1)
    except (Unreadable, ValueError, KeyError, TypeError, AttributeError):  # whatever was done to the file
        raise mistakes.nothing_to_repeat(run) from None
    if anchor(request.data) != data or (data.startswith(PYTHON) and "data" not in named):
        raise mistakes.repeated_on_other_data(run, data)
    if "loss" in plan or str(request.loss_named).startswith(PYTHON):
        raise mistakes.loss_from_python(run)
    if json.loads(json.dumps(plain_settings(settings))) != as_used:
        raise mistakes.settings_from_python(run)
    for key, named_again, what, option in (
        ("teacher", asked.teacher, "a teacher", "--teacher RUN"),
        ("supernet", asked.supernet, "the supernet of another run", "--supernet RUN"),
    ):
        if key in plan and named_again is None:
            raise mistakes.repeated_without(run, what, f"name that again: `{option}`")
    if (init := settings.search.init) and not os.path.isfile(run / init):
        what = f"the weights of `{init}`, which it does not keep"
        raise mistakes.repeated_without(run, what, f"put them at `{run / init}`")
    if ranks != rank_count():
        raise mistakes.other_ranks(run, ranks)
    return replace(loaded, settings=settings), replace(request, data=data)
