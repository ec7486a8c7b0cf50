"""fold-masks changes what is computed and kept, and no result: outputs and all gradients, between the networks."""

import torch

from nasir.supernets import build
from tests.conftest import each_searched_space
from tests.supernets.test_equivalence import image_batch, randomise, small


@each_searched_space
def test_folded_and_unfolded_supernets_agree_in_outputs_and_gradients(path):
    space = small(path, sizes=48)
    folded, unfolded = (build(space.graph, fold=fold).double().train() for fold in (True, False))
    torch.manual_seed(0)
    randomise(folded)
    next(folded.architecture()).data.normal_()
    unfolded.load_state_dict(folded.state_dict())
    images = image_batch(space, torch.float64, count=2)
    noise = torch.randn(folded.gate_count(), dtype=torch.float64)
    results = []
    for supernet in (folded, unfolded):
        out = supernet(images, noise=noise)
        weighted = (out.logits * torch.arange(out.logits.numel()).view_as(out.logits) / out.logits.numel()).sum()
        loss = weighted + out.cost["macs"] / float(out.cost["macs"].detach())
        parameters = dict(supernet.named_parameters())
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        results.append((out.logits, dict(zip(parameters, gradients, strict=True))))
    (logits, gradients), (others, other_gradients) = results
    torch.testing.assert_close(logits, others, rtol=1e-9, atol=1e-9)
    assert gradients.keys() == other_gradients.keys()
    for name, gradient in gradients.items():
        if other_gradients[name] is None:
            assert gradient is None, name
            continue
        size = float(other_gradients[name].abs().max())
        torch.testing.assert_close(gradient, other_gradients[name], rtol=1e-9, atol=1e-9 * max(1.0, size), msg=name)
