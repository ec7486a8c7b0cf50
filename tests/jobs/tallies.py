"""Jobs that go on from what they saved, and what a pool makes of them while its workers are killed."""

import hashlib
import json
import os
import random
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

from nasir.diagnostics import CompileError, Diagnostic
from nasir.files import replace_atomically
from nasir.jobs.pool import Job, pool

STEPS = 20
MOST_KILLS = 4  # one fewer than a job may lose


def tally(folder: Path, number: int, pause: float = 0.02) -> str:
    """The digest of all the steps, each saved in a file of its own job."""
    path = folder / f"{number}.json"
    replace_atomically(folder / f"{number}.pid", str(os.getpid()).encode())
    state = json.loads(path.read_text()) if path.exists() else {"steps": 0, "digest": str(number)}
    while state["steps"] < STEPS:
        time.sleep(pause)
        digest = hashlib.sha256(f"{state['digest']} {state['steps']}".encode()).hexdigest()
        state = {"steps": state["steps"] + 1, "digest": digest}
        replace_atomically(path, json.dumps(state).encode())
    return state["digest"]


def fail(how: str) -> None:
    match how:
        case "mistake":
            raise CompileError(Diagnostic("E0901", "it is wrong"))
        case "fault":
            raise ZeroDivisionError("it is a fault")
        case _:
            os.kill(os.getpid(), signal.SIGKILL)


def kill_workers(folder: Path, count: int, ended: threading.Event) -> None:
    """SIGKILL to workers at random moments, never twice to one, so that no other process can have its number."""
    killed: set[int] = set()
    while len(killed) < MOST_KILLS and not ended.wait(random.uniform(0.05, 0.3)):
        at_work = [n for n in range(count) if (folder / f"{n}.pid").exists() and _steps(folder, n) < STEPS]
        found = {int((folder / f"{n}.pid").read_text()) for n in at_work} - killed
        if found:
            killed.add(worker := random.choice(sorted(found)))
            os.kill(worker, signal.SIGKILL)


def _steps(folder: Path, number: int) -> int:
    path = folder / f"{number}.json"
    return json.loads(path.read_text())["steps"] if path.exists() else 0


def disturbed(on: str, folder: Path, count: int) -> dict[str, list[object]]:
    """The outcomes of a pool whose workers are killed, as they came, and what it told of the killed."""
    told: list[str] = []
    ended = threading.Event()
    killer = threading.Thread(target=kill_workers, args=(folder, count, ended), daemon=True)
    jobs = [Job(str(number), partial(tally, folder, number)) for number in range(count)]
    with pool(on, at_once=2, tell=told.append) as workers:
        killer.start()
        outcomes = [(outcome.key, outcome.result()) for outcome in workers.run(jobs)]
        ended.set()
        killer.join()
    return {"outcomes": outcomes, "told": told}


if __name__ == "__main__":
    import tests.jobs.tallies as named  # workers know its functions by this name

    print(json.dumps(named.disturbed(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
