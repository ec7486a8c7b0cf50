"""What autograd keeps for a backward pass."""

import torch
from torch import Tensor, nn


def saved_bytes(network: nn.Module, images: Tensor) -> int:
    """Bytes kept, parameters and buffers apart, each storage once."""
    own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = network(images)
    total = sum(kept.values())
    del out
    return total
