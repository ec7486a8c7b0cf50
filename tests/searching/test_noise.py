"""Dropout of a batch that several ranks share: the factors are those of one process."""

import pytest
import torch
from torch import nn

from nasir.carried import DropPath
from nasir.jobs.ranks import Ranks
from nasir.searching.noise import SharedNoise


def network():
    return nn.Sequential(nn.Dropout(0.5), DropPath(0.3), nn.Conv2d(6, 6, 1), nn.Dropout2d(0.4), nn.Dropout(0.2))


def drawn(network, images):
    torch.manual_seed(7)
    return network(images)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("count", [2, 3, 6])
def test_each_image_has_the_noise_that_one_process_gives_it(count, layout):
    whole, shared = network(), network()
    shared.load_state_dict(whole.state_dict())
    images = torch.rand(10, 6, 5, 4).contiguous(memory_format=layout)
    expected = drawn(whole, images)
    noise = SharedNoise(shared, Ranks(0, count))
    for index in range(count):
        noise.share = share = Ranks(index, count).share(len(images))
        mine = slice(share.start, share.stop)
        torch.testing.assert_close(drawn(shared, images[mine]), expected[mine])
    assert torch.equal(shared.eval()(images), whole.eval()(images))


def test_what_reads_no_entry_an_image_draws_for_itself():
    layers = nn.Sequential(nn.Dropout(0.5))
    noise = SharedNoise(layers, Ranks(1, 2))
    noise.share = Ranks(1, 2).share(8)
    tokens = torch.rand(4 * 5, 3)
    assert torch.equal(drawn(layers, tokens), drawn(nn.Sequential(nn.Dropout(0.5)), tokens))


def test_what_adds_noise_is_left_as_it_is():
    layers = nn.Sequential(nn.AlphaDropout(0.5), nn.GaussianNLLLoss())
    before = [layer.forward for layer in layers]
    SharedNoise(layers, Ranks(0, 2))
    assert [layer.forward for layer in layers] == before


def test_one_process_draws_as_torch_does():
    layers = network()
    before = [layer.forward for layer in layers]
    SharedNoise(layers, Ranks())
    assert [layer.forward for layer in layers] == before
