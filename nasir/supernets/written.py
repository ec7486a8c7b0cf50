"""Modules whose graph was written node by node, not traced."""

import copy
from typing import Any, Self

from torch import fx, nn


class Written(fx.GraphModule):
    """A GraphModule that copies and pickles as its graph and its modules; hooks and attributes that were put on it stay
    behind.

    A GraphModule of torch's pickles as its source, and traces it again when it is loaded; ours are not traceable: they
    unpack what their parts return.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        kind = type(self).__mro__[1]  # torch makes a class of its own for each GraphModule
        return restored, (kind, children(self), self._rest(), self.training)

    def __copy__(self) -> Self:
        make, arguments = self.__reduce__()
        return make(*arguments)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        make, (kind, modules, rest, training) = self.__reduce__()
        return make(kind, copy.deepcopy(modules, memo), rest, training)

    def _rest(self) -> tuple[Any, ...]:
        """What makes it again with its modules."""
        return plain(self.graph), type(self).__name__


def restored(kind: type[Written], modules: nn.Module, rest: tuple[Any, ...], training: bool) -> Written:
    """The module that copying took apart; its parts know themselves whether they train."""
    module = kind(modules, *rest)
    module.training = training
    return module


def children(module: nn.Module) -> nn.Module:
    """Its children as those of an empty module."""
    root = nn.Module()
    for name, child in module.named_children():
        root.add_module(name, child)
    return root


def plain(graph: fx.Graph) -> fx.Graph:
    """The graph without the module that owns it."""
    copied = fx.Graph()
    copied.output(copied.graph_copy(graph, {}))
    return copied
