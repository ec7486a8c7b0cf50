"""Many jobs by a few workers, processes of this machine or a cluster's: each result once, a job whose worker dies done
again by another. Nothing here imports torch."""

import itertools
import pickle
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from nasir.diagnostics import CompileError
from nasir.jobs import mistakes
from nasir.jobs.answers import Answer
from nasir.jobs.machine import cores, given_threads
from nasir.jobs.signals import Stopped, pausing

T = TypeVar("T")
LOCAL, RAY = "local", "ray"
_LOOK_EVERY = 0.2  # seconds
_MOST_WORKERS = 5
"""So many workers may one job lose before it is given up: it may be what kills them."""


@dataclass(frozen=True)
class Job(Generic[T]):
    """Something that a worker does. `key` is its name among the jobs; `do` is a function of a module that workers can
    import, or a `partial` of one. It is pickled, as its result is. Done again, it gives the same, or goes on from what
    it saved. What it prints is lost."""

    key: str
    do: Callable[[], T]


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What became of a job."""

    key: str
    value: T | None
    error: CompileError | None = None

    def result(self) -> T:
        """What the job returned.

        Raises:
            CompileError: as the job did, or where its workers died one after the other.
        """
        if self.error is not None:
            raise self.error
        return cast(T, self.value)


class Place(Protocol):
    """Where jobs are done, each known by its number."""

    @property
    def room(self) -> int:
        """So many jobs at a time."""
        ...

    def start(self, number: int, job: bytes) -> None:
        """Give a worker a job, which `answers.answered` does."""
        ...

    def answers(self, seconds: float) -> Iterable[tuple[int, Answer]]:
        """Of the jobs that are started, what has come to an end within so many seconds."""
        ...

    def end(self) -> None:
        """End all workers; their jobs save what they save where they are told to stop."""
        ...


class Pool:
    """Does jobs in a place."""

    def __init__(self, place: Place, tell: Callable[[str], None]) -> None:
        self._place, self._tell = place, tell
        self._numbers = itertools.count()

    def run(self, jobs: Sequence[Job[T]]) -> Iterator[Outcome[T]]:
        """What became of each job, exactly once, as they end; who writes a file brings them into the jobs' order.

        Raises:
            RuntimeError: where a job raises what is no `CompileError`, with its traceback.
            Stopped: where a signal ended it. The end of the pool ends the jobs that run.
        """
        waiting, running = deque(jobs), dict[int, Job[T]]()
        lost = Counter[str]()
        with pausing() as pauses:
            while waiting or running:
                if pauses.signal:
                    raise Stopped(pauses.signal)
                while waiting and len(running) < self._place.room:
                    running[number := next(self._numbers)] = job = waiting.popleft()
                    self._place.start(number, pickle.dumps(job.do))
                for number, answer in self._place.answers(_LOOK_EVERY):
                    if number not in running:
                        continue  # of a run that was left before its end
                    job = running.pop(number)
                    lost[job.key] += bool(answer.lost)
                    if answer.lost and lost[job.key] < _MOST_WORKERS:
                        self._tell(f"{job.key}: its worker ended ({answer.lost}); another one goes on")
                        waiting.appendleft(job)
                    else:
                        yield _outcome(job.key, answer)


def _outcome(key: str, answer: Answer) -> Outcome[Any]:
    if answer.fault:
        raise RuntimeError(f"{key}:\n{answer.fault}")
    if answer.lost:
        return Outcome(key, None, mistakes.workers_lost(key, _MOST_WORKERS, answer.lost))
    return Outcome(key, answer.value, CompileError(answer.wrong) if answer.wrong else None)


@contextmanager
def pool(
    on: str = LOCAL,
    *,
    at_once: int | None = None,
    cpus: int | None = None,
    gpus: float = 0.0,
    tell: Callable[[str], None] = print,
) -> Generator[Pool]:
    """A pool `on` processes of this machine (`local`) or a Ray cluster (`ray`, `ray://HOST:PORT`), `at_once` jobs at a
    time: here one, of a cluster as many as fit. Each job has `cpus` cores and as many threads (here its share of the
    cores, of a cluster one; or what OMP_NUM_THREADS says), and of a cluster `gpus` GPUs, or a share of one. `tell` is
    told of workers that died. Where it ends, so do the workers.

    Raises:
        CompileError: where there is no such cluster, or no machine of it has as much.
    """
    place = _place(on, at_once, cpus or given_threads(), gpus)
    try:
        yield Pool(place, tell)
    finally:
        place.end()


def _place(on: str, at_once: int | None, cpus: int | None, gpus: float) -> Place:
    if on == LOCAL:
        from nasir.jobs.processes import Processes

        count = at_once or 1
        return Processes(count, cpus or max(1, cores() // count))
    from nasir.jobs.cluster import Cluster

    return Cluster("" if on == RAY else on, at_once, cpus or 1, gpus)
