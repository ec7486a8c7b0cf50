"""What a pool adds to the work that it has done, and what it does where workers are killed.

`python -m benchmarks.pool --on local ray` trains the digits' smallest network from each of `--trainings` seeds, one
after the other in one process; then by a pool of `--jobs` workers; then by one whose workers get SIGKILL at random
moments, `--kills` times. Each training has a run folder and goes on from the checkpoint that is there. Of each pool it
tells how often each result came, whether the files and the results are those of the serial run byte for byte, and the
overhead: of the time of all workers from the pool's start to its end, what is in no training, as a share of what is.
"""

import argparse
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nasir.files import replace_atomically
from nasir.jobs.pool import Job, pool

SAME = ("arch.nas", "data.json", "deploy.json", "metrics.jsonl", "model.py", "model.safetensors", "test.json")
LEAST_PAUSE = 8.0
"""Seconds between two kills: several times what a worker takes to start. A job whose workers die as they start, five
times, is given up, as it should be."""
WORKER = "worker"
"""A file of a run folder: the process that works on it."""


def trained(folder: Path, epochs: int, seed: int) -> dict[str, Any]:
    """A training in its run folder; what it came to, and the seconds it took once its libraries were there."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_atomically(folder / WORKER, str(os.getpid()).encode())
    from dataclasses import replace

    import sklearn.datasets  # noqa: F401  the digits' own
    from rich.console import Console

    import nasir
    from nasir.lang.settings import override
    from nasir.runs.request import Request
    from nasir.runs.run import train_network

    start = time.perf_counter()
    space = nasir.load("digits")
    network = space.at(space.smallest())
    network = replace(network, settings=override(network.settings, [f"epochs={epochs}"], "train"))
    request = Request("digits", folder, seed=seed, threads=1, resume=True)
    summary = train_network(network, request, Console(quiet=True)).summary
    seconds = time.perf_counter() - start
    (folder / WORKER).unlink()
    return {"accuracy": summary.test_accuracy, "seconds": seconds}


def kill_workers(folder: Path, kills: int, pause: float, ended: threading.Event) -> None:
    """SIGKILL to those at work, at random moments; never twice to one, so that no other process can have its number."""
    killed: set[int] = set()
    while len(killed) < kills and not ended.wait(random.uniform(pause / 2, 1.5 * pause)):
        found: set[int] = set()
        for path in folder.glob(f"*/{WORKER}"):
            try:
                found.add(int(path.read_text()))
            except FileNotFoundError:
                continue  # it is done
        if found - killed:
            killed.add(worker := random.choice(sorted(found - killed)))
            os.kill(worker, signal.SIGKILL)


def content(folder: Path, values: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """The results in the trainings' order, and the files that are to be the same."""
    lines = [json.dumps({"key": key, "accuracy": values[key]["accuracy"]}) + "\n" for key in sorted(values, key=int)]
    files = {f"{key}/{name}": (folder / key / name).read_bytes() for key in values for name in SAME}
    return {"results": "".join(lines).encode(), **files}


def measured(
    on: str, given: argparse.Namespace, folder: Path, kills: int, pause: float
) -> tuple[str, dict[str, bytes]]:
    """A pool's figures as a line, and what it wrote."""
    told, ended = list[str](), threading.Event()
    killer = threading.Thread(target=kill_workers, args=(folder, kills, pause, ended), daemon=True)
    jobs = [Job(str(i), partial(trained, folder / str(i), given.epochs, i)) for i in range(given.trainings)]
    start = time.perf_counter()
    with pool(on, at_once=given.jobs, cpus=1, tell=told.append) as workers:
        killer.start()
        outcomes = list(workers.run(jobs))
        ended.set()
    seconds = time.perf_counter() - start
    killer.join()
    counts = Counter(Counter(outcome.key for outcome in outcomes).values())
    values = {outcome.key: outcome.result() for outcome in outcomes}
    work = sum(value["seconds"] for value in values.values())
    once = f"{counts[1]} of {given.trainings} results once"
    figures = f"{seconds:.1f} s, {work:.1f} s of work, overhead {given.jobs * seconds / work - 1:.1%}"
    return f"{on}, {len(told)} workers killed: {once}; {figures}", content(folder, values)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--on", nargs="+", default=["local", "ray"])
    options.add_argument("--trainings", type=int, default=200)
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--kills", type=int, default=10)
    given = options.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with TemporaryDirectory() as name:
        folder = Path(name)
        serial = {str(i): trained(folder / "serial" / str(i), given.epochs, i) for i in range(given.trainings)}
        work = sum(one["seconds"] for one in serial.values())
        print(f"serial: {work:.1f} s of work, {work / given.trainings:.2f} s a training", flush=True)
        wanted = content(folder / "serial", serial)
        pause = max(LEAST_PAUSE, work / given.jobs / (given.kills + 1))
        for on in given.on:
            for kills in (0, given.kills):
                line, found = measured(on, given, folder / f"{on}_{kills}", kills, pause)
                print(f"{line}; {'the same bytes' if found == wanted else 'OTHER BYTES'}", flush=True)


if __name__ == "__main__":
    import benchmarks.pool as named  # workers know its functions by this name

    named.main()
