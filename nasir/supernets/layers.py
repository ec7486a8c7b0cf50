"""The few operations a supernet has that a plain network has not."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint  # pyright: ignore[reportUnknownVariableType]

from nasir.carried import Scale

P = ParamSpec("P")
T = TypeVar("T")


def recomputed(function: Callable[P, T]) -> Callable[P, T]:
    """The function, keeping its arguments alone for backward and computing the rest again; nothing random is in it."""
    if not torch.is_grad_enabled():
        return function
    if torch.compiler.is_compiling():
        return cast(Callable[P, T], partial(checkpoint, function, use_reentrant=False, preserve_rng_state=False))
    return partial(_recomputed, function)


def _recomputed(function: Callable[..., T], *arguments: Any) -> T:
    # torch's own checkpoint does the same, and imports its compiler on the first call: 1.7 s.
    again = _Again(function, arguments)
    with saved_tensors_hooks(again.pack, again.unpack):
        return function(*arguments)


class _Kept(torch.autograd.Function):
    """Keeps tensors as every operation keeps its own: hooks of autograd see them."""

    @staticmethod
    def forward(nothing: Tensor, *tensors: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return nothing.detach()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs[1:])


class _Again:
    """What a function saves for backward, computed when backward asks for it: the n-th tensor saved is the n-th that a
    second run of it saves."""

    def __init__(self, function: Callable[..., object], arguments: Sequence[Any]) -> None:
        self._function = function
        tensors = [a for a in arguments if isinstance(a, Tensor)]
        self._others = [None if isinstance(a, Tensor) else a for a in arguments]
        self._is_tensor = [isinstance(a, Tensor) for a in arguments]
        self._kept: Any = _Kept.apply(torch.empty(0, requires_grad=True), *tensors)
        self._count = 0
        self._saved: dict[int, Tensor] = {}
        self._lower = {kind: _lower_precision(kind) for kind in ("cpu", "cuda")}

    def pack(self, tensor: Tensor) -> int:
        self._count += 1
        return self._count - 1

    def unpack(self, number: int) -> Tensor:
        if number not in self._saved:
            self._run()
        return self._saved.pop(number)

    def _run(self) -> None:
        saved: list[Tensor] = []
        with ExitStack() as around, torch.enable_grad():
            for kind, dtype in self._lower.items():
                around.enter_context(torch.autocast(kind, dtype, enabled=dtype is not None))
            around.enter_context(saved_tensors_hooks(lambda tensor: saved.append(tensor.detach()), _unasked))
            self._function(*self._arguments())
        assert len(saved) == self._count, "a second run saves what the first did"
        self._saved = dict(enumerate(saved))

    def _arguments(self) -> list[Any]:
        tensors = iter(self._kept.grad_fn.saved_tensors)
        return [next(tensors) if is_tensor else a for a, is_tensor in zip(self._others, self._is_tensor, strict=True)]


def _lower_precision(kind: str) -> torch.dtype | None:
    """The precision that a device's operations run in, where autocast lowers it."""
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None


def _unasked(nothing: object) -> Tensor:
    raise AssertionError("nothing goes backward through the second run")


def masked(x: Tensor, mask: Tensor) -> Tensor:
    """The channels of x, [N, C, ...], times the mask, [C] (Eq. 3)."""
    return x * mask.to(x.dtype).view(1, -1, *[1] * (x.dim() - 2))


def mixture(weights: Tensor, operands: Sequence[Tensor], channels: int) -> Tensor:
    """The sum of weights[i] * operands[i], each zero-padded to `channels` (Eq. 1)."""
    weights = weights.to(operands[0].dtype)
    total = fit(operands[0] * weights[0], channels)
    for i in range(1, len(operands)):
        total = total + fit(operands[i] * weights[i], channels)
    return total


def added(terms: Sequence[Tensor]) -> Tensor:
    """The sum of terms of one shape."""
    first, *others = terms
    for other in others:
        first = first + other
    return first


def picked(weights: Tensor, operands: Sequence[Tensor], places: Sequence[str], subsets: Sequence[str]) -> Tensor:
    """The sum of the operands, each times the probability of the subsets, [subsets], that have its place."""
    has = [[float(place in subset.split("_")) for subset in subsets] for place in places]
    return sum_of((weights.new_tensor(has) @ weights).to(operands[0].dtype), operands)


def total(terms: Sequence[Tensor], channels: int, gates: Tensor | None = None, gated: Sequence[int] = ()) -> Tensor:
    """The sum of the terms, each cropped or zero-padded to `channels`; gates[i] multiplies the term gated[i]."""
    weights = dict(zip(gated, () if gates is None else gates.to(terms[0].dtype).unbind(), strict=True))
    found: Tensor | None = None
    for i, term in enumerate(terms):
        term = fit(term, channels)
        if i not in weights:
            found = term if found is None else found + term
        else:
            found = term * weights[i] if found is None else torch.addcmul(found, term, weights[i])
    assert found is not None, "a sum has terms"
    return found


