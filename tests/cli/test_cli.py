"""The commands as a user runs them: a process, its streams, its exit status."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nasir.api import load
from nasir.cli.sweep import searched
from nasir.diagnostics import CompileError
from nasir.ir.values import key
from nasir.jobs.folder import RunFolder
from nasir.runs.sweep import members
from tests.conftest import until_an_epoch_is_done
from tests.processes import Command, nasir
from tests.spaces import TINY

WRONG = """space wrong(classes = 3) {
  x = image(1, size=8)
  return x -> cnv(3, 8) -> global_avg_pool -> linear(classes)
}
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "tiny.nas").write_text(TINY, encoding="utf-8")
    (tmp_path / "wrong.nas").write_text(WRONG, encoding="utf-8")
    return tmp_path


def test_check_passes_and_fails_by_exit_status(files):
    good = nasir("check", "tiny.nas", "digits", "lib/mobile", cwd=files)
    assert (good.returncode, good.stderr) == (0, "")
    bad = nasir("check", "wrong.nas", "tiny.nas", "nowhere.nas", cwd=files)
    assert bad.returncode == 1
    assert "wrong.nas:3:15: error[E0201]: nothing is named `cnv`" in bad.stderr
    assert "did you mean `conv`?" in bad.stderr
    assert "E0701" in bad.stderr
    assert "shipped with nasir" not in bad.stderr  # to a path the library is no answer
    assert "shipped with nasir: " in nasir("check", "nothing", cwd=files).stderr
    assert "Traceback" not in bad.stderr


def test_a_network_that_does_nothing_is_shown_drawn_built_and_profiled(files):
    (files / "nothing.nas").write_text("space nothing(classes = 4) { x = image(3, size=8) return x }", encoding="utf-8")
    for command in ("check FILE", "info FILE", "build FILE", "draw FILE -o it.svg", "ir FILE", "derive FILE"):
        done = nasir(*command.replace("FILE", "nothing.nas").split(), cwd=files)
        assert (done.returncode, done.stderr) == (0, ""), command
    done = nasir("profile", "nothing.nas", "-o", "device.json", "--runtime", "torch", "--networks", "1", cwd=files)
    assert done.returncode == 0, done.stderr
    assert json.loads((files / "device.json").read_text())["kernels"] == []


def test_options_that_choose_a_network_are_read_where_nothing_is_left_to_choose(files):
    for option, code in (("--choose=nothing=3", "E0601"), ("--run=nowhere", "E0702"), ("--choices=no.json", "E0702")):
        done = nasir("derive", "zoo/resnet18", option, cwd=files)
        assert (done.returncode, done.stdout) == (1, "")
        assert code in done.stderr


def test_choices_may_come_by_a_pipe(files):
    chosen = nasir("derive", "tiny.nas", "--largest", cwd=files)
    space = load(files / "tiny.nas")
    for command in ("derive", "build"):
        given = [command, "tiny.nas", "--choices", "/dev/stdin"]
        done = nasir(*given, cwd=files, input=json.dumps(space.largest()))
        assert done.returncode == 0, done.stderr
        if command == "derive":
            assert done.stdout == chosen.stdout


def test_check_as_json(files):
    found = json.loads(nasir("check", "--format", "json", "wrong.nas", cwd=files).stdout)
    assert found == [
        {
            "code": "E0201",
            "message": "nothing is named `cnv`",
            "file": "wrong.nas",
            "line": 3,
            "column": 15,
            "hints": ["did you mean `conv`?"],
        }
    ]
    assert json.loads(nasir("check", "--format", "json", "tiny.nas", cwd=files).stdout) == []


def test_wrong_usage_is_2():
    assert nasir("chekc").returncode == 2
    assert nasir("check").returncode == 2
    assert nasir("info", "digits", "--no-such-option").returncode == 2


@pytest.mark.parametrize(
    "command", ["check", "fmt", "info", "ir", "draw", "search", "derive", "build", "train", "explain"]
)
def test_every_command_has_help_that_names_its_options(command):
    shown = nasir(command, "--help")
    assert shown.returncode == 0
    assert "Usage: nasir" in shown.stdout


