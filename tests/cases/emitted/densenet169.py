"""densenet169: 3,359,843,328 multiply-adds, 14,149,480 parameters.

Input: images of shape [N, 3, 224, 224]; multiply-adds are for one of them.
Weights: `model.load_state_dict(safetensors.torch.load_file("model.safetensors"))`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Dense(nn.Module):
    """A layer that puts `growth` channels of its own behind all that it reads."""

    def __init__(self, in_channels: int, *, growth: int, mid: int) -> None:
        super().__init__()
        self.narrow_bn = nn.BatchNorm2d(in_channels)
        self.narrow_conv = nn.Conv2d(in_channels, mid, 1, bias=False)
        self.grown_bn = nn.BatchNorm2d(mid)
        self.grown_conv = nn.Conv2d(mid, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.narrow_conv(F.relu(self.narrow_bn(x)))
        grown = self.grown_conv(F.relu(self.grown_bn(narrow)))
        return torch.cat([x, grown], dim=1)


class Transition(nn.Module):
    """Half of the channels, on a map of half the size."""

    def __init__(self, in_channels: int, *, narrow_conv_out_channels: int) -> None:
        super().__init__()
        self.narrow_bn = nn.BatchNorm2d(in_channels)
        self.narrow_conv = nn.Conv2d(
            in_channels, narrow_conv_out_channels, 1, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.narrow_conv(F.relu(self.narrow_bn(x)))
        return F.avg_pool2d(narrow, 2, stride=2)


class Densenet169(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem_conv = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.stem_bn = nn.BatchNorm2d(64)
        # fmt: off
        self.trunk = nn.Sequential(                          # output          multiply-adds
            Dense(64,   growth=32, mid=128),                 # 96 x 56 x 56      141,295,616
            Dense(96,   growth=32, mid=128),                 # 128 x 56 x 56     154,140,672
            Dense(128,  growth=32, mid=128),                 # 160 x 56 x 56     166,985,728
            Dense(160,  growth=32, mid=128),                 # 192 x 56 x 56     179,830,784
            Dense(192,  growth=32, mid=128),                 # 224 x 56 x 56     192,675,840
            Dense(224,  growth=32, mid=128),                 # 256 x 56 x 56     205,520,896
            Transition(256,  narrow_conv_out_channels=128),  # 128 x 28 x 28     102,760,448
            Dense(128,  growth=32, mid=128),                 # 160 x 28 x 28      41,746,432
            Dense(160,  growth=32, mid=128),                 # 192 x 28 x 28      44,957,696
            Dense(192,  growth=32, mid=128),                 # 224 x 28 x 28      48,168,960
            Dense(224,  growth=32, mid=128),                 # 256 x 28 x 28      51,380,224
            Dense(256,  growth=32, mid=128),                 # 288 x 28 x 28      54,591,488
            Dense(288,  growth=32, mid=128),                 # 320 x 28 x 28      57,802,752
            Dense(320,  growth=32, mid=128),                 # 352 x 28 x 28      61,014,016
            Dense(352,  growth=32, mid=128),                 # 384 x 28 x 28      64,225,280
            Dense(384,  growth=32, mid=128),                 # 416 x 28 x 28      67,436,544
            Dense(416,  growth=32, mid=128),                 # 448 x 28 x 28      70,647,808
            Dense(448,  growth=32, mid=128),                 # 480 x 28 x 28      73,859,072
            Dense(480,  growth=32, mid=128),                 # 512 x 28 x 28      77,070,336
            Transition(512,  narrow_conv_out_channels=256),  # 256 x 14 x 14     102,760,448
            Dense(256,  growth=32, mid=128),                 # 288 x 14 x 14      13,647,872
            Dense(288,  growth=32, mid=128),                 # 320 x 14 x 14      14,450,688
            Dense(320,  growth=32, mid=128),                 # 352 x 14 x 14      15,253,504
            Dense(352,  growth=32, mid=128),                 # 384 x 14 x 14      16,056,320
            Dense(384,  growth=32, mid=128),                 # 416 x 14 x 14      16,859,136
            Dense(416,  growth=32, mid=128),                 # 448 x 14 x 14      17,661,952
            Dense(448,  growth=32, mid=128),                 # 480 x 14 x 14      18,464,768
            Dense(480,  growth=32, mid=128),                 # 512 x 14 x 14      19,267,584
            Dense(512,  growth=32, mid=128),                 # 544 x 14 x 14      20,070,400
            Dense(544,  growth=32, mid=128),                 # 576 x 14 x 14      20,873,216
            Dense(576,  growth=32, mid=128),                 # 608 x 14 x 14      21,676,032
            Dense(608,  growth=32, mid=128),                 # 640 x 14 x 14      22,478,848
            Dense(640,  growth=32, mid=128),                 # 672 x 14 x 14      23,281,664
            Dense(672,  growth=32, mid=128),                 # 704 x 14 x 14      24,084,480
            Dense(704,  growth=32, mid=128),                 # 736 x 14 x 14      24,887,296
            Dense(736,  growth=32, mid=128),                 # 768 x 14 x 14      25,690,112
            Dense(768,  growth=32, mid=128),                 # 800 x 14 x 14      26,492,928
            Dense(800,  growth=32, mid=128),                 # 832 x 14 x 14      27,295,744
            Dense(832,  growth=32, mid=128),                 # 864 x 14 x 14      28,098,560
            Dense(864,  growth=32, mid=128),                 # 896 x 14 x 14      28,901,376
            Dense(896,  growth=32, mid=128),                 # 928 x 14 x 14      29,704,192
            Dense(928,  growth=32, mid=128),                 # 960 x 14 x 14      30,507,008
            Dense(960,  growth=32, mid=128),                 # 992 x 14 x 14      31,309,824
            Dense(992,  growth=32, mid=128),                 # 1024 x 14 x 14     32,112,640
            Dense(1024, growth=32, mid=128),                 # 1056 x 14 x 14     32,915,456
            Dense(1056, growth=32, mid=128),                 # 1088 x 14 x 14     33,718,272
            Dense(1088, growth=32, mid=128),                 # 1120 x 14 x 14     34,521,088
            Dense(1120, growth=32, mid=128),                 # 1152 x 14 x 14     35,323,904
            Dense(1152, growth=32, mid=128),                 # 1184 x 14 x 14     36,126,720
            Dense(1184, growth=32, mid=128),                 # 1216 x 14 x 14     36,929,536
            Dense(1216, growth=32, mid=128),                 # 1248 x 14 x 14     37,732,352
            Dense(1248, growth=32, mid=128),                 # 1280 x 14 x 14     38,535,168
            Transition(1280, narrow_conv_out_channels=640),  # 640 x 7 x 7       160,563,200
            Dense(640,  growth=32, mid=128),                 # 672 x 7 x 7         5,820,416
            Dense(672,  growth=32, mid=128),                 # 704 x 7 x 7         6,021,120
            Dense(704,  growth=32, mid=128),                 # 736 x 7 x 7         6,221,824
            Dense(736,  growth=32, mid=128),                 # 768 x 7 x 7         6,422,528
            Dense(768,  growth=32, mid=128),                 # 800 x 7 x 7         6,623,232
            Dense(800,  growth=32, mid=128),                 # 832 x 7 x 7         6,823,936
            Dense(832,  growth=32, mid=128),                 # 864 x 7 x 7         7,024,640
            Dense(864,  growth=32, mid=128),                 # 896 x 7 x 7         7,225,344
            Dense(896,  growth=32, mid=128),                 # 928 x 7 x 7         7,426,048
            Dense(928,  growth=32, mid=128),                 # 960 x 7 x 7         7,626,752
            Dense(960,  growth=32, mid=128),                 # 992 x 7 x 7         7,827,456
            Dense(992,  growth=32, mid=128),                 # 1024 x 7 x 7        8,028,160
            Dense(1024, growth=32, mid=128),                 # 1056 x 7 x 7        8,228,864
            Dense(1056, growth=32, mid=128),                 # 1088 x 7 x 7        8,429,568
            Dense(1088, growth=32, mid=128),                 # 1120 x 7 x 7        8,630,272
            Dense(1120, growth=32, mid=128),                 # 1152 x 7 x 7        8,830,976
            Dense(1152, growth=32, mid=128),                 # 1184 x 7 x 7        9,031,680
            Dense(1184, growth=32, mid=128),                 # 1216 x 7 x 7        9,232,384
            Dense(1216, growth=32, mid=128),                 # 1248 x 7 x 7        9,433,088
            Dense(1248, growth=32, mid=128),                 # 1280 x 7 x 7        9,633,792
            Dense(1280, growth=32, mid=128),                 # 1312 x 7 x 7        9,834,496
            Dense(1312, growth=32, mid=128),                 # 1344 x 7 x 7       10,035,200
            Dense(1344, growth=32, mid=128),                 # 1376 x 7 x 7       10,235,904
            Dense(1376, growth=32, mid=128),                 # 1408 x 7 x 7       10,436,608
            Dense(1408, growth=32, mid=128),                 # 1440 x 7 x 7       10,637,312
            Dense(1440, growth=32, mid=128),                 # 1472 x 7 x 7       10,838,016
            Dense(1472, growth=32, mid=128),                 # 1504 x 7 x 7       11,038,720
            Dense(1504, growth=32, mid=128),                 # 1536 x 7 x 7       11,239,424
            Dense(1536, growth=32, mid=128),                 # 1568 x 7 x 7       11,440,128
            Dense(1568, growth=32, mid=128),                 # 1600 x 7 x 7       11,640,832
            Dense(1600, growth=32, mid=128),                 # 1632 x 7 x 7       11,841,536
            Dense(1632, growth=32, mid=128),                 # 1664 x 7 x 7       12,042,240
        )
        # fmt: on
        self.last_bn = nn.BatchNorm2d(1664)
        self.head_linear = nn.Linear(1664, classes)
        self.num_features = 1664
        self.feature_info = [
            {"num_chs": 64, "reduction": 2, "module": "stem_bn"},
            {"num_chs": 256, "reduction": 4, "module": "trunk.5"},
            {"num_chs": 512, "reduction": 8, "module": "trunk.18"},
            {"num_chs": 1280, "reduction": 16, "module": "trunk.51"},
            {"num_chs": 1664, "reduction": 32, "module": "trunk.84"},
        ]

    def forward_features(self, x: Tensor) -> Tensor:
        stem = F.relu(self.stem_bn(self.stem_conv(x)))
        stem = F.max_pool2d(stem, 3, stride=2, padding=1)
        return F.relu(self.last_bn(self.trunk(stem)))

    def forward(self, x: Tensor) -> Tensor:
        features = self.forward_features(x)
        return self.head_linear(F.adaptive_avg_pool2d(features, 1).flatten(1))
