"""Data-parallel runs of two processes on a CPU: what they compute, that one of them writes, that they resume."""

import json
import os
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.multiprocessing
from filelock import FileLock
from torch.nn import functional as F

import nasir
from nasir.data import batch_count, batches, load_data, shares
from nasir.data.memory import TensorSplit
from nasir.diagnostics import Diagnostic
from nasir.jobs.folder import RunFolder
from nasir.jobs.ranks import Ranks, joined
from nasir.jobs.signals import Pauses
from nasir.lang.settings import override
from nasir.searching import optimizers
from nasir.searching.loop import Search
from nasir.searching.prices import targets
from nasir.supernets.gates import gumbel_noise
from tests.processes import Command
from tests.spaces import TINY

BATCH = 64
CPU = torch.device("cpu")


class DoubleSplit(TensorSplit):
    """Images in float64."""

    def batches(self, index, augmentation):
        return ((images.double(), labels) for images, labels in super().batches(index, augmentation))


def search_of(folder, ranks, synchronised=False):
    """A search in float64, on batches that two ranks divide evenly."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    space = nasir.load(Path(folder) / "tiny.nas")
    space = replace(space, settings=override(space.settings, ["epochs=2", "warmup=0", f"batch={BATCH}", "split=0.5"]))
    data = load_data("digits")
    train = data.train.take(torch.arange(4 * BATCH))
    data = replace(data, train=DoubleSplit(train.images, train.labels, train.most, train.mean, train.std, train.sizes))
    goal = targets(space.settings.objective, space.costs)
    return Search(space, data, goal, 0, CPU, ranks, synchronised=synchronised)


def run(loop, folder):
    run_folder = RunFolder(Path(folder), writes=loop._ranks.first)
    if loop._ranks.first:
        run_folder.start(overwrite=False)
    loop.run(run_folder, lambda epoch, values: None, Pauses())


def rank_main(index, folder, port, synchronised, count):
    """What each of the processes does."""
    os.environ.update(RANK=str(index), WORLD_SIZE=str(count), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    with joined(CPU) as ranks:
        rank_search(index, folder, ranks, synchronised)


def rank_search(index, folder, ranks, synchronised):
    loop = search_of(folder, ranks, synchronised)
    run(loop, f"{folder}/run")
    torch.save(loop.strategy.supernet.state_dict(), f"{folder}/rank{index}.pt")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def searched_by(count, folder, synchronised=False):
    """The supernet's weights on each of so many ranks."""
    (folder / "tiny.nas").write_text(TINY, encoding="utf-8")
    torch.multiprocessing.start_processes(
        rank_main, (str(folder), free_port(), synchronised, count), nprocs=count, start_method="fork"
    )
    return [torch.load(folder / f"rank{index}.pt", weights_only=True) for index in range(count)]