def test_info_as_json(files):
    facts = json.loads(nasir("info", "tiny.nas", "--json", cwd=files).stdout)
    assert facts["assignments"] == str(2 * (2 * 2 * 2) ** 2)
    assert facts["networks"] == str(2 * (2 * 2 + 1) ** 2)
    assert facts["macs"]["min"] < facts["macs"]["max"]
    assert {"name": "stem.width", "options": [4, 8]} in facts["decisions"]
    assert set(facts) >= {"networks_log10", "params", "conventions"}


def test_info_for_people(files):
    shown = nasir("info", "tiny.nas", cwd=files).stdout
    assert "7 decisions, 128 assignments, 50 networks" in shown
    assert "trunk.1" in shown
    assert "4..16 x 4 x 4" in shown


def test_ir_after_a_pass_and_after_each(files):
    assert "channels(%" in nasir("ir", "tiny.nas", "--after", "elaborate", cwd=files).stdout
    assert ".mask = mask(" in nasir("ir", "tiny.nas", "--after", "place-masks", cwd=files).stdout
    each = nasir("ir", "tiny.nas", "--each", cwd=files).stdout
    assert [line for line in each.splitlines() if line.startswith("# after ")] == [
        f"# after {name}"
        for name in ("elaborate", "infer-shapes", "canonicalise", "prune-dead", "place-masks", "fold-masks")
    ]
    folded = nasir("ir", "tiny.nas", "--after", "fold-masks", cwd=files).stdout
    # The stem's mask stands after an activation, and a skip reads it: it has no weight to go into.
    assert folded.startswith("# values still multiplied: 1 by a mask, 2 by a gate\n")
    assert "decision" not in nasir("ir", "tiny.nas", "--largest", cwd=files).stdout
    wrong = nasir("ir", "tiny.nas", "--after", "place-mask", cwd=files)
    assert wrong.returncode == 1
    assert "did you mean `place-masks`?" in wrong.stderr


def test_derive_and_build_by_every_way_to_choose(files):
    largest = nasir("derive", "tiny.nas", "--largest", "-o", "arch.nas", cwd=files)
    assert (largest.returncode, largest.stdout, largest.stderr) == (0, "", "")
    assert nasir("check", "arch.nas", cwd=files).returncode == 0
    built = nasir("build", "arch.nas", "-o", "model.py", cwd=files)
    assert built.returncode == 0
    assert "class Tiny(nn.Module):" in (files / "model.py").read_text()
    again = nasir("build", "tiny.nas", "--largest", "--choose", "stem.width=4", cwd=files)
    assert "nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False)" in again.stdout
    assert (
        nasir("build", "tiny.nas", "--sample", "1", cwd=files).stdout
        == nasir("build", "tiny.nas", "--sample", "1", cwd=files).stdout
    )
    open_ends = nasir("build", "tiny.nas", cwd=files)
    assert open_ends.returncode == 1
    assert "E0604" in open_ends.stderr
    both = nasir("build", "tiny.nas", "--largest", "--smallest", cwd=files)
    assert "E0606" in both.stderr
    two = nasir("build", "tiny.nas", "--largest", "--choose", "stem.width=4", "--choose", "stem.width=8", cwd=files)
    assert "error[E0613]: `--choose` gives `stem.width` two values, `4` and `8`\n" in two.stderr
    missing = nasir("build", "tiny.nas", "--choose", "stem.width=4", cwd=files)
    assert "E0603" in missing.stderr
    (files / "choices.json").write_text('{"stem.width": 4}')
    assert "E0603" in nasir("build", "tiny.nas", "--choices", "choices.json", cwd=files).stderr


def test_an_output_that_cannot_be_written_is_a_diagnostic(files):
    failed = nasir("derive", "tiny.nas", "--largest", "-o", "nowhere/arch.nas", cwd=files)
    assert failed.returncode == 1
    assert "E0903" in failed.stderr


def test_explain():
    shown = nasir("explain", "E0201")
    assert shown.returncode == 0
    assert "Wrong:" in shown.stdout
    assert nasir("explain", "E9999").returncode == 1
    assert "E0201" in nasir("explain").stdout


