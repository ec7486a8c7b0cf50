# MnasNet's space (Tan et al., CVPR 2019): operation, kernel, squeeze-and-excite, skip, width and depth, each decided
# once for all layers of a row.
#
# From the paper: the options of each, "3 / 5", "0 / 0.25", "pool / identity / none", widths of 0.75, 1 and 1.25 and
# depths of -1, 0 and +1 of MobileNetV2's; 432 choices a row and 5 rows, 432^5 or 10^13. Ours: that the four operations
# are a convolution, a separable one, and inverted residuals that widen by 3 and by 6, which makes the 432; widths as
# multiples of 8; the first and the last row, which are MobileNetV2's.
from "lib/mobile.nas" import ir, squeeze_excite

## A convolution.
block plain(width, kernel = 3, stride = 1, se = false) {
  y = x -> conv(kernel, width, stride=stride) -> bn -> relu
  return y -> squeeze_excite when se
}

## A depthwise and a 1x1 convolution.
block separable(width, kernel = 3, stride = 1, se = false) {
  depthwise = x -> dwconv(kernel, stride=stride) -> bn -> relu
  attention = depthwise -> squeeze_excite when se
  return attention -> conv(1, width) -> bn
}

## An inverted residual without its shortcut.
block inverted(width, expand, kernel = 3, stride = 1, se = false) {
  mid       = round_to(8, x.channels * expand)
  expansion = x -> conv(1, mid) -> bn -> relu
  return expansion -> separable(width, kernel=kernel, stride=stride, se=se)
}

choice op {
  conv:      plain
  sep:       separable
  mbconv_e3: inverted(expand=3)
  mbconv_e6: inverted(expand=6)
}

block plus(before) {
  return shortcut(before, x)
}

## A layer: an operation, and what is added to it: nothing, its input, or the mean of each 3 x 3 of its input.
block layer(op, skip, width, kernel, se, stride = 1) {
  y      = x -> op(width=width, kernel=kernel, se=se, stride=stride)
  pooled = x -> avg_pool(3, stride=stride)
  return y -> plus(x) when skip == 1 -> plus(pooled) when skip == 2  # 0 is none
}

space mnasnet(classes = 1000, size = 224) {
  x     = image(3, size=size)
  stem  = x -> conv(3, 32, stride=2) -> bn -> relu
  first = stem -> ir(16)
  trunk = first -> stages {
    | block | op     | skip          | width               | kernel     | se                | depth     | stride |
    | layer | let op | let {0, 1, 2} | let {16, 24, 32}    | let {3, 5} | let {true, false} | {1, 2, 3} | 2      |
    | layer | let op | let {0, 1, 2} | let {24, 32, 40}    | let {3, 5} | let {true, false} | {2, 3, 4} | 2      |
    | layer | let op | let {0, 1, 2} | let {48, 64, 80}    | let {3, 5} | let {true, false} | {3, 4, 5} | 2      |
    | layer | let op | let {0, 1, 2} | let {72, 96, 120}   | let {3, 5} | let {true, false} | {2, 3, 4} | 1      |
    | layer | let op | let {0, 1, 2} | let {120, 160, 200} | let {3, 5} | let {true, false} | {2, 3, 4} | 2      |
  }
  last  = trunk -> ir(320, expand=6) -> conv(1, 1280) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 315M
}
