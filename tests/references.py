"""Networks filled by a formula, and what is told of them: `python -m benchmarks.references` records it of published
implementations, tests compare it with the emitted networks'."""

import math
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

PLACES = 12  # numbers kept of an output


def uniform(shape: Iterable[int], seed: int) -> Tensor:
    """Numbers in [-1, 1) by a hash of the seed and the element's number, in integers: the same on every machine, and,
    as a wave over the elements' numbers would not be, of full rank."""
    shape = tuple(shape)
    bits = torch.arange(math.prod(shape)).add_(seed * 0x9E3779B1)
    for _ in range(2):
        bits.bitwise_and_(0xFFFFFFFF)
        bits ^= bits >> 16
        bits *= 0x45D9F3B
    bits.bitwise_and_(0xFFFFFFFF)
    bits ^= bits >> 16
    return bits.double().div_(2**31).sub_(1).reshape(shape)


def example(shape: Iterable[int]) -> Tensor:
    """One input, of variance 1."""
    return uniform((1, *shape), 2**16) * math.sqrt(3)


# A tensor of one dimension: the middle of its numbers, and how far they are from it.
_VECTORS = {"weight": (1.0, 0.1), "bias": (0.0, 0.05), "running_mean": (0.0, 0.1), "running_var": (1.0, 0.1)}
_LAYER_SCALE = (1 / 3, 0.1)


def _numbers(name: str, shape: torch.Size, seed: int) -> Tensor:
    """What a tensor is filled with.

    Depthwise kernels have He's variance, others a little less, for shortcuts add up: what comes out of networks of 5 to
    200 layers is neither lost among biases nor of a size where gates stand still.
    """
    numbers = uniform(shape, seed)
    if name == "weight" and len(shape) > 1:
        gain = 1.5 if shape[1] > 1 else 2.0
        return numbers * math.sqrt(3 * gain / math.prod(shape[1:]))  # the variance of a uniform number is a third
    middle, reach = _VECTORS.get(name, _LAYER_SCALE)
    return numbers * reach + middle


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """The tensors that a module itself computes with, by name."""
    own = {**dict(module.named_parameters(recurse=False)), **dict(module.named_buffers(recurse=False))}
    return {name: tensor for name, tensor in sorted(own.items()) if tensor.is_floating_point()}


def filled(module: nn.Module, inputs: Tensor) -> Any:
    """The output of a module in evaluation, each part of which was filled by the formula right before its first call.

    A tensor's numbers depend on its name, its shape and the place of its owner in the order of first calls. Owners of
    bare parameters, as of a layer scale, are counted apart from the layers, whose tensors have torch's names.

    Raises:
        ValueError: where a part is never called.
    """
    layers, scales, met = count(), count(), set[nn.Module]()

    def fill(part: nn.Module, _: object) -> None:
        if part in met or not (tensors := _tensors(part)):
            return
        met.add(part)
        number = next(layers if "weight" in tensors else scales)
        for name, tensor in tensors.items():
            seed = 8 * number + [*_VECTORS, name].index(name)
            tensor.copy_(_numbers(name, tensor.shape, seed))

    hooks = [part.register_forward_pre_hook(fill) for part in module.modules()]
    with torch.no_grad():
        outputs = module.eval()(inputs)
    for hook in hooks:
        hook.remove()
    if left := [name for name, part in module.named_modules() if part not in met and _tensors(part)]:
        raise ValueError(f"never called: {', '.join(left)}")
    return outputs


def told(module: nn.Module, shape: Iterable[int]) -> dict[str, Any]:
    """Parameters, multiply-adds and outputs of a network that is filled by the formula, in float64."""
    with FlopCounterMode(display=False) as counter:
        outputs = filled(module.double(), example(shape))
    return {
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "macs": counter.get_total_flops() // 2,
        "outputs": [_told_of(output) for output in _flat(outputs)],
    }


def _flat(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs]
    parts = outputs.values() if isinstance(outputs, Mapping) else outputs
    return [tensor for part in parts for tensor in _flat(part)]


def _told_of(output: Tensor) -> dict[str, Any]:
    """An output by sums over all of it and by numbers at places that are spread over it."""
    numbers = output.flatten()
    kept = min(PLACES, len(numbers))
    places = [place * (len(numbers) - 1) // (kept - 1) for place in range(kept)]
    return {
        "shape": list(output.shape),
        "sum": numbers.sum().item(),
        "mean_abs": numbers.abs().mean().item(),
        "numbers": numbers[places].tolist(),
    }
