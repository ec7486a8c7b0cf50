"""resnet50: 4,089,184,256 multiply-adds, 25,557,032 parameters.

Input: images of shape [N, 3, 224, 224]; multiply-adds are for one of them.
Weights: `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 that narrow and widen by 4, beside a
    shortcut; the 3x3 has the stride."""

    __constants__ = ["has_fitted"]

    def __init__(
        self, in_channels: int, width: int, *, stride: int = 1, mid: int
    ) -> None:
        super().__init__()
        self.narrow_conv = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.narrow_bn = nn.BatchNorm2d(mid)
        self.inner_conv = nn.Conv2d(mid, mid, 3, stride=stride, padding=1, bias=False)
        self.inner_bn = nn.BatchNorm2d(mid)
        self.outer_conv = nn.Conv2d(mid, width, 1, bias=False)
        self.outer_bn = nn.BatchNorm2d(width)
        self.has_fitted = width != in_channels
        if self.has_fitted:
            self.fitted_conv = nn.Conv2d(
                in_channels, width, 1, stride=stride, bias=False
            )
            self.fitted_bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        narrow = F.relu(self.narrow_bn(self.narrow_conv(x)))
        inner = F.relu(self.inner_bn(self.inner_conv(narrow)))
        outer = self.outer_bn(self.outer_conv(inner))
        fitted = self.fitted_bn(self.fitted_conv(x)) if self.has_fitted else x
        return F.relu(outer + fitted)


class Resnet50(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem_conv = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.stem_bn = nn.BatchNorm2d(64)
        # fmt: off
        self.trunk = nn.Sequential(                                # output          multiply-adds
            Bottleneck(64,   256,  mid=64),                        # 256 x 56 x 56     231,211,008
            Bottleneck(256,  256,  mid=64),                        # 256 x 56 x 56     218,365,952
            Bottleneck(256,  256,  mid=64),                        # 256 x 56 x 56     218,365,952
            Bottleneck(256,  512,  stride=2, mid=128),             # 512 x 28 x 28     372,506,624
            *(Bottleneck(512,  512,  mid=128) for _ in range(3)),  # 512 x 28 x 28     218,365,952
            Bottleneck(512,  1024, stride=2, mid=256),             # 1024 x 14 x 14    372,506,624
            *(Bottleneck(1024, 1024, mid=256) for _ in range(5)),  # 1024 x 14 x 14    218,365,952
            Bottleneck(1024, 2048, stride=2, mid=512),             # 2048 x 7 x 7      372,506,624
            Bottleneck(2048, 2048, mid=512),                       # 2048 x 7 x 7      218,365,952
            Bottleneck(2048, 2048, mid=512),                       # 2048 x 7 x 7      218,365,952
        )
        # fmt: on
        self.head_linear = nn.Linear(2048, classes)
        self.num_features = 2048
        self.feature_info = [
            {"num_chs": 64, "reduction": 2, "module": "stem_bn"},
            {"num_chs": 256, "reduction": 4, "module": "trunk.2"},
            {"num_chs": 512, "reduction": 8, "module": "trunk.6"},
            {"num_chs": 1024, "reduction": 16, "module": "trunk.12"},
            {"num_chs": 2048, "reduction": 32, "module": "trunk.15"},
        ]

    def forward_features(self, x: Tensor) -> Tensor:
        stem = F.relu(self.stem_bn(self.stem_conv(x)))
        stem = F.max_pool2d(stem, 3, stride=2, padding=1)
        return self.trunk(stem)

    def forward(self, x: Tensor) -> Tensor:
        features = self.forward_features(x)
        return self.head_linear(F.adaptive_avg_pool2d(features, 1).flatten(1))
