"""The text of modules that torch lacks, which an emitted file carries."""

import inspect
from pkgutil import resolve_name

from nasir.ir.graph import Graph
from nasir.ir.ops import OPS, tensors


def helper_names(graph: Graph) -> list[str]:
    """The modules that a network needs beside torch's own, as `package.module:Class`, in the order of their names."""
    calls = [OPS[node.op].call(tensors(graph, node.name)) for node in graph.nodes if node.operands]
    return sorted({call.target for call in calls if call.kind == "helper"})


def helper_classes(graph: Graph) -> list[str]:
    """What those modules are called."""
    return [name.rpartition(":")[2] for name in helper_names(graph)]


def helper_texts(graph: Graph) -> list[str]:
    """Those modules as text, each once."""
    return [inspect.getsource(resolve_name(name)).rstrip() for name in helper_names(graph)]
