"""One search on another number of processes than it began with, and on machines that come and go."""

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import torch.multiprocessing
from filelock import FileLock
from safetensors.torch import load_file

import nasir
from nasir.diagnostics import Diagnostic
from nasir.jobs.folder import RunFolder
from nasir.jobs.ranks import joined
from nasir.jobs.signals import Pauses
from nasir.runs.beginning import goes_on
from nasir.runs.plan import check_ranks_alike
from nasir.runs.request import Request
from tests.processes import Command
from tests.searches import run
from tests.searching.test_ranks import free_port
from tests.spaces import EVEN

CPU = torch.device("cpu")
GENTLE = ("--set", "search.epochs=8", "--set", "search.weights=adam(lr=0.002)")
"""Sums in another order do not grow to another network."""


@pytest.fixture(scope="module", autouse=True)
def _one_at_a_time(tmp_path_factory):
    """A port that is free for two runs at once would join them."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "ranks.lock"):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a space, and `alone`, a run of it by one process."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "even.nas").write_text(EVEN, encoding="utf-8")
    ended(started(folder, 1, "alone"))
    return folder


def started(folder, count, out, *options, **environment):
    """So many processes, as torchrun starts them."""
    shared = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), **environment}
    return [
        Command(
            ["search", "even.nas", "--out", out, *GENTLE, *options],
            cwd=folder,
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]


def ended(ranks):
    """What they printed together."""
    told = [rank.communicate(timeout=120) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0] * len(ranks), told
    return "".join(output for output, _ in told)


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def assert_close(one, other):
    """Two runs found one network, and weights of it that differ by sums in another order."""
    assert (one / "arch.nas").read_text() == (other / "arch.nas").read_text()
    weights, others = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    for name, value in weights.items():
        torch.testing.assert_close(others[name], value, rtol=0, atol=1e-5, msg=name)
    lines = [[json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()] for run in (one, other)]
    assert [line["loss"] for line in lines[0]] == pytest.approx([line["loss"] for line in lines[1]], abs=1e-5)


@pytest.mark.slow
def test_a_run_goes_on_with_another_number_of_processes(folder):
    """Three do not divide a batch of 100 evenly."""
    (killed,) = started(folder, 1, "killed")
    until(lambda: (folder / "killed" / "checkpoint" / "search.pt").exists())
    killed.kill()
    killed.communicate()
    assert "begun with 1 process, goes on with 3 processes" in ended(started(folder, 3, "killed", "--resume"))
    assert_close(folder / "alone", folder / "killed")
    assert ranks_of(folder / "killed") == 3


def test_processes_that_torchrun_starts_again_go_on_and_others_are_refused(tmp_path, monkeypatch):
    """`--overwrite` replaces a run once, not at each start."""
    (tmp_path / "even.nas").write_text(EVEN, encoding="utf-8")
    space, folder = nasir.load(tmp_path / "even.nas"), tmp_path / "run"

    def begun(attempt, **options):
        monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", f"/tmp/{attempt}/0/error.json")
        run(space, folder, **options)
        return (folder / "timing.jsonl").read_text()

    first = begun("one/attempt_0")
    for options in ({}, {"overwrite": True}):
        assert begun("one/attempt_1", **options) == first
    with pytest.raises(nasir.CompileError, match="E0901"):
        begun("two/attempt_1")
    assert begun("two/attempt_1", overwrite=True) != first
    with pytest.raises(nasir.CompileError, match="E0901"):
        begun("one/attempt_2")
    assert b"two" not in (folder / ".nasir").read_bytes()  # nor any other path of a machine


def agent(folder, port, log):
    """A `torchrun` as each of up to two machines has it, whose meeting place is on a third."""
    torchrun, nasir_command = (str(Path(sys.executable).with_name(name)) for name in ("torchrun", "nasir"))
    conf = "is_host=0,last_call_timeout=5"
    meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"localhost:{port}", "--rdzv-conf", conf]
    nodes = ["--no-python", "--nnodes", "1:2", "--nproc-per-node", "1", "--max-restarts", "3", *meeting]
    search = [nasir_command, "search", "even.nas", "--out", "elastic", *GENTLE]
    environment = {**os.environ, "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    with log.open("w") as out:
        return subprocess.Popen([torchrun, *nodes, *search], cwd=folder, env=environment, stdout=out, stderr=out)


@contextlib.contextmanager
def meeting_place():
    """The port of a store that lives in a process of its own: its threads would be in the way of forks of this one."""
    here, there = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=keep_store, args=(there,))
    process.start()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


def keep_store(told):
    store = torch.distributed.TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    told.send(store.port)
    signal.pause()


def kill_with_children(process):
    """As a machine that loses its power."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for one in (process.pid, *map(int, children)):
        os.kill(one, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="it asks Linux for the children of a process")
