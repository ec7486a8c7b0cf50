# NATS-Bench's size space (Dong et al., 2021): the widths of five layers, three cells and two blocks that halve the map.
#
# From the paper: the widths, 8 to 64, so 8^5 = 32,768 networks, and the cell, NAS-Bench-201's best on CIFAR-100. The
# stem has the first cell's width.
from "lib/nasbench201.nas" import halve, relu_conv_bn

## Adds a map of another width, which a 1x1 convolution fits.
block plus_fitted(before) {
  return x + (before -> relu_conv_bn(x.channels, kernel=1))
}

## The cell: 3x3 convolutions on all edges but the one from its input to its last node, which skips.
block cell(width) {
  node1 = x -> relu_conv_bn(width)
  node2 = (x -> relu_conv_bn(width)) + (node1 -> relu_conv_bn(width))
  node3 = (node1 -> relu_conv_bn(width)) + (node2 -> relu_conv_bn(width))
  fits  = node3 -> plus_fitted(before=x) when x.channels != width
  return shortcut(x, fits)
}

space natsbench(classes = 100, size = 32) {
  let first = 8..64 by 8
  x     = image(3, size=size)
  stem  = x -> conv(3, first) -> bn
  trunk = stem -> stages {
    | block | width      |
    | cell  | first      |
    | halve | 8..64 by 8 |
    | cell  | 8..64 by 8 |
    | halve | 8..64 by 8 |
    | cell  | 8..64 by 8 |
  }
  last  = trunk -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
