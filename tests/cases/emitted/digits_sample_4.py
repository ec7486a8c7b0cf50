"""digits: 211,968 multiply-adds, 20,282 parameters.

Input: images of shape [N, 1, 8, 8]. Multiply-adds are those of
convolutions and linear layers for one image; parameters are all trainable ones.

part     made of                                output      multiply-adds  parameters
stem     conv bn hswish                         16 x 8 x 8          9,216         176
trunk.0  ir                                     16 x 8 x 8         41,984         752
trunk.1  identity                               16 x 8 x 8              0           0
trunk.2  ir                                     16 x 4 x 4         45,568       1,472
trunk.3  ir                                     40 x 4 x 4         33,792       2,840
trunk.4  ir                                     32 x 2 x 2         68,160      10,808
head     conv bn hswish global_avg_pool linear  10                 13,248       4,234

Weights: `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.
"""

from torch import Tensor, nn
from torch.nn import functional as F


class IRShortcut(nn.Module):
    """`ir`: expansion, depthwise, project, shortcut."""

    def __init__(
        self, in_channels: int, mid: int, kernel: int, stride: int, width: int
    ) -> None:
        super().__init__()
        self.expansion_conv = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.expansion_bn = nn.BatchNorm2d(mid)
        self.depthwise_dwconv = nn.Conv2d(
            mid, mid, kernel, stride=stride, padding=kernel // 2, groups=mid, bias=False
        )
        self.depthwise_bn = nn.BatchNorm2d(mid)
        self.project_conv = nn.Conv2d(mid, width, 1, bias=False)
        self.project_bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        expansion = F.relu(self.expansion_bn(self.expansion_conv(x)))
        depthwise = F.relu(self.depthwise_bn(self.depthwise_dwconv(expansion)))
        project = self.project_bn(self.project_conv(depthwise))
        return x + project


class IR(nn.Module):
    """`ir`: expansion, depthwise, project."""

    def __init__(
        self, in_channels: int, mid: int, kernel: int, stride: int, width: int
    ) -> None:
        super().__init__()
        self.expansion_conv = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.expansion_bn = nn.BatchNorm2d(mid)
        self.depthwise_dwconv = nn.Conv2d(
            mid, mid, kernel, stride=stride, padding=kernel // 2, groups=mid, bias=False
        )
        self.depthwise_bn = nn.BatchNorm2d(mid)
        self.project_conv = nn.Conv2d(mid, width, 1, bias=False)
        self.project_bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        expansion = F.relu(self.expansion_bn(self.expansion_conv(x)))
        depthwise = F.relu(self.depthwise_bn(self.depthwise_dwconv(expansion)))
        return self.project_bn(self.project_conv(depthwise))


class SqueezeExcite(nn.Module):
    """`squeeze_excite`: pooled, reduce, scale."""

    def __init__(self, in_channels: int, squeeze: int) -> None:
        super().__init__()
        self.reduce_conv = nn.Conv2d(in_channels, squeeze, 1)
        self.scale_conv = nn.Conv2d(squeeze, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool2d(x, 1)
        reduce = F.hardswish(self.reduce_conv(pooled))
        scale = F.hardsigmoid(self.scale_conv(reduce))
        return x * scale


class IRAttention(nn.Module):
    """`ir`: expansion, depthwise, attention, project."""

    def __init__(
        self,
        in_channels: int,
        mid: int,
        kernel: int,
        stride: int,
        attention_squeeze: int,
        width: int,
    ) -> None:
        super().__init__()
        self.expansion_conv = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.expansion_bn = nn.BatchNorm2d(mid)
        self.depthwise_dwconv = nn.Conv2d(
            mid, mid, kernel, stride=stride, padding=kernel // 2, groups=mid, bias=False
        )
        self.depthwise_bn = nn.BatchNorm2d(mid)
        self.attention = SqueezeExcite(mid, attention_squeeze)
        self.project_conv = nn.Conv2d(mid, width, 1, bias=False)
        self.project_bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        expansion = F.hardswish(self.expansion_bn(self.expansion_conv(x)))
        depthwise = F.hardswish(self.depthwise_bn(self.depthwise_dwconv(expansion)))
        attention = self.attention(depthwise)
        return self.project_bn(self.project_conv(attention))


class Digits(nn.Module):
    """digits: [N, C, H, W] images to logits."""

    def __init__(self) -> None:
        super().__init__()
        self.stem_conv = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.stem_bn = nn.BatchNorm2d(16)
        self.trunk = nn.Sequential(
            IRShortcut(16, 16, 3, 1, 16),
            nn.Identity(),
            IR(16, 32, 3, 2, 16),
            IRAttention(16, 32, 3, 1, 8, 40),
            IRAttention(40, 80, 3, 2, 24, 32),
        )
        self.head_conv = nn.Conv2d(32, 96, 1, bias=False)
        self.head_bn = nn.BatchNorm2d(96)
        self.head_linear = nn.Linear(96, 10)

    def forward(self, x: Tensor) -> Tensor:
        stem = F.hardswish(self.stem_bn(self.stem_conv(x)))
        trunk = self.trunk(stem)
        head = F.hardswish(self.head_bn(self.head_conv(trunk)))
        return self.head_linear(F.adaptive_avg_pool2d(head, 1).flatten(1))