def test_search_then_train_from_the_command_line(files):
    done = nasir("search", "tiny.nas", "--out", "run", "--set", "epochs=2", "--set", "train.epochs=1", cwd=files)
    assert done.returncode == 0, done.stderr
    assert "search 2/2  loss" in done.stdout
    assert "entropy" in done.stdout
    assert "test accuracy" in done.stdout
    choices = json.loads((files / "run" / "choices.json").read_text())
    derived = nasir("derive", "tiny.nas", "--run", "run", cwd=files).stdout
    assert derived == (files / "run" / "arch.nas").read_text()
    assert key(choices["stem.width"]) in {"4", "8"}
    trained = nasir("train", "run/arch.nas", "--out", "again", "--set", "train.epochs=1", cwd=files)
    assert trained.returncode == 0, trained.stderr
    assert json.loads((files / "again" / "summary.json").read_text())["macs"] > 0
    from_source = nasir(
        "train", "run/model.py", "--out", "source", "--set", "epochs=1", "--set", "batch=256", cwd=files
    )
    assert from_source.returncode == 0, from_source.stderr
    assert _figures(files / "source") == _figures(files / "again")
    assert nasir("train", "tiny.nas", "--out", "third", cwd=files).returncode == 1
    assert nasir("search", "run/arch.nas", "--out", "third", cwd=files).returncode == 1
    wrong = nasir("search", "tiny.nas", "--out", "third", "--set", "epoch=3", cwd=files)
    assert "did you mean `epochs`?" in wrong.stderr


def _figures(folder):
    summary = json.loads((folder / "summary.json").read_text())
    return summary["macs"], summary["params"], summary["test_accuracy"]