def blend(x: Tensor, gate: Tensor) -> Tensor:
    """1 + gate * (x - 1), the gate of shape [1]."""
    return 1.0 + gate.to(x.dtype) * (x - 1.0)


def mixed_convolution(
    x: Tensor,
    gates: Tensor,
    kernels: Sequence[Tensor],
    biases: Sequence[Tensor],
    stride: int | tuple[int, int],
    dilation: int | tuple[int, int],
    groups: int,
    mask: Tensor | None = None,
) -> Tensor:
    """The sum of gates[i] * convolution with kernels[i], as one convolution: sum of g_k * pad(w_k), which is exact for
    kernels that are centred over the pixel they make. `mask`, [C], is of x."""
    gates = gates.to(x.dtype)
    rank = x.dim() - 2
    largest = [max(kernel.shape[2 + axis] for kernel in kernels) for axis in range(rank)]
    weight = sum_of(gates, [_widened(kernel, largest) for kernel in kernels])
    weight = weight if mask is None else cleared(weight, mask)
    bias = sum_of(gates, biases) if biases else None
    dilations = (dilation,) * rank if isinstance(dilation, int) else dilation
    padding = tuple(d * (size // 2) for d, size in zip(dilations, largest, strict=True))
    convolve = F.conv2d if rank == 2 else F.conv1d
    return convolve(x, weight, bias, stride, padding, dilation, groups)


def _widened(kernel: Tensor, sizes: Sequence[int]) -> Tensor:
    """A kernel with zeros around it, on both sides alike."""
    missing = [(size - own) // 2 for size, own in zip(sizes, kernel.shape[2:], strict=True)]
    return F.pad(kernel, [n for axis in reversed(missing) for n in (axis, axis)])


def mixed_activation(x: Tensor, gates: Tensor, functions: Sequence[str]) -> Tensor:
    """The sum of gates[i] * F.functions[i](x), keeping x alone for backward."""
    return recomputed(_activated)(x, gates.to(x.dtype), functions)


def _activated(x: Tensor, gates: Tensor, functions: Sequence[str]) -> Tensor:
    return sum_of(gates, [getattr(F, name)(x) for name in functions])


def sum_of(gates: Tensor, terms: Sequence[Tensor]) -> Tensor:
    """The sum of gates[i] * terms[i], all of one shape."""
    total = terms[0] * gates[0]
    for i in range(1, len(terms)):
        total = total + terms[i] * gates[i]
    return total


def residual(x: Tensor, y: Tensor, equal: Tensor) -> Tensor:
    """y + P(equal shapes) * fit(x): the shortcut of a block whose ends have undecided widths. `equal` has shape [1]."""
    if x.shape[2:] != y.shape[2:]:
        return y  # the largest maps differ, so the shapes are never equal
    return y + fit(x * equal.to(x.dtype), y.shape[1])


def unchanged(x: Tensor) -> Tensor:
    """What a supernet makes of dropout: the architecture is searched without it."""
    return x


def named(names: Sequence[str], values: Sequence[Tensor]) -> dict[str, Tensor]:
    """Several outputs by their names."""
    return dict(zip(names, values, strict=True))


def map_size(x: Tensor) -> torch.Size:
    """The sizes of a map or a sequence."""
    return x.shape[2:]


def fit(x: Tensor, channels: int) -> Tensor:
    """x cropped or zero-padded to `channels` channels."""
    missing = channels - x.shape[1]
    if missing == 0:
        return x
    return F.pad(x, [0, 0] * (x.dim() - 2) + [0, missing])


def cleared(weight: Tensor, mask: Tensor) -> Tensor:
    """A weight, [out, in, ...], that reads what it read of x in x * mask, the mask of shape [in]. Of groups, [in] is
    one of them: they are alike."""
    own = mask[: weight.shape[1]]
    return weight * own.to(weight.dtype).view(1, -1, *[1] * (weight.dim() - 2))


class SearchConv2d(nn.Conv2d):
    """A convolution that can read its input under a mask, [in], by scaling its weight."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        weight = self.weight if mask is None else cleared(self.weight, mask)
        return self._conv_forward(input, weight, self.bias)


class SearchConv1d(nn.Conv1d):
    """A convolution of sequences that can read its input under a mask, [in], by scaling its weight."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        weight = self.weight if mask is None else cleared(self.weight, mask)
        return self._conv_forward(input, weight, self.bias)


class SearchConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that can read its input under a mask, [in], by scaling its weight."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        weight = self.weight if mask is None else masked(self.weight.transpose(0, 1), mask).transpose(0, 1)
        assert not isinstance(self.padding, str), "torch has no words for it here"
        place = (self.stride, self.padding, self.output_padding, self.groups)
        return F.conv_transpose2d(input, weight, self.bias, *place)


class SearchConvTranspose1d(nn.ConvTranspose1d):
    """As `SearchConvTranspose2d`, of sequences."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        weight = self.weight if mask is None else masked(self.weight.transpose(0, 1), mask).transpose(0, 1)
        assert not isinstance(self.padding, str), "torch has no words for it here"
        place = (self.stride, self.padding, self.output_padding, self.groups)
        return F.conv_transpose1d(input, weight, self.bias, *place)


class SearchScale(Scale):
    """Learned factors that `scale`, [C] or [1], multiplies: a mask and a gate of the output."""

    def forward(self, x: Tensor, scale: Tensor | None = None) -> Tensor:
        if scale is None:
            return super().forward(x)
        return x * (self.gamma * scale.to(self.gamma.dtype).view(-1, *[1] * (self.gamma.dim() - 1)))


class SearchLinear(nn.Linear):
    """A linear layer that can read its input under a mask, [in], by scaling its weight."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        return F.linear(input, self.weight if mask is None else cleared(self.weight, mask), self.bias)


class SearchBatchNorm(nn.modules.batchnorm._BatchNorm):  # pyright: ignore[reportPrivateUsage]
    """Batch norm that trains on batch statistics and leaves its running ones alone.

    A supernet's step mixes widths and paths, so an average over steps describes no network. `reestimate_batch_norms`
    writes the running statistics for one network, before that network is evaluated.
    """

    estimating = False
    synchronised = False

    def forward(self, input: Tensor, scale: Tensor | None = None) -> Tensor:
        """`scale`, [C] or [1], multiplies the affine weight and bias: a mask and a gate of the output."""
        weight, bias = self.weight, self.bias
        if scale is not None:
            scale = scale.to(weight.dtype)
            weight, bias = weight * scale, bias * scale
        if not (self.training or self.estimating):
            return F.batch_norm(input, self.running_mean, self.running_var, weight, bias, eps=self.eps)
        if not self.estimating and self.synchronised:
            return self._over_ranks(input, weight, bias)
        if not self.estimating:
            return F.batch_norm(input, None, None, weight, bias, training=True, eps=self.eps)
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        share = 1.0 / float(self.num_batches_tracked)
        return F.batch_norm(input, self.running_mean, self.running_var, weight, bias, True, share, self.eps)

    def _over_ranks(self, input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Batch norm with the statistics of all ranks' images."""
        axes = [axis for axis in range(input.dim()) if axis != 1]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        centred = wide(input) - _rank_mean(wide(input).mean(axes), len(input)).view(shape)
        variance = _rank_mean(centred.square().mean(axes), len(input))
        scale = weight * (variance + self.eps).rsqrt()
        return (centred * scale.view(shape) + bias.view(shape)).to(input.dtype)

    def _check_input_dim(self, input: Tensor) -> None:
        """Maps and vectors alike."""


class SearchLayerNorm(nn.LayerNorm):
    """Layer norm over the channels of x, [N, C, ...], that weights its statistics by a mask, [C]."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:
        x = input.movedim(1, -1)
        if mask is None:
            return super().forward(x).movedim(-1, 1)
        share = (mask / mask.sum()).to(wide(x).dtype)
        centred = wide(x) - (wide(x) * share).sum(-1, keepdim=True)
        variance = (centred.square() * share).sum(-1, keepdim=True)
        normal = (centred * (variance + self.eps).rsqrt()).to(x.dtype)
        return (normal * self.weight + self.bias).movedim(-1, 1)


class SearchRMSNorm(nn.RMSNorm):
    """RMS norm over the channels of x, [N, C, ...], that weights its mean by a mask, [C]."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        x = input.movedim(1, -1)
        if mask is None:
            return super().forward(x).movedim(-1, 1)
        share = (mask / mask.sum()).to(wide(x).dtype)
        mean = (wide(x).square() * share).sum(-1, keepdim=True)
        normal = (wide(x) * (mean + (self.eps or 0.0)).rsqrt()).to(x.dtype)
        return (normal * self.weight).movedim(-1, 1)


def _rank_mean(values: Tensor, count: int) -> Tensor:
    """The mean over all processes of values, [C], that are means over so many images each, with gradients through
    it."""
    total = cast(Tensor, _RankSum.apply(torch.cat([values * count, values.new_tensor([count])])))
    return total[:-1] / total[-1]


class _RankSum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _summed(gradient)


def _summed(values: Tensor) -> Tensor:
    total = values.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total


def wide(x: Tensor) -> Tensor:
    """Statistics are taken in float32 at least."""
    return x if x.dtype == torch.float64 else x.float()
