"""The supernet under torch.compile, autocast and channels-last: the same results, at their precision."""

import pytest
import torch

import nasir
from tests.spaces import RESIDUAL

SIZES = RESIDUAL.replace("size=6", "size={4, 5, 6}")


@pytest.fixture(params=[RESIDUAL, SIZES], ids=["one size", "sizes"])
def supernet(request, compiled):
    torch.manual_seed(0)
    return nasir.supernet(compiled(request.param)).train()


def results(network, supernet, images, noise):
    out = network(images, noise=noise)
    loss = out.logits.float().square().sum() + out.cost["macs"] / 1e4
    gradients = torch.autograd.grad(loss, list(supernet.parameters()))
    return out.logits.detach().float(), out.cost["macs"], torch.cat([g.flatten().double() for g in gradients])


def test_it_compiles_without_graph_breaks_to_the_same_results(supernet):
    images = torch.randn(4, 2, 6, 6)
    noise = torch.randn(supernet.gate_count(), dtype=torch.float64)
    whole = torch.compile(supernet, fullgraph=True, backend="aot_eager")
    for a, b in zip(results(whole, supernet, images, noise), results(supernet, supernet, images, noise), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_channels_last_and_bfloat16_give_the_same_results_at_their_precision(supernet):
    images = torch.randn(8, 2, 6, 6)
    noise = torch.randn(supernet.gate_count(), dtype=torch.float64)
    logits, cost, _ = results(supernet, supernet, images, noise)
    supernet.to(memory_format=torch.channels_last)
    last = images.contiguous(memory_format=torch.channels_last)
    again, same_cost, _ = results(supernet, supernet, last, noise)
    torch.testing.assert_close(again, logits, rtol=1e-5, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        out = supernet(last, noise=noise)
    assert out.logits.dtype == torch.bfloat16
    assert out.cost["macs"] == same_cost == cost
    torch.testing.assert_close(out.logits.detach().float(), logits, rtol=0.05, atol=0.05 * float(logits.abs().max()))
