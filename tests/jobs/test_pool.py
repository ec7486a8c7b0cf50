"""A pool does each job once, whatever becomes of its workers, and leaves none behind."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from nasir.diagnostics import CompileError
from nasir.files import replace_atomically
from nasir.jobs.pool import Job, pool
from nasir.jobs.signals import Stopped
from tests.jobs.tallies import STEPS, fail, tally

COUNT = 12


@pytest.mark.parametrize("on", ["local", "ray"])
def test_each_job_has_one_result_whatever_kills_its_workers(tmp_path, on):
    """The bytes are those of a serial run; each job whose worker was killed went on from what it had saved."""
    if on == "ray":
        pytest.importorskip("ray", reason="the extra `ray` is not installed")
    serial, killed = tmp_path / "serial", tmp_path / "killed"
    serial.mkdir()
    killed.mkdir()
    wanted = {str(number): tally(serial, number, pause=0) for number in range(COUNT)}
    command = [sys.executable, "-m", "tests.jobs.tallies", on, str(killed), str(COUNT)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["outcomes"]) == COUNT
    assert dict(found["outcomes"]) == wanted
    assert found["told"]
    for number in range(COUNT):
        assert (killed / f"{number}.json").read_bytes() == (serial / f"{number}.json").read_bytes()


def test_what_a_job_finds_wrong_is_its_outcome_and_what_else_it_raises_ends_the_run(tmp_path):
    well = Job("well", partial(tally, tmp_path, 0, 0))
    jobs = [Job("wrong", partial(fail, "mistake")), Job("deadly", partial(fail, "kill")), well]
    told: list[str] = []
    with pool(at_once=2, tell=told.append) as workers:
        left = Job("left", partial(tally, tmp_path, 2))
        first = next(workers.run([Job("short", partial(tally, tmp_path, 1, 0)), left]))
        assert (first.key, first.result()) == ("short", tally(tmp_path, 1))
        outcomes = {outcome.key: outcome for outcome in workers.run(jobs)}
        assert outcomes.keys() == {"wrong", "deadly", "well"}
        assert outcomes["well"].result() == tally(tmp_path, 0)
        with pytest.raises(CompileError, match=r"E0901"):
            outcomes["wrong"].result()
        with pytest.raises(CompileError, match=r"E0968.*killed by signal 9"):
            outcomes["deadly"].result()
        assert told == ["deadly: its worker ended (killed by signal 9); another one goes on"] * 4
        with pytest.raises(RuntimeError, match=r"(?s)broken:.*Traceback.*ZeroDivisionError: it is a fault"):
            list(workers.run([Job("broken", partial(fail, "fault"))]))


def lasting(folder: Path, number: int) -> None:
    """A job that never ends, and a process of its own that it waits for."""
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    replace_atomically(folder / f"{number}.pids", f"{os.getpid()} {child.pid}".encode())
    child.wait()


def interrupt(folder: Path) -> None:
    """Begin two lasting jobs and a short one, and be interrupted when that is done and the others have begun."""
    jobs = [Job(str(number), partial(lasting, folder, number)) for number in range(2)]
    with pool(at_once=3) as workers:
        for outcome in workers.run([*jobs, Job("tally", partial(tally, folder, 7, 0))]):
            assert outcome.key == "tally"
            _until(lambda: len(list(folder.glob("*.pids"))) == 2)
            os.kill(os.getpid(), signal.SIGINT)


def test_a_signal_ends_the_workers_and_all_that_they_started_and_another_run_goes_on(tmp_path):
    with pytest.raises(Stopped):
        interrupt(tmp_path)
    for number in [pid for one in tmp_path.glob("*.pids") for pid in one.read_text().split()]:
        _until(lambda process=int(number): not _runs(process))
    with pool() as workers:
        (outcome,) = workers.run([Job("tally", partial(tally, tmp_path, 7, 0))])
    assert outcome.result() == tally(tmp_path, 7)
    assert json.loads((tmp_path / "7.json").read_text())["steps"] == STEPS


def _until(true):
    """Wait for it, a minute at most."""
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def _runs(process: int) -> bool:
    """It is there, and not one that only nobody has asked how it ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CompileError, match=r"E0965"), pool("ray"):
        pass
