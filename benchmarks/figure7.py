"""The paper's Figure 7: memory against the number of options, conventional DNAS and masks and no search.

`python -m benchmarks.figure7 [--out DIR] [--batch N] [--device D]` (`make bench-memory`) writes JSON, SVG and PNG.
Left: every width and every expansion of ten inverted residuals has this many options. Right: the same without explicit
copies, over one network without a search. Memory is what autograd keeps for backward, and the peak of allocation.
"""

import argparse
import json
import platform
from pathlib import Path

import matplotlib
import torch

from benchmarks.measure import peak_bytes, saved_bytes
from benchmarks.spaces import ten_layers
from benchmarks.steps import Bench, compiled

matplotlib.use("Agg")
from matplotlib import pyplot as plt

OPTIONS = (1, 2, 4, 8, 16, 32)
MOST_COPIES = 8  # explicit copies of more outgrow small machines, as they do in the paper


def measured(batch: int, device: torch.device) -> list[dict[str, float | str]]:
    """Saved bytes and peak for each lowering and number of options."""
    images = torch.randn(batch, 3, 64, 64, device=device).contiguous(memory_format=torch.channels_last)
    points: list[dict[str, float | str]] = []
    for options in OPTIONS:
        space = compiled(ten_layers(options))
        strategies = ["masked", *(["explicit"] if options <= MOST_COPIES else [])]
        for strategy in strategies if options > 1 else ["plain"]:
            network = Bench(1, device).supernet(space, strategy=strategy, fold=strategy != "explicit")
            saved, peak = saved_bytes(network, images), peak_bytes(network, images)
            points.append({"strategy": strategy, "options": options, "saved_bytes": saved, "peak_bytes": peak})
            print(f"{strategy:9} {options:3} options  saved {saved / 2**20:8.1f} MiB  peak {peak / 2**20:8.1f} MiB")
    return points


def drawn(points: list[dict[str, float | str]], out: Path) -> None:
    """Both plots, as SVG and PNG."""
    plt.rcParams.update({"svg.hashsalt": "nasir", "font.size": 9, "svg.fonttype": "none"})
    plain = next(p for p in points if p["strategy"] == "plain")
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for strategy, colour, label in (
        ("explicit", "#bf5700", "a copy for each width (DNAS)"),
        ("masked", "#0969da", "masks (DMaskingNAS)"),
    ):
        line = [plain, *(p for p in points if p["strategy"] == strategy)]
        options = [float(p["options"]) for p in line]
        left.plot(options, [float(p["peak_bytes"]) / 2**20 for p in line], "o-", color=colour, label=label)
        if strategy == "masked":
            for key, style, name in (
                ("saved_bytes", "o-", "saved for backward"),
                ("peak_bytes", "s--", "peak allocation"),
            ):
                share = [100 * (float(p[key]) / float(plain[key]) - 1) for p in line]
                right.plot(options, share, style, color=colour, label=name)
    left.axhline(float(plain["peak_bytes"]) / 2**20, color="#57606a", linestyle=":", label="no search")
    left.set(xlabel="options for every width and expansion", ylabel="peak memory of a step (MiB)", xscale="log", ylim=0)
    right.set(xlabel="options for every width and expansion", ylabel="masks over no search (%)", xscale="log")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(OPTIONS, [str(k) for k in OPTIONS])
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, loc="upper left" if axes is left else "center right")
    right.set_ylim(0, max(3.0, right.get_ylim()[1]))
    figure.savefig(out / "figure7.svg", metadata={"Date": None})
    figure.savefig(out / "figure7.png", dpi=160)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=Path("runs/bench"))
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--device", default="cpu")
    given = options.parse_args()
    points = measured(given.batch, torch.device(given.device))
    given.out.mkdir(parents=True, exist_ok=True)
    facts = {
        "batch": given.batch,
        "image": 64,
        "device": given.device,
        "machine": platform.machine(),
        "torch": torch.__version__,
        "points": points,
    }
    (given.out / "figure7.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    drawn(points, given.out)


if __name__ == "__main__":
    main()
