"""Workers that are processes of this machine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Pipe, wait
from pickle import loads
from typing import Any

from nasir.jobs.answers import Answer
from nasir.jobs.signals import WORKS_FOR


class Processes:
    """So many workers, each begun when there is a job for it, each with so many threads."""

    def __init__(self, count: int, threads: int) -> None:
        self.room = count
        self._environment = {**os.environ, "OMP_NUM_THREADS": str(threads), WORKS_FOR: str(os.getpid())}
        self._idle: list[_Worker] = []
        self._busy: dict[_Worker, int] = {}

    def start(self, number: int, job: bytes) -> None:
        """Give it to a worker that has nothing to do."""
        worker = self._idle.pop() if self._idle else _Worker(self._environment)
        self._busy[worker] = number
        with suppress(OSError):  # it was killed: it has no answer either
            worker.connection.send_bytes(job)

    def answers(self, seconds: float) -> Iterator[tuple[int, Answer]]:
        """As they come."""
        connections: dict[Any, _Worker] = {worker.connection: worker for worker in self._busy}
        for connection in wait(connections, seconds):
            worker = connections[connection]
            number = self._busy.pop(worker)
            try:
                answer = loads(worker.connection.recv_bytes())
                self._idle.append(worker)
            except (EOFError, OSError):
                answer = Answer(lost=worker.end())
            yield number, answer

    def end(self) -> None:
        """Tell all to stop, and wait until they have."""
        workers = [*self._idle, *self._busy]
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.end()


class _Worker:
    """A process that answers through a socket."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            # -P: without it Python looks for modules in the current folder first, which may be a stranger's.
            life = f"from nasir.jobs.answers import serve; serve({theirs.fileno()})"
            # A session of its own: of a Ctrl-C it hears from us alone, for a second signal would end it at once.
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", life],
                env=environment,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def end(self) -> str:
        """Wait for its end, and end what it has started; how it ended."""
        self.connection.close()
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)  # while it is not buried its number is its own
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        status = self.process.wait()
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"
