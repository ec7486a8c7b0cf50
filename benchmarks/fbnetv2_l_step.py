"""One training step of the FBNetV2-L supernets, all candidates: time and memory saved for backward.

`python -m benchmarks.fbnetv2_l_step [--image 256] [--batch 2] [--runs 5]` prints JSON: the eight-alternative space, the
factored one, and the ratio of the two, interleaved in one process, medians of the runs.
"""

import argparse
import json
import platform
import statistics
import time

import torch
from torch import Tensor, nn

import nasir
from benchmarks.memory import saved_bytes

SPACES = ("fbnetv2_l", "fbnetv2_l_factored")


def step_seconds(network: nn.Module, images: Tensor) -> float:
    """Wall time of a forward and a backward pass, cost included."""
    start = time.perf_counter()
    out = network(images)
    (out.logits.logsumexp(1).mean() + 1e-9 * out.cost["macs"]).backward()
    return time.perf_counter() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--image", type=int, default=256)
    options.add_argument("--batch", type=int, default=2)
    options.add_argument("--runs", type=int, default=5)
    given = options.parse_args()
    torch.manual_seed(0)
    networks = {name: nasir.supernet(nasir.load(name)) for name in SPACES}
    for network in networks.values():
        network.to(memory_format=torch.channels_last)
    images = torch.randn(given.batch, 3, given.image, given.image).contiguous(memory_format=torch.channels_last)
    seconds: dict[str, list[float]] = {name: [] for name in SPACES}
    for run in range(given.runs + 1):
        for name, network in networks.items():
            elapsed = step_seconds(network, images)
            if run:  # the first is a warm-up
                seconds[name].append(elapsed)
    times = {name: statistics.median(values) for name, values in seconds.items()}
    memory = {name: saved_bytes(network, images) for name, network in networks.items()}
    plain, factored = SPACES
    print(
        json.dumps(
            {
                "image": given.image,
                "batch": given.batch,
                "threads": torch.get_num_threads(),
                "machine": platform.machine(),
                "torch": torch.__version__,
                "seconds": times,
                "saved_bytes": memory,
                "factored / alternatives": {
                    "time": times[factored] / times[plain],
                    "saved_bytes": memory[factored] / memory[plain],
                },
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
