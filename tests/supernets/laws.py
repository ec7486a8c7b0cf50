"""What holds for the supernet of any program, as one check that tests and the fuzzing benchmark share."""

import torch

import nasir
from nasir.execution import network_class
from nasir.supernets import build
from tests.supernets.test_equivalence import as_seen_by, image_batch, randomise


def assert_folding_changes_no_result(space: nasir.Space, seed: int = 0) -> None:
    """The folded and the unfolded supernet agree in outputs and in all gradients, between the networks."""
    folded, unfolded = (build(space.graph, fold=fold).double().train() for fold in (True, False))
    torch.manual_seed(seed)
    randomise(folded)
    next(folded.architecture()).data.normal_()
    unfolded.load_state_dict(folded.state_dict())
    images = image_batch(space, torch.float64, count=2)
    noise = torch.randn(folded.gate_count(), dtype=torch.float64)
    results = []
    for supernet in (folded, unfolded):
        out = supernet(images, noise=noise)
        weighted = (out.logits * torch.arange(out.logits.numel()).view_as(out.logits) / out.logits.numel()).sum()
        loss = weighted + out.cost["macs"] / max(1.0, float(out.cost["macs"].detach()))
        parameters = dict(supernet.named_parameters())
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        results.append((out.logits, dict(zip(parameters, gradients, strict=True))))
    (logits, gradients), (others, other_gradients) = results
    close(logits, others, "logits")
    assert gradients.keys() == other_gradients.keys()
    for name, gradient in gradients.items():
        other = other_gradients[name]
        if gradient is None or other is None:  # what does not follow from a weight has no gradient, or one of zeros
            assert not any(g is not None and bool(g.any()) for g in (gradient, other)), name
            continue
        close(gradient, other, name)


def close(a: torch.Tensor, b: torch.Tensor, name: str) -> None:
    """Equal but for rounding, by the size of the larger."""
    size = max(1.0, float(b.detach().abs().max()) if b.numel() else 1.0)
    torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-9 * size, msg=lambda text: f"{name}: {text}")


def assert_networks_are_emitted(space: nasir.Space, seeds: range, path, strategy="masked") -> None:
    """The supernet at one-hot gates is the emitted module with the sliced weights, in training and evaluation."""
    torch.manual_seed(0)
    supernet = build(space.graph, strategy=strategy).double()
    randomise(supernet)
    images = image_batch(space, torch.float64)
    for seed in seeds:
        choices = space.sample(seed)
        derived = space.at(choices)
        path.write_text(nasir.emit(derived), encoding="utf-8")
        network = network_class(path)().double()
        network.load_state_dict(supernet.state_for(choices), strict=True)
        seen = as_seen_by(derived, images)
        costs = supernet.cost(choices)
        assert {name: int(cost) for name, cost in costs.items()} == dict(derived.costs.at({}))
        for training in (False, True):  # training changes the running statistics
            with torch.no_grad():
                got = supernet.train(training)(images, choices=choices).logits
                expected = network.train(training)(seen)
            close(got, expected, f"choices {choices}")
