"""Runs that are killed, stopped, starved of disk, or damaged: nothing is lost, and what goes on ends the same."""

import contextlib
import json
import math
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from rich.console import Console

import nasir
from nasir.data import load_data
from nasir.jobs.folder import RunFolder
from nasir.jobs.signals import Pauses, Stopped, pausing
from nasir.lang.settings import override, with_bounds
from nasir.runs.report import write_report
from nasir.runs.request import Request
from nasir.runs.run import search, train_file, train_network
from nasir.searching.measures import Confusion
from nasir.searching.training import counted
from tests import processes
from tests.conftest import stop_at, until_an_epoch_is_done
from tests.searches import SAME_BYTES, run, search_of
from tests.spaces import TINY

SAME = (*SAME_BYTES, "probabilities.jsonl")
QUIET = Console(quiet=True)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with a space, and `whole`, a run of it that nothing disturbed."""
    folder = tmp_path_factory.mktemp("survival")
    (folder / "tiny.nas").write_text(TINY, encoding="utf-8")
    start = time.monotonic()
    done = processes.nasir(*command("tiny.nas", "--out", "whole"), cwd=folder, env=ENVIRONMENT, check=True)
    assert "test accuracy" in done.stdout
    return folder, time.monotonic() - start


def command(*arguments):
    return ["search", *arguments]


def assert_same(folder, other):
    for name in SAME:
        if name == "plan.json":  # a run from Python has no command line to note
            plans = [json.loads((folder / one / name).read_text()) for one in ("whole", other)]
            assert {**plans[0], "given": {}} == {**plans[1], "given": {}}
            continue
        assert (folder / "whole" / name).read_bytes() == (folder / other / name).read_bytes(), name


@pytest.mark.slow
def test_a_search_killed_at_random_moments_ends_in_the_same_bytes(files):
    folder, seconds = files
    moments, killed = random.Random(os.environ.get("NASIR_KILL_SEED", "0")), 0
    while killed < int(os.environ.get("NASIR_KILLS", "3")):
        fresh, start = not (folder / "killed").exists(), time.monotonic()
        process = processes.Command(
            command("tiny.nas", "--out", "killed", "--resume"),
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            process.communicate(timeout=moments.uniform(0.3, 1.0) * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        assert process.returncode in {0, -signal.SIGKILL}
        killed += process.returncode == -signal.SIGKILL
        if process.returncode == 0:
            assert_same(folder, "killed")
            shutil.rmtree(folder / "killed")
            if fresh:  # the machine has become faster
                seconds = min(seconds, time.monotonic() - start)
    processes.run(command("tiny.nas", "--out", "killed", "--resume"), cwd=folder, env=ENVIRONMENT, check=True)
    assert_same(folder, "killed")


@pytest.mark.parametrize(
    ("phase", "told", "saved"),
    [
        ("architecture", 5, {"epoch": 0, "part": 1, "step": 1}),
        ("weights", 7, {"epoch": 1, "part": 0, "step": 1}),
        ("between", 10, {"epoch": 1, "part": 0, "step": 4}),
        ("training", 23, {"epoch": 0, "step": 3}),
    ],
)
def test_a_run_stopped_within_an_epoch_goes_on_from_the_step(files, phase, told, saved, monkeypatch):
    """A stop at each kind of step: after the last of the weights' part, too."""
    folder, _ = files
    torch.set_num_threads(1)
    space = nasir.load(folder / "tiny.nas")
    stop_at(told, monkeypatch)
    with pytest.raises(Stopped) as stopped:
        run(space, folder / phase)
    assert stopped.value.signal == signal.SIGTERM
    monkeypatch.undo()
    state = RunFolder(folder / phase).load_checkpoint("train" if phase == "training" else "search")
    assert {name: state[name] for name in saved} == saved
    before = len((folder / phase / "metrics.jsonl").read_text().splitlines())
    run(space, folder / phase, resume=True)
    assert before < len((folder / phase / "metrics.jsonl").read_text().splitlines())
    assert_same(folder, phase)


