"""Networks that no package here builds in PyTorch, written from what defines them.

MLPerf Tiny (mlcommons/tiny) defines its four in Keras: convolutions have biases, batch norms an epsilon of 1e-3, and
padding is `same`, which puts the odd pixel after the map. Their softmax is left out, for networks here end in logits.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

KERAS_EPS = 1e-3


class Same(nn.Module):
    """Pads for a convolution of `kernel` and `stride` so that ceil(size / stride) steps fit, the odd one at the end."""

    def __init__(self, kernel: tuple[int, ...], stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        pads: list[int] = []
        for size, kernel in zip(reversed(x.shape[2:]), reversed(self.kernel), strict=True):
            missing = max((-(-size // self.stride) - 1) * self.stride + kernel - size, 0)
            pads += [missing // 2, missing - missing // 2]
        return F.pad(x, pads)


def conv(
    channels: int,
    width: int,
    kernel: tuple[int, ...],
    stride: int = 1,
    groups: int = 1,
    *,
    bias: bool = True,
    norm: bool = True,
    act: bool = True,
) -> nn.Sequential:
    """A convolution with `same` padding, batch norm and ReLU."""
    maker, bn = (nn.Conv1d, nn.BatchNorm1d) if len(kernel) == 1 else (nn.Conv2d, nn.BatchNorm2d)
    parts: list[nn.Module] = [Same(kernel, stride), maker(channels, width, kernel, stride, groups=groups, bias=bias)]
    parts += [bn(width, eps=KERAS_EPS)] * norm + [nn.ReLU()] * act
    return nn.Sequential(*parts)


def separable(channels: int, width: int, stride: int = 1) -> nn.Sequential:
    """A depthwise 3x3 and a 1x1 convolution, each with batch norm and ReLU."""
    return nn.Sequential(conv(channels, channels, (3, 3), stride, channels), conv(channels, width, (1, 1)))


def ds_cnn(classes: int = 12) -> nn.Module:
    """MLPerf Tiny's keyword spotter, on 49 x 10 coefficients. Its last pooling has a window of 24 x 5 on a map of
    25 x 5, so it leaves out the last row."""
    blocks = [separable(64, 64) for _ in range(4)]
    head = [nn.AvgPool2d((24, 5)), nn.Flatten(), nn.Linear(64, classes)]
    return nn.Sequential(conv(1, 64, (10, 4), 2), *blocks, *head)


def mobilenet_v1(classes: int = 2) -> nn.Module:
    """MLPerf Tiny's person detector: MobileNet at a quarter of its widths, on 96 x 96 pixels."""
    layers: list[nn.Module] = [conv(3, 8, (3, 3), 2)]
    channels = 8
    strided = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]
    for width, stride in strided:
        layers.append(separable(channels, width, stride))
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class Residual(nn.Module):
    """relu(f(x) + shortcut(x))."""

    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.main(x) + self.shortcut(x))


def resnet8(classes: int = 10) -> nn.Module:
    """MLPerf Tiny's image classifier, on 32 x 32 pixels. Where the width grows, the shortcut is a bare convolution."""

    def stack(channels: int, width: int, stride: int) -> Residual:
        main = nn.Sequential(conv(channels, width, (3, 3), stride), conv(width, width, (3, 3), act=False))
        even = stride == 1
        return Residual(main, nn.Identity() if even else conv(channels, width, (1, 1), 2, norm=False, act=False))

    stacks = [conv(3, 16, (3, 3)), stack(16, 16, 1), stack(16, 32, 2), stack(32, 64, 2)]
    return nn.Sequential(*stacks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def autoencoder(features: int = 640) -> nn.Module:
    """MLPerf Tiny's anomaly detector: the features again, through 8 numbers."""
    layers: list[nn.Module] = []
    channels = features
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        layers += [nn.Linear(channels, width), nn.BatchNorm1d(width, eps=KERAS_EPS), nn.ReLU()]
        channels = width
    return nn.Sequential(*layers, nn.Linear(channels, features))


def tc_resnet8(classes: int = 12) -> nn.Module:
    """TC-ResNet8 (Choi et al., 2019; hyperconnect/TC-ResNet): a sequence of 98 steps of 40 coefficients, convolved over
    time. No biases; without the release's second head, which no result of the paper uses."""

    def block(channels: int, width: int) -> Residual:
        main = nn.Sequential(
            conv(channels, width, (9,), 2, bias=False), conv(width, width, (9,), bias=False, act=False)
        )
        return Residual(main, conv(channels, width, (1,), 2, bias=False))

    blocks = [block(16, 24), block(24, 32), block(32, 48)]
    head = [nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(48, classes, bias=False)]
    return nn.Sequential(conv(40, 16, (3,), bias=False), *blocks, *head)


class Add(nn.Sequential):
    """x + f(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return input + super().forward(input)


def tabular_mlp(columns: int = 54, classes: int = 7) -> nn.Module:
    """A residual network for tables, after the one of Gorishniy et al. (2021)."""
    blocks = [
        Add(nn.BatchNorm1d(128), nn.Linear(128, 256), nn.ReLU(), nn.Dropout(0.25), nn.Linear(256, 128))
        for _ in range(3)
    ]
    return nn.Sequential(nn.Linear(columns, 128), *blocks, nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, classes))


class UNet(nn.Module):
    """U-Net (Ronneberger et al., 2015) as it is mostly built since: padded convolutions with batch norm and without
    bias, 64 to 1024 channels, transposed convolutions on the way up, the way down's map first where the two join."""

    def __init__(self, channels: int = 3, classes: int = 2) -> None:
        super().__init__()

        def double(channels: int, width: int) -> nn.Sequential:
            parts: list[nn.Module] = []
            for ends in ((channels, width), (width, width)):
                parts += [nn.Conv2d(*ends, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            return nn.Sequential(*parts)

        widths = [64, 128, 256, 512, 1024]
        self.down = nn.ModuleList(map(double, (channels, *widths), widths))
        self.widen = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in reversed(widths[:-1]))
        self.up = nn.ModuleList(double(2 * width, width) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = [self.down[0](images)]
        for stage in self.down[1:]:
            maps.append(stage(F.max_pool2d(maps[-1], 2)))
        x = maps.pop()
        for widen, stage in zip(self.widen, self.up, strict=True):
            x = stage(torch.cat([maps.pop(), widen(x)], 1))
        return self.head(x)
