"""Where each node and region of a concrete graph lives in the emitted module: the keys of its state_dict."""

import keyword
import re
from collections.abc import Mapping

from nasir.ir.graph import Graph
from nasir.ir.path import fresh
from nasir.ir.regions import enclosing, inside

_RESERVED_TEXT = """
F T_destination Tensor add_module apply bfloat16 buffers call_super_init children compile cpu cuda double
dump_patches eval extra_repr feature_info float forward forward_features get_buffer get_extra_state get_parameter
get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules named_parameters nn
num_features parameters
register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
register_state_dict_pre_hook requires_grad_ self set_extra_state set_submodule share_memory state_dict super
to to_empty torch train training type xpu zero_grad
add_submodule code delete_all_unused_submodules delete_submodule graph meta print_readable recompile shape_env to_folder
"""
RESERVED = frozenset(_RESERVED_TEXT.split())
"""Names that a module's attribute or a variable of its code must not take (tests compare with torch.nn.Module); those
of the last line belong to the modules that torch.export and torch.fx make of one."""


def safe(name: str) -> str:
    """A name that Python and torch leave free: in a class Python changes those that begin with two underscores."""
    if name.startswith("_"):
        return f"x{name}"
    return f"{name}_" if name in RESERVED or keyword.iskeyword(name) else name


def module_paths(graph: Graph) -> Mapping[str, str]:
    """The attribute path of each region and node of a concrete graph, `trunk.3.project_conv`; no two are the same."""
    paths: dict[str, str] = {}
    taken: set[str] = set()
    regions = sorted((region.path for region in graph.regions), key=lambda path: path.count("."))
    for name in (*regions, *(node.name for node in graph.nodes)):  # a region before what is in it
        region = enclosing(graph, name)
        prefix = f"{paths[region.path]}." if region else ""
        local = safe(re.sub(r"\W", "_", inside(graph, name)))
        path = fresh(prefix + local, taken)
        taken.add(path)
        paths[name] = path
    return paths