@pytest.mark.parametrize("phase", ["search", "train"])
def test_a_run_stopped_while_networks_are_compared_or_tested_goes_on(files, phase, monkeypatch):
    """Told at the save after the last epoch: what comes next makes no steps."""
    folder, _ = files
    torch.set_num_threads(1)
    space = nasir.load(folder / "tiny.nas")
    last = {"search": 3, "train": 2}[phase]
    save = RunFolder.save_checkpoint

    def told_at_last(self, name, state):
        save(self, name, state)
        if (name, state["epoch"]) == (phase, last):
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(RunFolder, "save_checkpoint", told_at_last)
    with pytest.raises(Stopped):
        run(space, folder / f"compared_{phase}")
    monkeypatch.undo()
    assert not (folder / f"compared_{phase}" / ("choices.json" if phase == "search" else "summary.json")).exists()
    run(space, folder / f"compared_{phase}", resume=True)
    assert_same(folder, f"compared_{phase}")


def test_averages_of_weights_go_on_too(files, monkeypatch):
    folder, _ = files
    torch.set_num_threads(1)
    space = nasir.load(folder / "tiny.nas")
    space = replace(space, settings=override(space.settings, ["search.ema=0.9", "train.ema=0.9"]))
    run(space, folder / "averaged")
    for told in (7, 23):
        stop_at(told, monkeypatch)
        with pytest.raises(Stopped):
            run(space, folder / f"averaged_{told}")
        monkeypatch.undo()
        run(space, folder / f"averaged_{told}", resume=True)
        for name in SAME:
            assert (folder / "averaged" / name).read_bytes() == (folder / f"averaged_{told}" / name).read_bytes(), name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_the_next_step_and_a_second_one_ends_the_process(number):
    before = signal.getsignal(number)
    with pausing() as pauses:
        assert not pauses.signal
        signal.raise_signal(number)
        assert pauses.signal == number
        assert signal.getsignal(number) == before
    assert signal.getsignal(number) == before


@pytest.mark.slow
def test_sigterm_saves_and_says_how_to_go_on(files):
    folder, _ = files
    process = processes.Command(
        command("tiny.nas", "--out", "stopped", "--set", "epochs=5000"),
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until_an_epoch_is_done(process)  # the first epoch is done
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "--out stopped --resume" in errors
    assert "Traceback" not in errors
    state = RunFolder(folder / "stopped").load_checkpoint("search")
    assert state is not None
    assert state["epoch"] >= 1


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the processes in /proc")
def test_a_signal_to_the_processes_that_decode_images_is_not_theirs(files, tmp_path):
    """A scheduler, torchrun and Ctrl-C in a terminal tell the whole group: the main process saves, and ends them."""
    folder, _ = files
    for name in ("a", "b"):
        for i in range(24):
            path = tmp_path / "images" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), 10 * i).save(path)
    settings = ["--with", "classes=2", "--set", "batch=8", "--set", "epochs=5000", "--out", str(tmp_path / "run")]
    for number in (signal.SIGTERM, signal.SIGINT):
        process = processes.Command(
            command("tiny.nas", "--data", f"folder:{tmp_path / 'images'}", "--resume", *settings),
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        until_an_epoch_is_done(process)
        assert process.poll() is None
        for _ in range(50):
            for worker in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(worker), number)
            time.sleep(0.02)
        assert process.poll() is None
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 128 + number, errors
        assert "--resume" in errors
        assert "Traceback" not in errors


