"""convnext_tiny: 4,455,531,264 multiply-adds, 28,589,128 parameters.

Input: images of shape [N, 3, 224, 224]; multiply-adds are for one of them.
Weights: `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Scale(nn.Module):
    """Multiplies each channel by a learned factor."""

    def __init__(self, channels: int, axes: int = 2, init: float = 1.0) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels, *[1] * axes), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Convnext(nn.Module):
    """A depthwise convolution, and two 1x1 that widen by `ratio` and narrow again,
    beside a shortcut."""

    def __init__(self, in_channels: int, *, kernel: int, mid: int) -> None:
        super().__init__()
        self.mixed_dwconv = nn.Conv2d(
            in_channels, in_channels, kernel, padding=kernel // 2, groups=in_channels
        )
        self.mixed_layer_norm = nn.LayerNorm(in_channels, eps=1e-06)
        self.wide_conv = nn.Conv2d(in_channels, mid, 1)
        self.narrow_conv = nn.Conv2d(mid, in_channels, 1)
        self.narrow_scale = Scale(in_channels, init=1e-06)

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.mixed_dwconv(x)
        mixed = self.mixed_layer_norm(mixed.movedim(1, -1)).movedim(-1, 1)
        wide = F.gelu(self.wide_conv(mixed))
        narrow = self.narrow_scale(self.narrow_conv(wide))
        return x + narrow


class ConvnextDown(nn.Module):
    """Half the map's size, between two stages."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(in_channels, eps=1e-06)
        self.conv = nn.Conv2d(in_channels, width, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.layer_norm(x.movedim(1, -1)).movedim(-1, 1))


class ConvnextTiny(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem_conv = nn.Conv2d(3, 96, 4, stride=4)
        self.stem_layer_norm = nn.LayerNorm(96, eps=1e-06)
        # fmt: off
        self.trunk = nn.Sequential(                                  # output         multiply-adds
            *(Convnext(96,  kernel=7, mid=384) for _ in range(3)),   # 96 x 56 x 56     245,962,752
            ConvnextDown(96,  192),                                  # 192 x 28 x 28     57,802,752
            *(Convnext(192, kernel=7, mid=768) for _ in range(3)),   # 192 x 28 x 28    238,586,880
            ConvnextDown(192, 384),                                  # 384 x 14 x 14     57,802,752
            *(Convnext(384, kernel=7, mid=1536) for _ in range(9)),  # 384 x 14 x 14    234,898,944
            ConvnextDown(384, 768),                                  # 768 x 7 x 7       57,802,752
            *(Convnext(768, kernel=7, mid=3072) for _ in range(3)),  # 768 x 7 x 7      233,054,976
        )
        # fmt: on
        self.head_layer_norm = nn.LayerNorm(768, eps=1e-06)
        self.head_linear = nn.Linear(768, classes)
        self.num_features = 768
        self.feature_info = [
            {"num_chs": 96, "reduction": 4, "module": "trunk.2"},
            {"num_chs": 192, "reduction": 8, "module": "trunk.6"},
            {"num_chs": 384, "reduction": 16, "module": "trunk.16"},
            {"num_chs": 768, "reduction": 32, "module": "trunk.20"},
        ]

    def forward_features(self, x: Tensor) -> Tensor:
        stem = self.stem_layer_norm(self.stem_conv(x).movedim(1, -1)).movedim(-1, 1)
        return self.trunk(stem)

    def forward(self, x: Tensor) -> Tensor:
        features = self.forward_features(x)
        head = F.adaptive_avg_pool2d(features, 1)
        head = self.head_layer_norm(head.movedim(1, -1)).movedim(-1, 1)
        return self.head_linear(head.flatten(1))
