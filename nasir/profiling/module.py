"""A kernel as a torch module of one input."""

import operator
from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasir.cost.written import Applied, Written
from nasir.ir.graph import Type
from nasir.ir.ops import OPS, torch_argument
from nasir.ir.values import Ref, Scalar, Value

_OPERATORS: Mapping[str, Callable[..., Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}


class KernelModule(nn.Module):
    """A kernel of decided sizes. `forward` takes its first input, [N, channels, sizes]; the others are buffers, as a
    network would have them in memory too."""

    def __init__(self, kernel: Written, batch: int = 1) -> None:
        super().__init__()
        self.steps = nn.ModuleList()
        first, *others = kernel.inputs
        self.example = torch.randn(batch, *_shape(first))
        for i, type in enumerate(others):
            self.register_buffer(f"input{i}", torch.randn(batch, *_shape(type)))
        taken = 0
        for place, step in enumerate(kernel.steps):
            own = len(step.outside) - (place == 0)
            self.steps.append(_Step(step, taken, own))
            taken += own

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            names = cast(_Step, step).inputs
            x = step(x, *[getattr(self, name) for name in names])
        return x


class _Step(nn.Module):
    """One op: its torch call on the value before it and on what it reads from outside."""

    def __init__(self, step: Applied, taken: int, own: int) -> None:
        super().__init__()
        self.inputs = [f"input{i}" for i in range(taken, taken + own)]
        self._call = OPS[step.op].call(step.it)
        self._place = list(step.it.operands).index(step.chained) if step.chained else 0
        self._arguments = {a.name: torch_argument(a, step.it, _constant) for a in self._call.arguments}
        if self._call.is_module:
            kind: Any = (
                resolve_name(self._call.target) if self._call.kind == "helper" else getattr(nn, self._call.target)
            )
            self.module = kind(**self._arguments)

    def forward(self, x: Tensor, *outside: Tensor) -> Tensor:
        call = self._call
        operands = [*outside]
        operands.insert(self._place, x)
        if call.pad:
            operands[0] = F.pad(operands[0], call.pad, value=call.filler)
        if call.flatten:
            operands[0] = operands[0].flatten(1)
        if call.is_module:
            return self._applied(operands[0])
        return self._function(operands)

    def _applied(self, x: Tensor) -> Tensor:
        if self._call.channels_last:
            return self.module(x.movedim(1, -1)).movedim(-1, 1)
        return self.module(x)

    def _function(self, operands: list[Tensor]) -> Tensor:
        call, arguments = self._call, dict(self._arguments)
        if call.like:
            arguments["size"] = operands.pop().shape[2:]  # pyright: ignore[reportArgumentType]
        match call.kind:
            case "padded":
                return operands[0]
            case "factor":
                return torch.mul(operands[0], cast(float, arguments["factor"]))
            case "sequence":
                return getattr(torch, call.target)(operands, **arguments)
            case "torch":
                found = getattr(torch, call.target)(*operands, **arguments)
                return found if isinstance(found, Tensor) else torch.cat(tuple(found), 1)
            case "operator":
                total = operands[0]
                for other in operands[1:]:
                    total = _OPERATORS[call.target](total, other)
                return total
            case _:
                return getattr(F, call.target)(*operands, **arguments)


def _constant(value: Value) -> Scalar:
    assert not isinstance(value, Ref), "a kernel's sizes are decided"
    return value


def _shape(type: Type) -> tuple[int, ...]:
    return tuple(int(cast(int, size)) for size in (sum(cast("list[int]", [*type.channels])), *type.sizes))
