"""The graph as text. `lang/ir_parser.py` reads it back: `parse(print(g)) == g`."""

from nasir.ir.dims import Decision, Dim
from nasir.ir.graph import Graph, Node, Region, Type
from nasir.ir.values import text


def print_graph(graph: Graph) -> str:
    """One line for each decision, dim, region and node, in order."""
    lines = [f"graph {graph.name} {{"]
    lines += [f"  {_decision(d)}" for d in graph.decisions]
    lines += [f"  {_dim(d)}" for d in graph.dims]
    lines += [f"  {_region(r)}" for r in graph.regions]
    lines += [f"  {_node(n)}" for n in graph.nodes]
    lines += [f"  return %{graph.output}", "}"]
    return "\n".join(lines) + "\n"


def _decision(decision: Decision) -> str:
    return f"decision {decision.name} = {', '.join(map(text, decision.options))}"


def _dim(dim: Dim) -> str:
    if dim.of is not None:
        arguments = f"%{dim.of}"
    elif dim.keys:
        cases = [f"{text(k)} -> {text(v)}" for k, v in zip(dim.keys, dim.args[1:], strict=True)]
        arguments = ", ".join([text(dim.args[0]), *cases])
    else:
        arguments = ", ".join(map(text, dim.args))
    return f"dim {dim.name} = {dim.function}({arguments})"


def _region(region: Region) -> str:
    values = ", ".join(f"{name}={text(value)}" for name, value in region.values)
    return f"region {region.path} = {region.kind} {region.block}({values})"


def _node(node: Node) -> str:
    operands = ", ".join(f"{name}=%{operand}" for name, operand in node.operands)
    names = dict(node.written)
    attributes = ", ".join(
        f"{name}={text(value)}" + (f" as {names[name]}" if name in names else "") for name, value in node.attributes
    )
    written = f" {{{attributes}}}" if attributes else ""
    shape = f" : {_type(node.type)}" if node.type is not None else ""
    flow = f" @{node.flow}" if node.flow else ""
    return f"%{node.name} = {node.op}({operands}){written}{shape}{flow}"


def _type(type: Type) -> str:
    sizes = [" + ".join(map(text, type.channels))] if type.channels else []
    if type.height is not None and type.width is not None:
        sizes += [text(type.height), text(type.width)]
    return f"[{', '.join(sizes)}]"
