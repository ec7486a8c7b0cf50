"""What a worker says of a job, and a worker's whole life."""

import pickle
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from nasir.diagnostics import CompileError, Diagnostic
from nasir.jobs.signals import Stopped


@dataclass(frozen=True)
class Answer:
    """What a job came to: one of its fields."""

    value: Any = None
    wrong: Sequence[Diagnostic] = ()
    """What it found wrong."""
    fault: str = ""
    """The traceback of what it raised else."""
    lost: str = ""
    """Why it is not known: its worker ended."""


def answered(job: bytes) -> bytes:
    """Do a pickled job; the answer, pickled."""
    try:
        return pickle.dumps(Answer(pickle.loads(job)()))
    except Stopped as stopped:
        answer = Answer(lost=f"signal {stopped.signal}")
    except CompileError as error:
        answer = Answer(wrong=error.diagnostics)
    except Exception:
        answer = Answer(fault=traceback.format_exc())
    return pickle.dumps(answer)


def serve(descriptor: int) -> None:
    """Do one job after the other, until whoever sends them through this socket goes."""
    connection = Connection(descriptor)
    while True:
        try:
            connection.send_bytes(answered(connection.recv_bytes()))
        except (EOFError, OSError):
            return
