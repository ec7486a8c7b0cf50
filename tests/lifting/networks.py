"""Small networks with habits that people have: ten that can be lifted, and some that cannot."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Functional(nn.Module):
    """Everything that has no weights is a function; the view's size is computed."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.second = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2 * width)
        self.out = nn.Linear(2 * width * 16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.first(x)), 2)
        x = F.leaky_relu(self.norm(self.second(x)))
        x = F.dropout(x, 0.3, self.training)
        return self.out(x.view(x.size(0), -1))


class Reused(nn.Module):
    """One activation and one pooling for all layers, and everything in place."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.act = nn.ReLU6(inplace=True)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layers = nn.ModuleList(nn.Conv2d(c, width, 3, padding="same") for c in (3, width, width))
        self.fc = nn.Linear(width, 4)

    def forward(self, x: Tensor) -> Tensor:
        for i, layer in enumerate(self.layers):
            y = self.act(layer(x))
            if i:
                y += x
            x = y
        return self.fc(self.pool(x).mean([2, 3]))


class Shuffled(nn.Module):
    """Chunks, a channel shuffle by hand, and a concatenation of unequal parts."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, 2, 1)
        self.branch = nn.Sequential(nn.Conv2d(6, 6, 1), nn.Hardswish(), nn.Conv2d(6, 6, 3, 1, 1, groups=6))
        self.grouped = nn.Conv2d(12, 12, 3, padding=1, groups=3)
        self.head = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.stem(x).chunk(2, dim=1)
        x = torch.cat([left, self.branch(right)], dim=1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
        a, b = torch.split(self.grouped(x), [4, 8], dim=1)
        return self.head(torch.cat([b.flatten(2).mean(-1), a.sigmoid().mean((-2, -1))], dim=1))


class Squeeze(nn.Module):
    """Squeeze-and-excite of linear layers, its gate seen as a map and expanded."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Linear(channels, 4), nn.ReLU(inplace=True), nn.Linear(4, channels), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        b, c, _, _ = x.size()
        y = self.fc(self.pool(x).view(b, c)).view(b, c, 1, 1)
        return x * y.expand_as(x)


class HardSigmoid(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x + 3, inplace=True) / 6


class Bottleneck(nn.Module):
    """An inverted residual that decides by its arguments what it has."""

    def __init__(self, inputs: int, width: int, stride: int, expand: int, se: bool, act: type[nn.Module]) -> None:
        super().__init__()
        mid = inputs * expand
        layers: list[nn.Module] = []
        if expand != 1:
            layers += [nn.Conv2d(inputs, mid, 1, bias=False), nn.BatchNorm2d(mid), act()]
        layers += [nn.Conv2d(mid, mid, 3, stride, 1, groups=mid, bias=False), nn.BatchNorm2d(mid)]
        self.expanded = nn.Sequential(*layers)
        self.se = Squeeze(mid) if se else None
        self.act = act()
        self.project = nn.Sequential(nn.Conv2d(mid, width, 1, bias=False), nn.BatchNorm2d(width))
        self.residual = stride == 1 and inputs == width

    def forward(self, x: Tensor) -> Tensor:
        y = self.expanded(x)
        if self.se is not None:
            y = self.se(y)
        y = self.project(self.act(y))
        return x + y if self.residual else y


class Swish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)


class Mobile(nn.Module):
    """A list of configurations, activations by hand, nested Sequentials."""

    def __init__(self, classes: int = 6) -> None:
        super().__init__()
        rows = [(8, 1, 1, False), (8, 1, 3, False), (12, 2, 3, True), (12, 1, 3, True)]
        blocks: list[nn.Module] = []
        inputs = 8
        for width, stride, expand, se in rows:
            blocks.append(Bottleneck(inputs, width, stride, expand, se, HardSigmoid if se else Swish))
            inputs = width
        self.features = nn.Sequential(
            nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 8, 3, 2, bias=False), nn.BatchNorm2d(8, eps=1e-3)),
            nn.Sequential(*blocks),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(inputs, classes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.classifier(nn.functional.adaptive_avg_pool2d(x, 1).reshape(x.shape[0], -1))


class Residual(nn.Module):
    """A block whose shortcut is computed first, where it has one."""

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(nn.AvgPool2d(stride, stride), nn.Conv2d(inputs, width, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        identity = self.downsample(x) if hasattr(self, "downsample") else x
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        out += identity
        return F.relu(out, inplace=True)


class Stages(nn.Module):
    """Layers in attributes that a loop makes and finds by their names; several outputs in a dict."""

    def __init__(self, widths: tuple[int, ...] = (8, 16, 24), depth: int = 2) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, widths[0], 3, padding=1)
        inputs = widths[0]
        for i, width in enumerate(widths):
            blocks = [Residual(inputs, width, 2 if i else 1), *(Residual(width, width) for _ in range(depth - 1))]
            setattr(self, f"layer{i}", nn.Sequential(*blocks))
            inputs = width
        self.count = len(widths)
        self.heads = nn.ModuleDict({"colour": nn.Linear(inputs, 3), "shape": nn.Linear(inputs, 4)})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.stem(x)
        for i in range(self.count):
            x = getattr(self, f"layer{i}")(x)
        x = torch.flatten(F.avg_pool2d(x, x.shape[-1]), 1)
        return {name: head(x) for name, head in self.heads.items()}


class Dense(nn.Module):
    """A layer that reads all before it, as a list."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, growth, 3, padding=1, bias=False)

    def forward(self, xs: list[Tensor]) -> Tensor:
        return self.conv(F.relu(self.norm(torch.cat(xs, 1))))


class DenseNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.dense = nn.ModuleList(Dense(8 + 4 * i, 4) for i in range(3))
        self.last = nn.Conv2d(20, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        xs = [self.stem(x)]
        for layer in self.dense:
            xs.append(layer(xs))
        return self.last(torch.cat(xs, 1)).amax(dim=(2, 3))


class ConvNeXtBlock(nn.Module):
    """Channels last in between, with linear layers and a scale for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.wide = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(1e-6 * torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.dwconv(x).permute(0, 2, 3, 1)
        y = self.narrow(F.gelu(self.wide(self.norm(y))))
        return x + (self.gamma * y).permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, 4)
        self.blocks = nn.Sequential(*[ConvNeXtBlock(width) for _ in range(2)])
        self.head = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)).mean([-2, -1]))


class UNet(nn.Module):
    """Down and up again, what is cropped and padded to fit beside what comes from the way down; two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.down1 = nn.Conv2d(1, 8, 3, padding=1)
        self.down2 = nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.smooth = nn.Conv2d(16, 8, 3, padding=1)
        self.mask = nn.Conv2d(8, 2, 1)
        self.edge = nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a = torch.tanh(self.down1(x))
        b = torch.tanh(self.down2(F.max_pool2d(a, 2)))
        up = F.pad(self.up(b), [0, 1, 0, 1])
        y = self.smooth(torch.cat((a, up), dim=1))
        small = F.interpolate(y[:, :, 1:-1, 1:-1], size=x.shape[-2:], mode="bilinear")
        return self.mask(y), self.edge(small) * 0.5


class Signals(nn.Module):
    """One-dimensional, with weight norm and a group norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv1d(2, 8, 5, padding=2))
        self.norm = nn.GroupNorm(2, 8)
        self.scale = nn.Parameter(torch.linspace(0.5, 2.0, 8).view(1, 8, 1))
        self.fc1 = nn.Linear(8, 16)
        self.fc2 = nn.Linear(16, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.elu(self.norm(self.conv(x))) * self.scale
        x = F.adaptive_max_pool1d(x, 1).squeeze(-1)
        return self.fc2(F.mish(self.fc1(x)))


class ConvAct(nn.Module):
    """One activation for all of the class."""

    default_act = nn.SiLU(inplace=True)

    def __init__(self, inputs: int, width: int, kernel: int = 1, stride: int = 1, act: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, width, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=1e-3, momentum=0.03)
        self.act = self.default_act if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class Branches(nn.Module):
    """A sum of branches, one of them a batch norm alone or the number 0."""

    def __init__(self, inputs: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.dense = ConvAct(inputs, width, 3, stride, act=False)
        self.point = ConvAct(inputs, width, 1, stride, act=False)
        self.identity = nn.BatchNorm2d(inputs) if inputs == width and stride == 1 else None

    def forward(self, x: Tensor) -> Tensor:
        same = 0 if self.identity is None else self.identity(x)
        return F.relu(self.dense(x) + self.point(x) + same)


class Partial(nn.Module):
    """A list that grows by what is made of its last, and is joined."""

    def __init__(self, inputs: int, width: int, depth: int) -> None:
        super().__init__()
        self.half = width // 2
        self.first = ConvAct(inputs, 2 * self.half)
        self.last = ConvAct((2 + depth) * self.half, width)
        self.layers = nn.ModuleList(Branches(self.half, self.half) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        found = list(self.first(x).split((self.half, self.half), 1))
        found.extend(layer(found[-1]) for layer in self.layers)
        return self.last(torch.cat(found, 1))


class Pyramid(nn.Module):
    """One pooling three times, each on what the one before made."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.last = ConvAct(width, width // 2), ConvAct(2 * width, width)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        found = [self.first(x)]
        found.extend(self.pool(found[-1]) for _ in range(3))
        return self.last(torch.cat(found, 1))


class Detector(nn.Module):
    """Maps of two sizes, the deep one enlarged beside the other, and a head for each that writes over it in a list."""

    def __init__(self, classes: int = 3, boxes: int = 2) -> None:
        super().__init__()
        self.stem, self.down = Branches(3, 8, 2), ConvAct(8, 16, 3, 2)
        self.deep = nn.Sequential(Partial(16, 16, 2), Pyramid(16))
        self.up = nn.Upsample(None, 2, "nearest")
        self.merge = Partial(24, 8, 1)
        self.heads = nn.ModuleList(nn.Conv2d(c, boxes * (classes + 4), 1) for c in (8, 16))

    def forward(self, x: Tensor) -> list[Tensor]:
        small = self.stem(x)
        deep = self.deep(self.down(small))
        maps = [self.merge(torch.cat([self.up(deep), small], 1)), deep]
        for i, head in enumerate(self.heads):
            maps[i] = head(maps[i])
        return maps


LIFTED = {
    "functional": (Functional, (3, 16, 16)),
    "reused": (Reused, (3, 9, 9)),
    "shuffled": (Shuffled, (3, 12, 12)),
    "mobile": (Mobile, (3, 16, 16)),
    "stages": (Stages, (1, 16, 16)),
    "densenet": (DenseNet, (3, 12, 12)),
    "convnext": (ConvNeXt, (3, 16, 16)),
    "unet": (UNet, (1, 9, 9)),
    "signals": (Signals, (2, 20)),
    "detector": (Detector, (3, 16, 16)),
}


# What cannot be lifted


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        q, k = self.q(x).flatten(2), self.k(x).flatten(2)
        scores = q.transpose(1, 2) @ k  # no op multiplies two tensors so
        return scores.softmax(-1)


class Branching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        if x.mean() > 0:  # asks the input
            x = -x
        return self.conv(x)


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.conv(x))
        return torch.relu(self.conv(x))  # the second time


class Tied(nn.Module):
    """Two layers with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
        self.b.weight = self.a.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.b(self.a(x))


class Positions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.zeros(1, 3, 8, 8))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.position  # a parameter for each pixel


class Arguments(nn.Module):
    """Calls that the language has, with arguments that it has not; each line is one mistake."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)  # pads by a reflection
        z = F.gelu(x, approximate="tanh")
        w = F.dropout(x, 0.5)  # also in evaluation
        v = F.leaky_relu(x, 0.2)
        u = x + 1.5
        return (y.sum() + z.sum() + w.sum() + v.sum() + torch.exp(u).sum()).reshape(1, 1)


class Written(nn.Module):
    """Writes into a part of a tensor that it reads later."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        left, _ = y.chunk(2, 1)
        left.relu_()  # changes y
        return y


UNLIFTABLE = {
    "attention": (Attention, (3, 4, 4)),
    "branching": (Branching, (3, 4, 4)),
    "shared": (Shared, (3, 4, 4)),
    "tied": (Tied, (4,)),
    "positions": (Positions, (3, 8, 8)),
    "arguments": (Arguments, (3, 4, 4)),
    "written": (Written, (3, 4, 4)),
}

MADE = Reused().eval()
"""A network that is there already."""
