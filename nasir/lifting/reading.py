"""A traced network call by call: views seen through, and each call in normal form handed to who makes steps of them.

What a call is in normal form, `forms.py` says; nothing here knows an op of nasir's.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Protocol, cast

import torch
from torch import Tensor, fx

from nasir.diagnostics import MOST_MISTAKES, CompileError, Diagnostic
from nasir.lifting import mistakes
from nasir.lifting.steps import Place, Step, TorchCall
from nasir.lifting.tracing import BATCH, Traced, place_of
from nasir.lifting.views import Factor, View, whole

UNKNOWN = "no op of the language calls it"


class Unliftable(Exception):
    """A call that no program can say: why, as the end of a sentence; and which, where it is not the one being read."""

    def __init__(self, why: str, call: str = "", place: Place | None = None) -> None:
        super().__init__(why)
        self.call = call
        self.place = place


class Writer(Protocol):
    """What makes steps of calls."""

    def given(self, name: str, shape: Sequence[int]) -> None:
        """A step of this name and shape, of which nothing else is known."""
        ...

    def emit(self, call: TorchCall) -> str:
        """The name of the step that the call is.

        Raises:
            Unliftable: where it is none.
        """
        ...

    def results(self, name: str) -> Sequence[str]:
        """The names of the steps that are the results of one with several."""
        ...

    def step(self, name: str) -> Step: ...

    def place(self, name: str) -> int:
        """Which step it is, in the order in which they were made."""
        ...

    def call(self, name: str) -> TorchCall | None:
        """The call that a step was; None of the input and of results."""
        ...

    def joined(self, operands: Sequence[str]) -> str | None:
        """The step that has joined these, whatever way they came together."""
        ...

    def knows(self, target: str) -> bool:
        """Whether any op is of this call."""
        ...

    def sized(self, sizes: Sequence[int]) -> str | None:
        """The first step whose maps are of these sizes."""
        ...


@dataclass(frozen=True)
class Several:
    """Several results of one call."""

    views: tuple[View, ...]


@dataclass(frozen=True)
class Shifted:
    """A tensor plus a number: half of a hard sigmoid that is written by hand. `call` added it, at `place`."""

    view: View
    amount: float
    call: str
    place: Place

    def refused(self) -> Unliftable:
        """What is said where nothing makes a hard sigmoid of it."""
        return Unliftable("the language adds tensors, and no numbers", self.call, self.place)


@dataclass(frozen=True)
class Failed:
    """What a mistake left."""


Seen = View | Several | Shifted | Failed | Tensor | None


@dataclass(frozen=True)
class Call:
    """A call as torch recorded it: what its operands are seen as, by the names of the schema, defaults filled in."""

    target: str
    values: Mapping[str, Any]
    shape: tuple[int, ...]
    is_pointwise: bool

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def first(self) -> Any:
        return next(iter(self.values.values()))

    @property
    def x(self) -> View:
        """Its tensor, the first operand.

        Raises:
            Unliftable: where that is none that follows from the input.
        """
        if isinstance(self.first, Shifted):
            raise self.first.refused()
        if isinstance(self.first, list):
            raise Unliftable("no op of the language takes these tensors together")
        if not isinstance(self.first, View):
            raise Unliftable("its first argument does not follow from the network's input")
        return self.first

    def rest(self, *left_out: str) -> dict[str, Any]:
        """The arguments that are no tensors, without the first and those left out."""
        _, *names = self.values
        kept = (name for name in names if name not in left_out and not isinstance(self.values[name], (Tensor, View)))
        return {name: self.values[name] for name in kept}

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The network's own tensors that it takes."""
        return {name: value for name, value in self.values.items() if isinstance(value, Tensor)}


Form = Callable[["Reader", Call], Seen]


