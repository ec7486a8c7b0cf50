"""digits: 211,968 multiply-adds, 20,282 parameters.

Input: images of shape [N, 1, 8, 8]; multiply-adds are for one of them.
Weights: `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate made of all channels' means (Hu et al., 2018)."""

    def __init__(self, in_channels: int, *, squeeze: int) -> None:
        super().__init__()
        self.reduce_conv = nn.Conv2d(in_channels, squeeze, 1)
        self.scale_conv = nn.Conv2d(squeeze, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        reduce = F.hardswish(self.reduce_conv(F.adaptive_avg_pool2d(x, 1)))
        scale = F.hardsigmoid(self.scale_conv(reduce))
        return x * scale


class IR(nn.Module):
    """Inverted residual (Sandler et al., 2018), with squeeze-and-excite where asked."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        kernel: int,
        stride: int,
        act: type[nn.Module],
        mid: int,
        squeeze: int | None = None,
    ) -> None:
        super().__init__()
        self.act = act()
        self.expansion_conv = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.expansion_bn = nn.BatchNorm2d(mid)
        self.depthwise_dwconv = nn.Conv2d(
            mid, mid, kernel, stride=stride, padding=kernel // 2, groups=mid, bias=False
        )
        self.depthwise_bn = nn.BatchNorm2d(mid)
        self.attention = nn.Identity()
        if squeeze is not None:
            self.attention = SqueezeExcite(mid, squeeze=squeeze)
        self.project_conv = nn.Conv2d(mid, width, 1, bias=False)
        self.project_bn = nn.BatchNorm2d(width)
        self.has_shortcut = stride == 1 and width == in_channels

    def forward(self, x: Tensor) -> Tensor:
        expansion = self.act(self.expansion_bn(self.expansion_conv(x)))
        depthwise = self.act(self.depthwise_bn(self.depthwise_dwconv(expansion)))
        project = self.project_bn(self.project_conv(self.attention(depthwise)))
        return x + project if self.has_shortcut else project


class Digits(nn.Module):
    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem_conv = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(16)
        # fmt: off
        self.trunk = nn.Sequential(                                                # output      multiply-adds
            IR(16, 16, kernel=3, stride=1, act=nn.ReLU,      mid=16),              # 16 x 8 x 8         41,984
            nn.Identity(),                                                         # 16 x 8 x 8              0
            IR(16, 16, kernel=3, stride=2, act=nn.ReLU,      mid=32),              # 16 x 4 x 4         45,568
            IR(16, 40, kernel=3, stride=1, act=nn.Hardswish, mid=32, squeeze=8),   # 40 x 4 x 4         33,792
            IR(40, 32, kernel=3, stride=2, act=nn.Hardswish, mid=80, squeeze=24),  # 32 x 2 x 2         68,160
        )
        # fmt: on
        self.head_conv = nn.Conv2d(32, 96, 1, bias=False)
        self.head_bn = nn.BatchNorm2d(96)
        self.head_linear = nn.Linear(96, classes)
        self.num_features = 96
        self.feature_info = [
            {"num_chs": 16, "reduction": 1, "module": "trunk.0"},
            {"num_chs": 40, "reduction": 2, "module": "trunk.3"},
            {"num_chs": 32, "reduction": 4, "module": "trunk.4"},
        ]

    def forward_features(self, x: Tensor) -> Tensor:
        stem = F.hardswish(self.stem_bn(self.stem_conv(x)))
        return F.hardswish(self.head_bn(self.head_conv(self.trunk(stem))))

    def forward(self, x: Tensor) -> Tensor:
        features = self.forward_features(x)
        return self.head_linear(F.adaptive_avg_pool2d(features, 1).flatten(1))
