"""The baselines: a copy for each width, and the largest network; lowered from the same graph as the supernet."""

import torch

from nasir.supernets import build
from tests.spaces import RESIDUAL


def tie(explicit, masked):
    """Each copy's weights are the first channels of the masked supernet's."""
    own = dict(masked.named_parameters())
    for name, parameter in explicit.named_parameters():
        whole = own[_untied(name)]
        parameter.data = whole.data[tuple(slice(n) for n in parameter.shape)].clone()


def _untied(name):
    parts = name.split(".")
    return ".".join(part.partition("_width_")[0] for part in parts)


def test_explicit_copies_with_tied_weights_equal_masks(compiled):
    torch.manual_seed(0)
    space = compiled(RESIDUAL.replace("se=true", "se=false"))
    masked = build(space.graph).double().train()
    next(masked.architecture()).data.normal_()
    explicit = build(space.graph, strategy="explicit", fold=False).double().train()
    assert sum(p.numel() for p in explicit.weights()) > 1.5 * sum(p.numel() for p in masked.weights())
    tie(explicit, masked)
    images = torch.randn(4, 2, 6, 6, dtype=torch.float64)
    noise = torch.randn(masked.gate_count(), dtype=torch.float64)
    a, b = masked(images, noise=noise), explicit(images, noise=noise)
    torch.testing.assert_close(a.logits, b.logits, rtol=1e-10, atol=1e-10)
    assert a.cost == b.cost


def test_plain_is_the_largest_network_under_equal_gates(compiled):
    torch.manual_seed(0)
    space = compiled(RESIDUAL)
    masked = build(space.graph).double().train()
    plain = build(space.graph, strategy="plain").double().train()
    assert {d.name.rpartition(".")[2] for d in plain.space.decisions} == {"block"}
    assert not any(p.requires_grad for p in plain.architecture())
    plain.load_state_dict({k: v for k, v in masked.state_dict().items() if "gates" not in k}, strict=False)
    images = torch.randn(4, 2, 6, 6, dtype=torch.float64)
    # The masked supernet with every width at its largest, both alternatives alike: the noise is as good as one-hot.
    noise = torch.cat(
        [
            torch.zeros(len(d.options))
            if d.name.endswith("block")
            else torch.tensor([0.0 if o == max(d.options) else -1e9 for o in d.options])
            for d in space.decisions
        ]
    ).double()
    torch.testing.assert_close(
        masked(images, noise=noise).logits, plain(images, noise=torch.zeros(plain.gate_count())).logits
    )