def test_two_runs_cannot_write_into_one_folder(files, tmp_path):
    folder, _ = files
    space = nasir.load(folder / "tiny.nas")
    held = RunFolder(tmp_path / "run")
    held.lock()
    with pytest.raises(nasir.CompileError, match="another run writes into") as caught:
        run(space, tmp_path / "run", overwrite=True)
    assert caught.value.diagnostics[0].code == "E0905"
    held.unlock()
    run(space, tmp_path / "run")


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_goes_on(files):
    folder, _ = files
    space = nasir.load(folder / "tiny.nas")
    run(space, folder / "damaged")
    checkpoint = folder / "damaged" / "checkpoint"
    data = bytearray((checkpoint / "search.pt").read_bytes())
    data[len(data) // 2] ^= 1  # torch itself would load this and not notice
    (checkpoint / "search.pt").write_bytes(data)
    with pytest.raises(nasir.CompileError, match="is damaged") as caught:
        run(space, folder / "damaged", resume=True)
    assert caught.value.diagnostics[0].code == "E0902"
    assert "search.before.pt" in caught.value.diagnostics[0].hints[0]
    (checkpoint / "search.pt").unlink()
    run(space, folder / "damaged", resume=True)
    assert_same(folder, "damaged")
    (checkpoint / "train.before.pt").unlink()
    (checkpoint / "train.pt").write_bytes(b"damaged")
    with pytest.raises(nasir.CompileError, match="is damaged") as caught:
        run(space, folder / "damaged", resume=True)
    assert "trains the network from its beginning" in caught.value.diagnostics[0].hints[0]
    (checkpoint / "train.pt").unlink()
    run(space, folder / "damaged", resume=True)
    assert_same(folder, "damaged")


def test_a_checkpoint_is_read_without_running_code(tmp_path):
    folder = RunFolder(tmp_path)
    folder.save_checkpoint("search", {"epoch": 3, "weight": torch.ones(2)})
    loaded = torch.load(tmp_path / "checkpoint" / "search.pt", weights_only=True)
    assert loaded["epoch"] == 3
    (tmp_path / "proof.txt").unlink(missing_ok=True)

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'proof.txt'}",)

    folder.save_checkpoint("search", {"epoch": Evil()})
    with pytest.raises(nasir.CompileError, match="is damaged"):
        folder.load_checkpoint("search")
    assert not (tmp_path / "proof.txt").exists()


