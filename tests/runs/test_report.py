"""report.html: complete in itself, right about the run, at home in a browser; and the other ways to watch."""

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from rich.console import Console

import nasir
from nasir.cli.running import show
from nasir.drawing.curves import Series, plot, short
from nasir.lang.settings import override
from nasir.runs.report import write_report
from nasir.runs.request import Request
from nasir.runs.run import search
from nasir.terminal import Terminal
from tests.searches import run
from tests.spaces import TINY

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def test_the_report_shows_the_run(finished):
    space, folder, summary = finished
    page = (folder / "first" / "report.html").read_text(encoding="utf-8")
    assert f"{summary.test_accuracy:.2%}" in page
    assert "trained from scratch" in page
    assert f"{summary.costs['macs']:,}" in page
    assert f"{summary.bounds['macs']['used']:.1%} of 15,000" in page
    for decision in space.decisions:
        assert f"probabilities of {decision.name} by epoch" in page
    for title in ("Loss of the search", "Multiply-adds", "Temperature", "Loss of the training"):
        assert f"<title>{title}</title>" in page
    assert page.count("<svg") == 8


def test_what_was_chosen_for_several_layers_has_a_row_of_its_own_on_the_page_and_the_terminal(compiled, tmp_path):
    text = """
    let w = {4, 8}
    space shared(classes = 10) {
      x = image(1, size=8)
      return x -> conv(3, w, stride=2) -> relu -> conv({1, 3}, w) -> relu -> global_avg_pool -> linear(classes)
    }
    search {
      epochs     = 1
      candidates = 1
    }
    train { epochs = 1 }
    """
    space = compiled(text)
    shown = Terminal(file=io.StringIO(), width=100)
    result = search(space, Request("digits", tmp_path / "run"), Console(quiet=True))
    show(result, tmp_path / "run", shown)
    width, kernel = result.chosen["w"], result.chosen["result.kernel"]
    assert re.search(rf"return .* kernel {kernel}\b", shown.file.getvalue())
    assert re.search(rf"\(shared\) +w {width}\b", shown.file.getvalue())
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert re.search(rf"<tr><td>\(shared\)</td>.*<td>w {width}</td>", page)


def test_no_request_leaves_the_page(finished):
    _, folder, _ = finished
    page = (folder / "first" / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "<script" not in page
    references = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page)
    assert all(reference.startswith("data:") for reference in references)
    assert not re.search(r"url\((?!#)", page)


def test_the_report_is_the_same_bytes_again_and_of_an_unfinished_run_too(finished, tmp_path):
    _, folder, _ = finished
    before = (folder / "first" / "report.html").read_bytes()
    assert write_report(folder / "first").read_bytes() == before
    for name in ("plan.json", "metrics.jsonl", "probabilities.jsonl", "space.nas"):
        (tmp_path / name).write_bytes((folder / "first" / name).read_bytes())
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "not finished" in page
    assert "likeliest option so far" in page
    assert "(not used)" not in page
    with pytest.raises(nasir.CompileError, match=r"E0908: .* contains no run"):
        write_report(tmp_path / "nowhere")


def test_what_is_in_the_folder_cannot_write_into_the_page(finished, tmp_path):
    _, folder, _ = finished
    for name in ("plan.json", "metrics.jsonl", "probabilities.jsonl"):
        (tmp_path / name).write_bytes((folder / "first" / name).read_bytes())
    plan = json.loads((tmp_path / "plan.json").read_text())
    evil = "</pre><script>alert(1)</script>"
    (tmp_path / "plan.json").write_text(json.dumps({**plan, "space": evil, "data": evil}))
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
@pytest.mark.slow
def test_a_browser_opens_the_report_without_a_complaint(finished, tmp_path):
    _, folder, _ = finished
    picture = tmp_path / "report.png"
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--log-level=0"]
    command += ["--window-size=1380,2000", f"--screenshot={picture}", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*command, (folder / "first" / "report.html").as_uri()], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0
    assert "CONSOLE" not in done.stderr  # neither errors nor refused requests
    assert picture.stat().st_size > 20_000


def test_a_plot_places_its_points_and_names_its_axes():
    picture = plot(
        "Loss", [Series("a", [(0, 0.0), (10, 4.0)]), Series("bound", [(0, 2.0), (10, 2.0)], dashed=True)], "epoch"
    )
    (a, bound) = re.findall(r'points="([^"]*)"', picture)
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in a.split())
    (_, middle), _ = (map(float, point.split(",")) for point in bound.split())
    assert x0 < x1
    assert y1 < middle < y0
    assert middle == pytest.approx((y0 + y1) / 2, abs=0.1)
    assert "a: 4 at 10" in picture
    assert plot("Empty", [], "epoch").startswith("<svg")


@pytest.mark.parametrize("values", [(1e-300, 2e-300), (1e-320, 0.0), (5e-16, 6e-16), (1e300, 2e300), (3.0, 3.0)])
def test_values_of_any_size_can_be_plotted(values):
    assert "nan" not in plot("Tiny", [Series("a", list(enumerate(values)))], "epoch")
    assert "nan" not in plot("Tiny", [Series("a", list(enumerate(values)))], "epoch", from_zero=False)


def test_numbers_on_axes_are_short():
    assert [short(v) for v in (0, 0.25, 1500, 2.5e6, 3e9)] == ["0", "0.25", "1.5K", "2.5M", "3G"]


def test_tensorboard_gets_the_same_figures(compiled, tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    space = compiled(TINY)
    space = replace(space, settings=override(space.settings, ["epochs=2", "train.epochs=1"]))
    run(space, tmp_path / "run", tensorboard=True)
    events = reader.EventAccumulator(str(tmp_path / "run" / "events"))
    events.Reload()
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    losses = [event.value for event in events.Scalars("search/loss")]
    assert losses == pytest.approx([line["loss"] for line in lines if line["phase"] == "search"])
    assert {"search/macs", "search/temperature", "train/loss"} <= set(events.Tags()["scalars"])


def test_events_that_cannot_be_written_are_a_diagnostic(compiled, tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "events").write_text("a file")
    with pytest.raises(nasir.CompileError, match="is not a folder") as caught:
        run(compiled(TINY), tmp_path / "run", tensorboard=True)
    assert caught.value.diagnostics[0].code == "E0914"
