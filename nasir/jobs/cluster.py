"""Workers of a Ray cluster: one that there is, or one of this machine's cores for as long as the pool."""

import importlib
import os
import re
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from pickle import loads
from tempfile import TemporaryDirectory
from typing import Any

from nasir.jobs import mistakes
from nasir.jobs.answers import Answer, answered
from nasir.jobs.machine import cores

_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL"}
_STORE = 80 * 2**20
"""Bytes of shared memory for results, near the least that Ray takes."""
_HOST_AND_PORT = re.compile(r"(ray://)?\[?(?P<host>[^/\]]+)\]?:(?P<port>[0-9]+)")
_PATIENCE = 10.0
"""Seconds for a cluster to answer."""
_GRACE = 60.0
"""Seconds for jobs to save what they save."""


class Cluster:
    """Workers with so many CPUs and GPUs each, of the cluster at `address`; where that is empty, of the one that
    RAY_ADDRESS names, and else of one of our own."""

    def __init__(self, address: str, at_once: int | None, cpus: int, gpus: float) -> None:
        self.room = at_once or sys.maxsize
        self._cpus, self._gpus = cpus, gpus
        self._address = address or os.environ.get("RAY_ADDRESS", "")
        self._busy: dict[Any, int] = {}
        self._ray = _ray() if self._address else _ray_alone()
        with ExitStack() as left:
            # What Ray tells its workers of where to find modules has the current folder, which may be a stranger's.
            folder = left.enter_context(TemporaryDirectory(prefix="nasir-ray-", ignore_cleanup_errors=True))
            with chdir(folder):
                self._join() if self._address else self._begin(folder)
            left.callback(self._ray.shutdown)
            self._check_room()
            self._left = left.pop_all()
        self._do = self._ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(_answered)

    def _join(self) -> None:
        try:
            if found := _HOST_AND_PORT.fullmatch(self._address):  # Ray itself may wait for many minutes
                socket.create_connection((found["host"], int(found["port"])), _PATIENCE).close()
            self._ray.init(self._address, **_QUIET)
        except (OSError, OverflowError, RuntimeError, ValueError, self._ray.exceptions.RayError) as error:
            raise mistakes.no_cluster(self._address, error) from None

    def _begin(self, folder: str) -> None:
        options: dict[str, Any] = {"include_dashboard": False, "object_store_memory": _STORE, "_temp_dir": folder}
        self._ray.init("local", num_cpus=cores(), **options, **_QUIET)

    def _check_room(self) -> None:
        machines = [machine["Resources"] for machine in self._ray.nodes() if machine["Alive"]]
        wanted = {"CPU": self._cpus, "GPU": self._gpus}
        if not any(all(machine.get(name, 0) >= count for name, count in wanted.items()) for machine in machines):
            most = max(machines, key=lambda machine: (machine.get("GPU", 0), machine.get("CPU", 0)))
            raise mistakes.no_machine_for_it(wanted, {name: most.get(name, 0) for name in wanted})

    def start(self, number: int, job: bytes) -> None:
        """Queue it: Ray finds a machine."""
        self._busy[self._do.remote(job, self._cpus)] = number

    def answers(self, seconds: float) -> Iterator[tuple[int, Answer]]:
        """As they come."""
        first, _ = self._ray.wait(list(self._busy), timeout=seconds)
        for task in first:
            yield self._busy.pop(task), self._answer(task)

    def _answer(self, task: Any) -> Answer:
        errors = self._ray.exceptions
        try:
            return loads(self._ray.get(task))
        except errors.RayTaskError as error:
            raise mistakes.no_cluster(self._address, error.cause) from None
        except errors.RayError as error:
            return Answer(lost=type(error).__name__)

    def end(self) -> None:
        """Interrupt all, and wait until they have stopped; those that do not are killed."""
        with self._left:
            for task in self._busy:
                self._ray.cancel(task)
            if self._busy:
                self._ray.wait(list(self._busy), num_returns=len(self._busy), timeout=_GRACE)


def _answered(job: bytes, threads: int) -> bytes:
    """As `answered`, in a worker of Ray's, which may have had another number of threads before."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    return answered(job)


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it calls home
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise mistakes.no_ray() from None


def _ray_alone() -> Any:
    """Ray, where it begins a cluster of its own: its ports answer those who know a token, which it looks for once."""
    if "ray" not in sys.modules:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    return _ray()