@pytest.mark.slow
def test_a_full_disk_is_a_clear_error_and_the_last_good_state_goes_on(files, monkeypatch):
    """A limit on the size of files stands in for the disk: writing past it fails as it does there."""
    folder, _ = files

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))

    torch.set_num_threads(1)
    stop_at(7, monkeypatch)
    with pytest.raises(Stopped):
        run(nasir.load(folder / "tiny.nas"), folder / "full")
    monkeypatch.undo()
    before = (folder / "full" / "checkpoint" / "search.pt").read_bytes()
    assert len(before) > 30_000
    failed = processes.run(
        command("tiny.nas", "--out", "full", "--resume"),
        cwd=folder,
        env=ENVIRONMENT,
        preexec_fn=small_files,
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 1
    assert "E0903" in failed.stderr
    assert "checkpoint/search." in failed.stderr
    assert "Traceback" not in failed.stderr
    assert (folder / "full" / "checkpoint" / "search.pt").read_bytes() == before
    assert not list((folder / "full").rglob("*.partial"))
    processes.run(command("tiny.nas", "--out", "full", "--resume"), cwd=folder, env=ENVIRONMENT, check=True)
    assert_same(folder, "full")


def test_a_loss_that_is_no_number_ends_the_run_and_the_last_good_state_stays(compiled, tmp_path):
    space = compiled(
        TINY.replace("architecture = adam(lr=0.3)", "architecture = adam(lr=0.3)\n  weights = sgd(lr=1e15)")
    )
    loop = search_of(space)
    folder = RunFolder(tmp_path / "run")
    folder.start(overwrite=False)
    loop.save(folder, Pauses())
    before = (folder.path / "checkpoint" / "search.pt").read_bytes()
    with pytest.raises(nasir.CompileError, match="the loss is") as caught:
        loop.run(folder, lambda epoch, values: None, Pauses())
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E0804"
    assert re.search(r"in epoch 1 of \d+ of the search, of the weights", diagnostic.message)
    assert '--set "search.weights=sgd(lr=1e+14)"' in diagnostic.hints[0]
    assert (folder.path / "checkpoint" / "search.pt").read_bytes() == before


def test_weights_that_are_no_numbers_are_not_saved(compiled, tmp_path):
    """The loss of a step is a number still where what the step makes of the weights is none."""
    loop = search_of(compiled(TINY))
    folder = RunFolder(tmp_path / "run")
    folder.start(overwrite=False)
    loop.save(folder, Pauses())
    before = (folder.path / "checkpoint" / "search.pt").read_bytes()
    with torch.no_grad():
        next(iter(loop.strategy.supernet.weights())).view(-1)[0] = float("nan")
    with pytest.raises(nasir.CompileError, match="are not finite numbers") as caught:
        loop.save(folder, Pauses())
    assert caught.value.diagnostics[0].code == "E0804"
    assert (folder.path / "checkpoint" / "search.pt").read_bytes() == before


def test_what_compares_networks_tells_numbers_from_nan(compiled, emitted):
    space = compiled(TINY)
    loop, network = search_of(space), emitted(space.at(space.smallest()))
    for weight in (*loop.strategy.supernet.weights(), *network.parameters()):
        weight.detach().fill_(float("nan"))
    test = load_data("digits").test
    for compare in (lambda: loop.choose(Pauses()), lambda: counted(network, test, 256, Confusion(10))):
        with pytest.raises(nasir.CompileError) as caught:
            compare()
        assert caught.value.diagnostics[0].code == "E0804"


def test_a_candidate_whose_loss_is_no_number_is_not_chosen(compiled):
    space = compiled(TINY)
    settings = override(with_bounds(space.settings, ["macs <= 12K"]), ["candidates=6"])  # several networks land
    loop = search_of(replace(space, settings=settings))
    seen = []

    def overflowing(choices, pauses):
        seen.append(choices)
        return (math.inf, 0.1) if len(seen) == 1 else (9.0, 0.1)

    loop.strategy.evaluate = overflowing
    found = loop.choose(Pauses())
    assert len(seen) > 1
    assert found.choices != seen[0]


def test_a_training_that_diverges_says_how_to_repeat_it_alone(files):
    folder, _ = files
    space = nasir.load(folder / "tiny.nas")
    space = replace(space, settings=override(space.settings, ["train.weights=sgd(lr=1e15)"]))
    with pytest.raises(nasir.CompileError, match="of the training") as caught:
        run(space, folder / "diverged")
    assert f"`nasir train {folder / 'diverged' / 'arch.nas'}`" in caught.value.diagnostics[0].hints[1]


def test_a_run_folder_of_a_user_s_code_runs_none_unasked(files, tmp_path):
    """A run folder is data, and may be another's; what its plan names is run where the user names it too."""
    folder, _ = files
    shutil.copytree(folder / "whole", tmp_path / "other")
    plan = json.loads((tmp_path / "other" / "plan.json").read_text())
    (tmp_path / "other" / "plan.json").write_text(json.dumps({**plan, "data": "python:evil:data"}))
    (tmp_path / "evil.py").write_text("open('proof.txt', 'w')", encoding="utf-8")
    for options in ([], ["--data", "digits"]):
        repeat = command("--from", "other", *options)
        done = processes.run(repeat, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
        assert done.returncode == 1
        assert "was searched on the data `python:evil:data`" in done.stderr
        assert "--data python:evil:data" in done.stderr
        assert not (tmp_path / "proof.txt").exists()
    repeat = command("--from", "other", "--data", "python:evil:data")
    done = processes.run(repeat, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "E0806" in done.stderr
    assert (tmp_path / "proof.txt").exists()


@pytest.mark.slow
def test_a_run_is_repeated_from_its_folder_alone(files, tmp_path):
    folder, _ = files
    (folder / "only").mkdir()
    for path in (folder / "whole").rglob("*"):
        if path.is_file():
            target = folder / "only" / path.relative_to(folder / "whole")
            target.parent.mkdir(exist_ok=True, parents=True)
            target.write_bytes(path.read_bytes())
    again = processes.run(
        command("--from", str(folder / "only")), cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert again.returncode == 0, again.stderr
    assert "arch.nas, choices.json, metrics.jsonl, model.py, model.safetensors, probabilities.jsonl" in again.stdout
    assert_same(folder, "only_again")


def test_what_was_asked_for_on_the_command_line_is_repeated_too(tmp_path):
    (tmp_path / "tiny.nas").write_text(TINY, encoding="utf-8")
    options = ["--set", "epochs=2", "--set", "train.epochs=1", "--bound", "macs <= 12K", "--seed", "3", "--out", "a"]
    for arguments in (["tiny.nas", *options], ["--from", "a", "--out", "b"]):
        processes.run(command(*arguments), cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)
    plans = [json.loads((tmp_path / name / "plan.json").read_text()) for name in "ab"]
    assert plans[0] == plans[1]
    assert plans[0]["settings"]["objective"]["bounds"] == [{"cost": "macs", "limit": 12_000, "relative": False}]
    assert json.loads((tmp_path / "b" / "summary.json").read_text())["macs"] <= 12_000


def test_a_folder_with_files_that_no_run_wrote_is_left_alone(compiled, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "model.py").write_text("mine", encoding="utf-8")
    for overwrite in (False, True):
        with pytest.raises(nasir.CompileError, match=r"E0913: .*which no nasir run wrote"):
            run(compiled(TINY), tmp_path / "own", overwrite=overwrite)
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["model.py"]
    assert (tmp_path / "own" / "model.py").read_text() == "mine"


def test_a_file_in_the_place_of_an_import_is_left_alone(compiled, tmp_path):
    (tmp_path / "own" / "lib").mkdir(parents=True)
    mine = tmp_path / "own" / "lib" / "mobile.nas"
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(
        nasir.CompileError, match=r"E0913: .*already contains `lib/mobile.nas`, which no nasir run wrote"
    ):
        run(compiled(TINY), tmp_path / "own")
    assert mine.read_text() == "mine"
    mine.unlink()
    mine.parent.rmdir()
    mine.parent.write_text("a file", encoding="utf-8")
    with pytest.raises(nasir.CompileError, match=r"E0914: .*is not a folder"):
        run(compiled(TINY), tmp_path / "own")
    mine.parent.unlink()
    assert not list((tmp_path / "own").iterdir())  # what failed left nothing
    (tmp_path / "own" / "model.py").write_text("mine", encoding="utf-8")
    with pytest.raises(nasir.CompileError, match=r"E0913: .*which no nasir run wrote"):
        run(compiled(TINY), tmp_path / "own")
    (tmp_path / "own" / "model.py").unlink()
    run(compiled(TINY), tmp_path / "own")
    run(compiled(TINY), tmp_path / "own", overwrite=True)
    assert nasir.load(tmp_path / "own" / "space.nas").decisions


def test_a_run_in_the_folder_of_its_program_leaves_what_that_imports(tmp_path):
    """The next run's program does not import it."""
    (tmp_path / "own.nas").write_text("block head() { return x -> relu }", encoding="utf-8")
    text = TINY.replace('from "lib', 'from "own.nas" import head\nfrom "lib').replace("-> global", "-> head -> global")
    for name, program in (("first.nas", text), ("second.nas", TINY)):
        (tmp_path / name).write_text(program, encoding="utf-8")
        run(nasir.load(tmp_path / name), tmp_path, overwrite=True)
    assert (tmp_path / "own.nas").read_text() == "block head() { return x -> relu }"


def test_events_that_no_run_of_ours_wrote_are_left_alone(compiled, tmp_path):
    (tmp_path / "own" / "events").mkdir(parents=True)
    events = tmp_path / "own" / "events" / "events.out.tfevents.1.host"
    events.write_text("mine")
    with pytest.raises(
        nasir.CompileError,
        match=r"E0913: .*already contains `events/events.out.tfevents.1.host`, which no nasir run wrote",
    ):
        run(compiled(TINY), tmp_path / "own")
    assert events.read_text() == "mine"


def test_a_resumed_training_runs_what_is_given_not_what_the_folder_holds(compiled, tmp_path):
    """A run folder may be another's, and `model.py` in it is code."""
    space = compiled(TINY)
    network = space.at(space.smallest())
    (tmp_path / "model.py").write_text(nasir.emit(network), encoding="utf-8")
    starts = {
        "network": lambda resume: train_network(network, Request("digits", tmp_path / "network", resume=resume), QUIET),
        "file": lambda resume: train_file(
            tmp_path / "model.py", space.settings, Request("digits", tmp_path / "file", resume=resume), QUIET
        ),
    }
    for name, start in starts.items():
        start(False)
        emitted = (tmp_path / name / "model.py").read_text()
        (tmp_path / name / "model.py").write_text(f"open({str(tmp_path / 'proof.txt')!r}, 'w')\n{emitted}")
        start(True)
        assert (tmp_path / name / "model.py").read_text() == emitted
    assert not (tmp_path / "proof.txt").exists()


def test_a_run_that_was_killed_as_it_began_begins_again(files, tmp_path, monkeypatch):
    """Killed before its plan was written, the last of what makes a folder a run's."""
    folder, _ = files
    space = nasir.load(folder / "tiny.nas")
    write = RunFolder.write_json

    def killed(self, name, content):
        if name == "plan.json":
            raise KeyboardInterrupt  # nothing of ours sees it, as with SIGKILL
        write(self, name, content)

    monkeypatch.setattr(RunFolder, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        run(space, tmp_path / "run")
    monkeypatch.undo()
    assert (tmp_path / "run" / "space.nas").exists()
    run(space, tmp_path / "run")
    assert (tmp_path / "run" / "plan.json").exists()


def test_an_import_of_the_name_of_a_run_s_file_is_an_error(compiled, tmp_path):
    """It would be written over."""
    (tmp_path / "arch.nas").write_text("block head() { return x -> relu }", encoding="utf-8")
    text = TINY.replace('from "lib', 'from "arch.nas" import head\nfrom "lib').replace("-> global", "-> head -> global")
    with pytest.raises(nasir.CompileError, match=r"E0919: .*imports `arch.nas`, and a run writes a file of that name"):
        run(compiled(text), tmp_path / "run")


def test_a_run_started_from_python_is_repeated_where_its_file_has_its_settings(tmp_path):
    (tmp_path / "tiny.nas").write_text(TINY, encoding="utf-8")
    space = nasir.load(tmp_path / "tiny.nas")
    run(space, tmp_path / "a")
    repeat = command("--from", "a", "--out", "b")
    done = processes.run(repeat, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    assert "as in a: arch.nas, choices.json, metrics.jsonl, model.py, model.safetensors" in done.stdout
    run(replace(space, settings=override(space.settings, ["train.epochs=1"])), tmp_path / "c")
    repeat = command("--from", "c", "--out", "d")
    done = processes.run(repeat, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "settings were given in Python" in done.stderr


def test_a_run_that_goes_on_with_another_torch_says_so(files, tmp_path, capsys):
    folder, _ = files
    space = nasir.load(folder / "tiny.nas")
    run(space, tmp_path / "run")
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    plan["versions"]["torch"] = "1.0"
    (tmp_path / "run" / "plan.json").write_text(json.dumps(plan))
    search(space, Request("digits", tmp_path / "run", resume=True), Console(width=200))
    assert "torch 1.0, goes on with" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["plan.json", "summary.json", "choices.json", "metrics.jsonl", "probabilities.jsonl"])
@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1]", b"{}", b'{"phase": 3, "epoch": 0}', b""])
def test_damaged_files_of_a_run_end_in_a_diagnostic_or_are_left_out(files, tmp_path, name, content):
    folder, _ = files
    for path in (folder / "whole").glob("*.json*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_bytes(content)
    with contextlib.suppress(nasir.CompileError):  # and nothing else
        assert write_report(tmp_path).exists()


def test_a_resumed_run_counts_its_time_from_its_first_epoch(files):
    folder, _ = files
    space = nasir.load(folder / "tiny.nas")
    run(space, folder / "timed")
    again = run(space, folder / "timed", resume=True)
    assert again.seconds > sum(line["seconds"] for line in RunFolder(folder / "timed").lines("timing.jsonl"))


def test_a_resumed_run_takes_the_threads_it_had(files):
    folder, _ = files
    space = nasir.load(folder / "tiny.nas")
    run(space, folder / "threads")
    torch.set_num_threads(2)
    run(space, folder / "threads", resume=True)
    assert torch.get_num_threads() == 1