@pytest.fixture(autouse=True)
def _one_at_a_time(tmp_path_factory):
    """A port that is free for two runs at once would join them."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "ranks.lock"):
        yield


@pytest.fixture
def default_dtype():
    yield
    torch.set_default_dtype(torch.float32)


def halves_in_one_process(folder):
    """By hand: each step runs both half-batches with the same gates and takes the mean of their gradients."""
    loop = search_of(folder, Ranks())
    supernet, settings, seed = loop.strategy.supernet.train(), loop._settings, 0
    (logits,) = supernet.architecture()
    weights = list(supernet.weights())
    optimizer = [
        optimizers.make(settings.weights, weights),
        optimizers.make(settings.architecture, [logits]),
    ]
    logits.requires_grad_(True)
    for epoch in range(settings.epochs):
        supernet.temperature.fill_(settings.temperature_at(epoch))
        for part in (0, 1):
            steps = batch_count(loop._task.parts[part], BATCH)
            for step, (images, labels) in enumerate(batches(loop._task.parts[part], BATCH, 2 * seed + part, epoch)):
                at = epoch * steps + step
                noise = gumbel_noise(supernet.gate_count(), seed, 2 * at + part)
                wanted = [logits] if part else weights
                gradients = []
                for half in range(2):
                    x, y = (t[half * BATCH // 2 : (half + 1) * BATCH // 2] for t in (images, labels))
                    out = supernet(x, noise=noise)
                    loss = F.cross_entropy(out.logits, y)
                    loss = loop.strategy.prices.loss(loss, out.cost) if part else loss
                    gradients.append(torch.autograd.grad(loss, wanted))
                if part == 0:
                    total = settings.epochs * steps
                    optimizers.set_cosine(optimizer[0], settings.weights, at, total)
                for parameter, one, other in zip(wanted, *gradients, strict=True):
                    parameter.grad = (one + other) / 2
                optimizer[part].step()
                if part:
                    costs = {name: float(cost.detach()) for name, cost in out.cost.items()}
                    loop.strategy.prices.update(costs, loop._task.space.costs.at(supernet.argmax()), supernet.entropy())
    return supernet.state_dict()


def rank_reads(index, folder, port):
    """The second image of the second rank cannot be read, and the first rank cannot write."""
    os.environ.update(RANK=str(index), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))

    def read():
        yield 1
        if index == 1:
            raise nasir.CompileError(Diagnostic("E0805", "of the second"))
        yield 2

    def write():
        raise nasir.CompileError(Diagnostic("E0903", "of the first"))

    found = []
    with joined(CPU) as ranks:
        try:
            for item in ranks.each(read(), CPU):
                found.append(item)
        except nasir.CompileError as error:
            found += [one.message for one in error.diagnostics]
        try:
            ranks.lead(write)
        except nasir.CompileError as error:
            found += [one.message for one in error.diagnostics]
        found += ranks.each(iter([3, 4]), CPU)
    Path(folder, f"rank{index}.json").write_text(json.dumps(found))


@pytest.mark.slow
def test_what_one_rank_cannot_read_or_write_ends_all_of_them_alike(tmp_path):
    torch.multiprocessing.start_processes(rank_reads, (str(tmp_path), free_port()), nprocs=2, start_method="fork")
    for index in range(2):
        found = json.loads((tmp_path / f"rank{index}.json").read_text())
        assert found == [1, "of the second", "of the first", 3, 4]


@pytest.mark.slow
def test_two_ranks_are_one_process_that_averages_the_gradients_of_two_half_batches(tmp_path, default_dtype):
    first, second = searched_by(2, tmp_path)
    expected = halves_in_one_process(tmp_path)
    for name, value in expected.items():
        torch.testing.assert_close(first[name], value, rtol=1e-6, atol=1e-9, msg=name)
        torch.testing.assert_close(second[name], value, rtol=1e-6, atol=1e-9, msg=name)
    assert len(list(RunFolder(tmp_path / "run").lines("metrics.jsonl"))) == 2  # one writer


@pytest.mark.slow
def test_synchronised_batch_norms_make_three_ranks_one_process_with_whole_batches(tmp_path, default_dtype):
    """Which three do not divide evenly."""
    found = searched_by(3, tmp_path, synchronised=True)
    alone = search_of(tmp_path, Ranks())
    run(alone, tmp_path / "alone")
    for name, value in alone.strategy.supernet.state_dict().items():
        for weights in found:
            torch.testing.assert_close(weights[name], value, rtol=1e-6, atol=1e-9, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["dmasking", "evolution", "halving"])
def test_two_ranks_killed_and_resumed_end_in_the_same_bytes(strategy, tmp_path):
    (tmp_path / "tiny.nas").write_text(TINY, encoding="utf-8")

    def start(out, *options):
        """The ranks, as torchrun starts them (`test_security.py` has it do that)."""
        shared = {
            "WORLD_SIZE": "2",
            "LOCAL_WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free_port()),
        }
        return [
            Command(
                ["search", "tiny.nas", "--set", f"strategy={strategy}", "--out", out, *options],
                cwd=tmp_path,
                env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]

    def ended(ranks):
        """What they printed together."""
        told = [rank.communicate(timeout=120) for rank in ranks]
        assert [rank.returncode for rank in ranks] == [0, 0], told
        return "".join(output for output, _ in told)

    assert ended(start("whole")).count("test accuracy") == 1
    killed = start("killed")
    until = time.monotonic() + 60
    while not (tmp_path / "killed" / "checkpoint" / "search.pt").exists() and time.monotonic() < until:
        time.sleep(0.01)
    for rank in killed:
        rank.kill()
        rank.communicate()
    ended(start("killed", "--resume"))
    for name in ("arch.nas", "metrics.jsonl", "probabilities.jsonl", "choices.json", "model.safetensors", "plan.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes(), name


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("size", [64, 100, 7, 3])
def test_ranks_share_each_batch_and_lose_none_of_it(count, size):
    data = load_data("digits").train
    data = data.take(torch.arange(2 * size + 3))
    whole = list(batches(data, size, 0, 0))
    assert len(whole) == batch_count(data, size)
    parts = [list(batches(data, size, 0, 0, Ranks(i, count))) for i in range(count)]
    weights = [[share.weight for share in shares(len(data), size, Ranks(i, count))] for i in range(count)]
    for step, (images, _) in enumerate(whole):
        mine = [rank[step][0] for rank in parts]
        assert min(map(len, mine)) > 1
        means = sum(part.mean(0) * one[step] for part, one in zip(mine, weights, strict=True)) / count
        torch.testing.assert_close(means, images.mean(0))
        if len(images) >= 2 * count:
            assert torch.equal(torch.cat(mine), images)
        else:  # batch statistics need two images
            assert all(torch.equal(part, images) for part in mine)