class Reader:
    """Reads a traced network; `forms` say of a call of a name what it is in normal form."""

    def __init__(self, writer: Writer, forms: Mapping[str, Form]) -> None:
        self.writer = writer
        self._forms = forms
        self._place = Place()
        self._seen: dict[str, Seen] = {}

    def read(self, network: Traced, inputs: Mapping[str, View]) -> None:
        """Read all of it; `inputs` are what its input's nodes are.

        Raises:
            CompileError: with each call that no program can say.
        """
        self._seen |= {**network.known, **inputs}
        wrong: list[Diagnostic] = []
        for node in network.nodes:
            self._place = place_of(node)
            try:
                refuse_written_views(node)
                self._seen[node.name] = self._read(node)
            except Unliftable as error:
                place = error.place or self._place
                mistake = mistakes.not_liftable(error.call or _written(node), str(error), place.span)
                if mistake not in wrong:  # a line of a block runs often
                    wrong.append(mistake)
                self._seen[node.name] = self._unknown(node)
            if len(wrong) >= MOST_MISTAKES:
                break
        if wrong:
            raise CompileError(wrong)

    def _unknown(self, node: fx.Node) -> Seen:
        """What stands for a call that was refused, so that those behind it are read as well."""
        found = node.meta.get("val")
        if not isinstance(found, Tensor) or found.dim() < 2 or found.shape[0] != BATCH or not found.is_floating_point():
            return Failed()
        name = f"?{node.name}"
        self.writer.given(name, tuple(map(int, found.shape[1:])))
        return self.whole(name)

    @property
    def place(self) -> Place:
        """Where the call stands that is read."""
        return self._place

    def seen(self, node: object) -> Seen:
        """What a node of the trace, or a list of them, is seen as."""
        return self._value(node)

    def _read(self, node: fx.Node) -> Seen:
        if node.target is operator.getitem:
            several, index = self._value(node.args[0]), cast(int, node.args[1])
            if isinstance(several, (list, tuple)):  # what follows from the network's own tensors alone
                return cast("Sequence[Tensor]", several)[index]
            if not isinstance(several, Several):
                return Failed()
            return several.views[index] if index < len(several.views) else None  # the places of largest numbers
        schema = getattr(node.target, "_schema", None)
        if node.target is torch.ops.higher_order.wrap_with_autocast:
            raise Unliftable("it computes with numbers of another kind than float32", "autocast")
        if schema is None:
            raise Unliftable("it is no call of torch's library")
        values = self._arguments(node, schema)
        if any(isinstance(one, Failed) for one in _flat(values.values())):
            return Failed()
        if not any(isinstance(one, (View, Several, Shifted)) for one in _flat(values.values())):
            return self._folded(node)
        found = node.meta.get("val")
        shape = tuple(map(int, found.shape)) if isinstance(found, Tensor) else ()
        target = schema.name.rpartition("::")[2].removesuffix("_")
        call = Call(target, values, shape, torch.Tag.pointwise in getattr(node.target, "tags", ()))
        return self._forms.get(target, Reader.plainly)(self, call)

    def _arguments(self, node: fx.Node, schema: Any) -> dict[str, Any]:
        known: list[Any] = schema.arguments
        values = {str(one.name): one.default_value if one.has_default_value() else None for one in known}
        for name, value in zip(list(values), node.args, strict=False):
            values[name] = self._value(value)
        return values | {name: self._value(value) for name, value in node.kwargs.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, fx.Node):
            return self._seen[value.name]
        if isinstance(value, (list, tuple)):
            return [self._value(one) for one in cast("Sequence[Any]", value)]
        return value

    def _folded(self, node: fx.Node) -> Tensor:
        """The result of a call that follows from the network's own tensors alone."""
        target: Any = node.target
        named = {name: self._value(value) for name, value in node.kwargs.items()}
        if torch.Tag.nondeterministic_seeded in target.tags:
            raise Unliftable("it is random")
        with torch.no_grad():
            return target(*map(self._value, node.args), **named)

    # What forms ask for

    def emit(
        self,
        target: str,
        operands: Sequence[str],
        shape: Sequence[int],
        tensors: Mapping[str, Tensor] | None = None,
        **arguments: Any,
    ) -> View:
        """A call in normal form; `shape` is its result's without the batch."""
        call = TorchCall(target, tuple(operands), arguments, tuple(shape), tensors or {}, place=self._place)
        return self.whole(self.writer.emit(call))

    def parts(self, operand: str, parts: int) -> Several:
        """A value's channels in equal parts."""
        step = self.writer.step(operand)
        call = TorchCall("chunk", (operand,), {"chunks": parts, "dim": 1}, step.shape, parts=parts, place=self._place)
        return Several(tuple(map(self.whole, self.writer.results(self.writer.emit(call)))))

    def whole(self, name: str) -> View:
        """A step as it is."""
        return whole(name, (BATCH, *self.writer.step(name).shape))

    def plainly(self, call: Call) -> Seen:
        """A call as it stands, of one tensor: with its channels first, or pointwise, however it is laid out."""
        x = call.x
        if any(isinstance(value, (View, Shifted, Several)) for value in list(call.values.values())[1:]):
            raise Unliftable("no op of the language takes these tensors together")
        if call.is_pointwise and call.shape == x.shape and not call.tensors:
            return self.pointwise(call)
        try:
            name = self.plain(x)
        except Unliftable:
            if self.writer.knows(call.target):
                raise
            raise Unliftable(UNKNOWN) from None  # however its input is laid out
        return self.emit(call.target, [name], call.shape[1:], call.tensors, **call.rest())

    def pointwise(self, call: Call) -> Seen:
        """A call as it stands, of one tensor, which changes each number by itself, however it is laid out."""
        x = call.x
        return x.of(self.emit(call.target, [x.step], self.writer.step(x.step).shape, **call.rest()).step)

    def plain(self, view: View) -> str:
        """The step that a view is, its channels first.

        Raises:
            Unliftable: where no program can say how its axes are laid out.
        """
        own, shape = self.whole(view.step), self.writer.step(view.step).shape
        pixels, rank = prod(shape[1:]), len(view.dims) - 2
        if view.dims == own.dims:
            return view.step
        if pixels == 1 and view.dims[:2] == own.dims[:2] and not any(view.dims[2:]):
            return view.step if rank == 0 or rank == len(shape) - 1 else self.raised(view.step, rank)
        flat = own.reshaped([BATCH, prod(shape)])
        if flat and view.dims == flat.dims:
            return self.emit("flatten", [view.step], [prod(shape)], start_dim=1, end_dim=-1).step
        if (groups := _dealt(view, own, shape[0])) is not None:
            return self.emit("channel_shuffle", [view.step], shape, groups=groups).step
        raise Unliftable("its input is permuted, repeated or reshaped in a way that the language cannot say")

    def aligned(self, views: Sequence[View]) -> tuple[list[str], list[int]]:
        """The steps that views of one layout are, channels first, and the order in which the result's axes follow then.

        Raises:
            Unliftable: where they are laid out apart.
        """
        first = max(views, key=lambda view: sum(map(len, view.dims)))
        own = self.whole(first.step)
        order = list(range(len(first.dims)))
        if first.dims != own.dims and sorted(first.dims) == sorted(own.dims) and len(set(own.dims)) == len(own.dims):
            order = [own.dims.index(dim) for dim in first.dims]
        back = [order.index(i) for i in range(len(order))]
        if any(len(view.dims) != len(order) for view in views):
            raise Unliftable("its tensors have different numbers of axes")
        return [self.plain(view.narrowed().permuted(back)) for view in views], order

    def raised(self, name: str, rank: int) -> str:
        """A vector as a map of one pixel, with all that it is made of.

        Raises:
            Unliftable: where that are a map's pixels.
        """
        step, call = self.writer.step(name), self.writer.call(name)
        if len(step.shape) == rank + 1:
            return name
        if len(step.shape) > 1 or call is None:
            raise Unliftable("it makes a map of a vector, and the language does not")
        ones = (1,) * rank
        operands = tuple(self.raised(one, rank) for one in call.operands)
        tensors = dict(call.tensors)
        if call.target == "linear":
            tensors["weight"] = tensors["weight"].reshape(*tensors["weight"].shape, *ones)
            return self.writer.emit(replace(pixelwise(call, rank), operands=operands, tensors=tensors))
        return self.writer.emit(replace(call, operands=operands, shape=(*call.shape, *ones)))


