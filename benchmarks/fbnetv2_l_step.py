"""One training step of the FBNetV2-L supernets, all candidates: time and memory saved for backward.

`python -m benchmarks.fbnetv2_l_step [--batch 2] [--runs 5]` prints JSON: the eight-alternative space and the factored
one at 256 x 256, the first with its five sizes in each step and with one sampled; interleaved in one process, medians.
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

IMAGE = 256


def supernets() -> dict[str, nn.Module]:
    """What is compared, by name."""
    return {
        "alternatives": nasir.supernet(nasir.load("fbnetv2_l", sizes=IMAGE)),
        "factored": nasir.supernet(nasir.load("fbnetv2_l_factored", sizes=IMAGE)),
        "five sizes": nasir.supernet(nasir.load("fbnetv2_l")),
        "one sampled size": nasir.supernet(nasir.load("fbnetv2_l"), resolution="sampled"),
    }


def step_seconds(network: nn.Module, images: Tensor) -> float:
    """Wall time of a forward and a backward pass, cost included."""
    start = time.perf_counter()
    out = network(images)
    (out.logits.logsumexp(1).mean() + 1e-9 * out.cost["macs"]).backward()
    return time.perf_counter() - start


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--batch", type=int, default=2)
    options.add_argument("--runs", type=int, default=5)
    given = options.parse_args()
    torch.manual_seed(0)
    networks = supernets()
    for network in networks.values():
        network.to(memory_format=torch.channels_last)
    images = torch.randn(given.batch, 3, IMAGE, IMAGE).contiguous(memory_format=torch.channels_last)
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for run in range(given.runs + 1):
        for name, network in networks.items():
            elapsed = step_seconds(network, images)
            if run:  # the first is a warm-up
                seconds[name].append(elapsed)
    times = {name: statistics.median(values) for name, values in seconds.items()}
    memory = {name: saved_bytes(network, images) for name, network in networks.items()}
    print(
        json.dumps(
            {
                "image": IMAGE,
                "batch": given.batch,
                "threads": torch.get_num_threads(),
                "machine": platform.machine(),
                "torch": torch.__version__,
                "seconds": times,
                "saved_bytes": memory,
                "time / alternatives": {name: seconds / times["alternatives"] for name, seconds in times.items()},
                "saved / alternatives": {name: kept / memory["alternatives"] for name, kept in memory.items()},
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
