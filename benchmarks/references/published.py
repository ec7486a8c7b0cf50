"""Networks as the packages and repositories that published them build them."""

import importlib
import json
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

# torchvision's Python files declare shapes for operators of its compiled library, which fits one build of torch alone.
_OPERATORS = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, _name):
        _OPERATORS.define(f"{_name}(Tensor boxes, Tensor scores, float iou_threshold) -> Tensor")


def timm(name: str) -> nn.Module:
    """A network of timm."""
    return importlib.import_module("timm").create_model(name)


def torchvision(name: str, **settings: Any) -> nn.Module:
    """A network of torchvision."""
    return getattr(importlib.import_module("torchvision.models"), name)(weights=None, **settings)


def fpn() -> nn.Module:
    """torchvision's feature pyramid over the four stages of its ResNet-50, without the further level that detectors
    pool."""
    ops = importlib.import_module("torchvision.ops")
    getter = importlib.import_module("torchvision.models._utils").IntermediateLayerGetter
    stages = getter(torchvision("resnet50"), {f"layer{stage}": f"p{stage + 1}" for stage in range(1, 5)})
    return nn.Sequential(stages, ops.FeaturePyramidNetwork([256, 512, 1024, 2048], 256))


@dataclass(frozen=True)
class Checkouts:
    """Repositories that are no packages, checked out side by side in one folder."""

    folder: Path

    def darts(self, network: str, channels: int, classes: int, cells: int) -> nn.Module:
        """A network of quark0/darts with the cells DARTS_V2, in evaluation, where its auxiliary head does nothing."""
        model, genotypes = self._imported("darts/cnn", "model", "genotypes")
        with redirect_stdout(StringIO()):  # it prints each cell's widths
            made = getattr(model, network)(channels, classes, cells, False, genotypes.DARTS_V2)
        made.drop_path_prob = 0.0
        return Logits(made)

    def proxyless(self, name: str) -> nn.Module:
        """A network of mit-han-lab/proxylessnas by the configuration that was released with its weights."""
        (modules,) = self._imported("proxylessnas", "proxyless_nas.nas_modules")
        config = json.loads((self.folder / "files" / "proxylessnas" / f"{name}.config").read_text(encoding="utf-8"))
        made = modules.ProxylessNASNets.build_from_config(config)
        made.set_bn_param(config["bn"]["momentum"], config["bn"]["eps"])
        return made

    def _imported(self, place: str, *names: str) -> list[ModuleType]:
        sys.path.insert(0, str(self.folder / place))
        try:
            return [importlib.import_module(name) for name in names]
        finally:
            sys.path.pop(0)


class Logits(nn.Module):
    """The first of a network's outputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images)[0]
