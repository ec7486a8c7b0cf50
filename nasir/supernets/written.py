"""Modules whose graph was written node by node, not traced."""

from typing import Any

from torch import fx, nn


class Written(fx.GraphModule):
    """A GraphModule that copies and pickles as its graph and its modules.

    A GraphModule of torch's pickles as its source, and traces it again when it is loaded; ours are not traceable: they
    unpack what their parts return.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        kind = type(self).__mro__[1]  # torch makes a class of its own for each GraphModule
        return restored, (kind, self._parts(), self.training)

    def _parts(self) -> tuple[Any, ...]:
        """What makes it again."""
        return children(self), plain(self.graph), type(self).__name__


def restored(kind: type[Written], parts: tuple[Any, ...], training: bool) -> Written:
    """The module that pickling took apart."""
    return kind(*parts).train(training)


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