def pixelwise(call: TorchCall, rank: int) -> TorchCall:
    """The convolution of one pixel that a linear layer is; its weights stay as they are."""
    ones = [1] * rank
    arguments = {"stride": ones, "padding": [0] * rank, "dilation": ones, "groups": 1}
    return replace(call, target=f"conv{rank}d", arguments=arguments, shape=(*call.shape, *ones))


def refuse_written_views(node: fx.Node) -> None:
    """What writes into a part of a tensor that is read later changes that too, and a program has no such thing.

    Raises:
        Unliftable: where a call does.
    """
    schema = getattr(node.target, "_schema", None)
    if schema is None or not schema.is_mutable or not node.args:
        return
    base = node.args[0]
    while isinstance(base, fx.Node) and _is_view(base):
        base = base.args[0]
        assert isinstance(base, fx.Node), "a view is of something"
        if any(node < user for user in base.users):
            raise Unliftable("it writes into a part of a tensor that is read later")


def _is_view(node: fx.Node) -> bool:
    if node.target is operator.getitem:
        return isinstance(node.args[0], fx.Node)
    schema = getattr(node.target, "_schema", None)
    returned = [one.alias_info for one in schema.returns] if schema is not None and not schema.is_mutable else []
    return any(alias is not None for alias in returned)


def _flat(values: Any) -> list[Any]:
    return [one for value in values for one in (_flat(value) if isinstance(value, list) else [value])]


def _written(node: fx.Node) -> str:
    """A call as the user knows it."""
    return str(node.meta.get("torch_fn", ("", node.name))[1]).rpartition(".")[2].strip("_") or node.name


def _dealt(view: View, own: View, channels: int) -> int | None:
    """The number of groups across which the channels are dealt out, where nothing else is changed."""
    if len(view.dims) < 2 or view.dims[:1] + view.dims[2:] != own.dims[:1] + own.dims[2:] or len(view.dims[1]) != 2:
        return None
    inner, outer = view.dims[1]
    groups = channels // inner.size
    return groups if (inner, outer) == (Factor(1, 1, inner.size), Factor(1, inner.size, groups)) else None