def test_a_search_goes_on_without_the_first_of_its_machines(folder):
    with meeting_place() as port:
        agents = [agent(folder, port, folder / f"{index}.log") for index in range(2)]
        see_the_first_lost(folder, agents)
    told = (folder / "1.log").read_text()
    assert "error[E0961]: one of the 2 processes of this run went away" in told
    assert "begun with 2 processes, goes on with 1 process" in told
    assert "Traceback" not in told
    assert_close(folder / "alone", folder / "elastic")


def see_the_first_lost(folder, agents):
    try:
        until(lambda: ranks_of(folder / "elastic") == 2)
        until(lambda: (folder / "elastic" / "checkpoint" / "search.pt").exists())
        kill_with_children(agents[0])
        assert agents[1].wait(timeout=120) == 0
    finally:
        for one in agents:
            one.kill()
            one.wait()


def ranks_of(run):
    return json.loads((run / "plan.json").read_text())["ranks"] if (run / "plan.json").exists() else 0


def rank_ends(index, folder, port):
    """What two processes on two machines tell of each other; then the second one ends."""
    os.environ.update(RANK=str(index), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    run = RunFolder(Path(folder) / f"disk{index}")
    wanted = {"images": {"files": f"of {index}"}, "versions": {"nasir": "1", "torch": "2"}, "seed": index}
    said = []
    with heard(said), joined(CPU) as ranks:
        with heard(said):
            goes_on(Request("digits", run.path, resume=True), run, ranks, ())
        with heard(said):
            check_ranks_alike(ranks, wanted)
        with heard(said):
            ranks.together(lambda: check_device(index))
        if index == 1:
            os._exit(0)
        ranks.mean([1.0], CPU)
    Path(folder, "said.json").write_text(json.dumps(said))


@contextlib.contextmanager
def heard(said):
    """What goes wrong is added to what was said."""
    try:
        yield
    except nasir.CompileError as error:
        said.append(str(error))


def check_device(index):
    if index == 1:
        raise nasir.CompileError(Diagnostic("E0904", "there is none on the second"))


@pytest.mark.slow
def test_what_is_wrong_with_one_of_the_machines_is_said_by_all(tmp_path):
    (tmp_path / "disk1").mkdir()
    (tmp_path / "disk1" / "plan.json").write_text("{}")
    torch.multiprocessing.start_processes(rank_ends, (str(tmp_path), free_port()), nprocs=2, start_method="fork")
    elsewhere, differ, device, lost = json.loads((tmp_path / "said.json").read_text())
    assert "E0963: the run in" in elsewhere
    assert "is on the disk of process 1, and the first process does not have it" in elsewhere
    assert "E0962: the processes of this run do not do the same: one has other images and other options" in differ
    assert "E0904: there is none on the second" in device
    assert "E0961: one of the 2 processes of this run went away: " in lost


def test_a_process_whose_torchrun_was_killed_stops(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", "/tmp/one/attempt_0/0/error.json")
    pauses = Pauses()
    assert pauses.signal == 0
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert pauses.signal == signal.SIGTERM
    monkeypatch.delenv("TORCHELASTIC_ERROR_FILE")
    pauses = Pauses()
    monkeypatch.undo()
    assert pauses.signal == 0
