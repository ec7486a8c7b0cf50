"""What a job starts from: weights, another run's supernet, a teacher. Each is told where the job does not go on."""

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from nasir.lang.settings import Settings
from nasir.runs.plan import Job
from nasir.runs.shared import shared_of
from nasir.runs.teaching import teacher_of
from nasir.runs.weights import show_start, start_of, supernet_start
from nasir.searching.loop import Search
from nasir.searching.strategy import check_serves
from nasir.weights import Weights


def with_supernet_start(job: Job, weights: Weights | None, loop: Search) -> Job:
    """The job with the weights that its supernet started from, where the space names a file."""
    if weights is None or loop.started is None:
        return job
    start = supernet_start(weights, loop.started)
    if not job.resumes:
        show_start(start, job.console)
    return replace(job, start=start)


def with_supernet(job: Job, strategy: str) -> Job:
    """The job with the supernet of another run, where one is named."""
    path = job.request.supernet
    if path is None:
        return job
    check_serves(strategy)
    shared = job.ranks.lead(lambda: shared_of(path))
    if not job.resumes:
        job.console.print(f"the supernet is that of {path}", markup=False, soft_wrap=True)
    return replace(job, shared=shared)


def with_start(job: Job, network: Callable[[], nn.Module]) -> Job:
    """The job with the weights that its network starts from, where they are given."""
    path = job.request.init
    if path is None:
        return job
    start = job.ranks.lead(lambda: start_of(path, network()))
    if not job.resumes:
        show_start(start, job.console)
    return replace(job, start=start)


def of_its_own(job: Job, settings: Settings) -> Settings:
    """The settings of a training by itself: there is no search that it could take weights from."""
    if settings.train.init == "anew":
        return settings
    if job.start is None and not job.resumes:
        words = "`init = sliced` is for what ends a search: this training starts anew; `--init FILE` gives it weights"
        job.console.print(words, style="yellow", markup=False, soft_wrap=True)
    return replace(settings, train=replace(settings.train, init="anew"))


def with_teacher(job: Job) -> Job:
    """The job with its teacher, where one is named."""
    path = job.request.teacher
    if path is None:
        return job
    teacher = job.ranks.lead(lambda: teacher_of(path))
    teacher.network(job.data)  # what it does not teach is said before the search
    if not job.resumes:
        teacher.show(job.console)
    return replace(job, teacher=teacher)