def test_an_interrupted_search_says_how_to_go_on(files):
    command = ["search", "tiny.nas", "--out", "run", "--set", "epochs=500"]
    process = Command(command, cwd=files, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until_an_epoch_is_done(process)  # the first epoch is done
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--out run --resume" in errors
    assert "Traceback" not in errors


def test_version():
    assert nasir("--version").stdout.startswith("nasir 0.")


def test_the_front_end_does_not_import_torch(files):
    script = (
        "import sys\n"
        "from nasir.cli.main import app\n"
        "for command in ('check digits', 'info digits --json', 'ir digits', 'derive digits --largest'):\n"
        "    app(command.split(), standalone_mode=False)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=files, capture_output=True)


@pytest.mark.slow
def test_a_sweep_searches_each_bound_and_writes_a_table_and_a_plot(files):
    options = ["--set", "epochs=2", "--set", "train.epochs=1", "--out", "family", "--jobs", "2"]
    done = nasir("sweep", "tiny.nas", "--macs", "9K,60%", *options, cwd=files)
    assert done.returncode == 0, done.stderr
    found = json.loads((files / "family" / "sweep.json").read_text())
    assert [one["bound"] for one in found] == ["macs <= 9K", "macs <= 60%"]
    assert found[0]["macs"] <= 9_000
    for one in found:
        assert json.loads((files / "family" / one["folder"] / "summary.json").read_text())["macs"] == one["macs"]
        assert f"| {one['bound']} | {one['macs']:,} |" in (files / "family" / "sweep.md").read_text()
    assert (files / "family" / "sweep.svg").read_text().count("<circle") == 2
    before = (files / "family" / "macs-9K" / "model.safetensors").read_bytes()
    again = nasir("sweep", "tiny.nas", "--macs", "9K,60%", *options, "--resume", cwd=files)
    assert again.returncode == 0
    assert (files / "family" / "macs-9K" / "model.safetensors").read_bytes() == before
    told = (files / "family" / "sweep.json").read_bytes()
    fewer = nasir("sweep", "tiny.nas", "--macs", "60%", *options, "--resume", cwd=files)
    assert fewer.returncode == 1
    assert "error[E0943]: the sweep in `family` has other bounds as well: `macs <= 9K`\n" in fewer.stderr
    assert (files / "family" / "sweep.json").read_bytes() == told


def test_a_sweep_says_before_it_starts_what_cannot_be_reached(files):
    done = nasir("sweep", "tiny.nas", "--macs", "20K,500", "--out", "unreached", cwd=files)
    assert done.returncode == 1
    assert "E0507" in done.stderr
    assert not (files / "unreached").exists()
    assert nasir("sweep", "tiny.nas", cwd=files).returncode == 2


def test_search_needs_a_file_or_a_run_to_repeat(files):
    assert nasir("search", cwd=files).returncode == 2
    (files / "trained").mkdir()
    (files / "trained" / "plan.json").write_text('{"given": {}}')
    for name in ("nowhere", "trained"):
        missing = nasir("search", "--from", name, cwd=files)
        assert missing.returncode == 1
        assert f"error[E0908]: `{name}` contains no search to repeat\n" in missing.stderr
    itself = nasir("search", "--from", "trained", "--out", "../" + files.name + "/trained", "--overwrite", cwd=files)
    assert itself.returncode == 2
    assert "name another folder" in itself.stderr
    nameless = nasir("search", "tiny.nas", "--out", "", cwd=files)
    assert nameless.returncode == 2
    assert "no name" in nameless.stderr
    wrong = nasir("search", "tiny.nas", "--bound", "flops <= 3K", cwd=files)
    assert wrong.returncode == 1
    assert "E0505" in wrong.stderr


def test_a_sweep_s_members_have_folders_of_their_own():
    limits = ["10M", "10M/2", "10M*2", "60%", "10000K", "60.0 %"]
    names = [member.folder.name for member in members("macs", limits, Path("family"))]
    assert names == ["macs-10M", "macs-5000000", "macs-20000000", "macs-60pct"]


def test_a_sweep_touches_nothing_where_it_cannot_start(files):
    text = "space none() {\n  x = image(1, size=8)\n  return x -> conv(3, 8) -> global_avg_pool -> linear(10)\n}\n"
    (files / "none.nas").write_text(text, encoding="utf-8")
    (files / "family" / "macs-9K").mkdir(parents=True)
    (files / "family" / "macs-9K" / "plan.json").write_text("{}")
    before = sorted(files.rglob("*"))
    again = nasir("sweep", "tiny.nas", "--macs", "60%,9K", "--out", "family", cwd=files)
    assert again.returncode == 1
    assert "error[E0901]: `family/macs-9K` already contains a run" in again.stderr
    assert "E0605" in nasir("sweep", "none.nas", "--macs", "9K", "--out", "family", cwd=files).stderr
    assert sorted(files.rglob("*")) == before
    (files / "family" / "sweep.md").write_text("a table")
    other = nasir("sweep", "tiny.nas", "--macs", "8K", "--out", "family", cwd=files)
    assert other.returncode == 1
    assert "error[E0901]: `family` already contains the `sweep.md` of a sweep" in other.stderr
    assert not (files / "family" / "macs-8K").exists()
    failed = nasir("sweep", "tiny.nas", "--macs", "9K", "--out", "family", "--resume", cwd=files)
    assert failed.returncode == 1
    assert (files / "family" / "sweep.md").read_text() == "a table"
    (files / "other" / "macs-9K.log").mkdir(parents=True)
    logless = nasir("sweep", "tiny.nas", "--macs", "9K", "--out", "other", cwd=files)
    assert logless.returncode == 1
    assert "`other/macs-9K.log` cannot be written: Is a directory" in logless.stderr


@pytest.mark.slow
def test_a_sweep_that_is_stopped_saves_its_searches_and_goes_on(files):
    """Stopped, resumed and stopped again: far more epochs than a machine gets through, so that both find it at work."""
    command = ["sweep", "tiny.nas", "--macs", "9K", "--out", "family", "--set", "epochs=100000"]
    log, epochs = files / "family" / "macs-9K.log", []
    for options in ([], ["--resume"]):
        before = _epochs_in(log)
        process = Command([*command, *options], cwd=files, stderr=subprocess.PIPE, text=True)
        _until(lambda wanted=before + 2: _epochs_in(log) >= wanted)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGTERM
        assert "--resume" in errors
        state = RunFolder(files / "family" / "macs-9K").load_checkpoint("search")
        assert state is not None
        epochs.append(state["epoch"])
    assert log.read_text().count("stopped, and saved") == 2
    assert 2 <= epochs[0] < epochs[0] + 2 <= epochs[1]


@pytest.mark.slow
def test_the_searches_of_a_killed_sweep_save_and_stop(files):
    command = ["sweep", "tiny.nas", "--macs", "9K", "--out", "killed", "--set", "epochs=100000"]
    log = files / "killed" / "macs-9K.log"
    process = Command(command, cwd=files)
    _until(lambda: _epochs_in(log) >= 2)
    process.kill()
    process.wait()
    _until(lambda: "stopped, and saved" in log.read_text())
    assert RunFolder(files / "killed" / "macs-9K").load_checkpoint("search") is not None


@pytest.mark.slow
def test_a_sweep_goes_on_where_its_worker_ends(files):
    """With another worker, from the last state; it ends in the bytes of a search that nothing disturbed."""
    options = ["--set", "epochs=8", "--set", "train.epochs=1"]
    process = Command(["sweep", "tiny.nas", "--macs", "9K", *options], cwd=files, stdout=subprocess.PIPE, text=True)
    log = files / "runs" / "tiny_sweep" / "macs-9K.log"
    for end in (signal.SIGTERM, signal.SIGKILL):
        before = _epochs_in(log)
        _until(lambda wanted=before + 2: _epochs_in(log) >= wanted)
        (worker,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(worker), end)
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    words = r"macs <= 9K: its worker ended \((.*)\); another one goes on"
    assert re.findall(words, told) == ["signal 15", "killed by signal 9"]
    assert nasir("search", "tiny.nas", "--bound", "macs <= 9K", *options, "--out", "alone", cwd=files).returncode == 0
    for name in ("arch.nas", "metrics.jsonl", "model.safetensors", "probabilities.jsonl"):
        assert (log.with_suffix("") / name).read_bytes() == (files / "alone" / name).read_bytes()


def test_a_sweep_says_where_it_cannot_be_done(files):
    sweep = ["sweep", "tiny.nas", "--macs", "9K"]
    for options, words in ((["--on", "rays"], "--on ray://HOST:PORT"), (["--gpus", "1"], "is for clusters")):
        done = nasir(*sweep, *options, cwd=files)
        assert done.returncode == 2
        assert words in done.stderr
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    done = nasir(*sweep, "--on", "ray://127.0.0.1:1", cwd=files)
    assert done.returncode == 1
    assert "error[E0966]: the cluster `ray://127.0.0.1:1` cannot be used: Connection refused" in done.stderr


def test_a_search_is_told_of_a_folder_that_its_machine_has_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (member,) = members("macs", ["9K"], Path("family"))
    for here, missing in ((tmp_path / "elsewhere", "elsewhere"), (tmp_path, "family")):
        with pytest.raises(CompileError, match=rf"E0969.*{missing}"):
            searched(here, [], member)


def _until(true):
    """Wait for it, a minute at most."""
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def _epochs_in(log):
    return log.read_text().count("search ") if log.exists() else 0


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_nowhere(files, closed):
    command = f'"{sys.executable}" -P -m nasir info digits {closed}'
    done = subprocess.run(["bash", "-c", command], cwd=files, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_output_that_cannot_be_written_and_readers_that_go_away(files):
    python = f'"{sys.executable}" -P -m nasir'
    full = subprocess.run(
        ["bash", "-c", f"{python} info digits > /dev/full"], cwd=files, capture_output=True, text=True
    )
    assert (full.returncode, full.stderr.split(":")[0]) == (1, "error[E0922]")
    command = f"{python} explain | head -1 > first; exit ${{PIPESTATUS[0]}}"
    gone = subprocess.run(["bash", "-c", command], cwd=files, capture_output=True, text=True)
    assert gone.returncode in {0, 141}  # where all was written before the reader went
    assert gone.stderr == ""


def test_help_is_short_and_long(files):
    assert nasir("search", "-h", cwd=files).stdout == nasir("search", "--help", cwd=files).stdout
