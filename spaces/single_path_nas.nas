# Single-Path NAS's space (Stamoulis et al., 2019): kernel and expansion of 20 inverted residuals, and which are there,
# in one path: a smaller kernel is the middle of a larger one, a smaller expansion the first of its channels.
#
# From the paper: kernels 3 and 5, expansions 3 and 6, a skip. From the release: widths, depths and strides, those of
# its network for the Pixel 1 (zoo/single_path). Ours: skip only where it keeps the shape.
from "lib/mobile.nas" import ir

choice layer {
  block: ir(always_expand=true)
  skip:  identity
}

space single_path_nas(classes = 1000, size = 224) {
  x     = image(3, size=size)
  stem  = x -> conv(3, 32, stride=2) -> bn -> relu
  first = stem -> ir(16)
  trunk = first -> stages {
    | block                  | kernel | expand | width | depth | stride |
    | ir(always_expand=true) | {3, 5} | {3, 6} | 24    | 1     | 2      |
    | layer                  | {3, 5} | {3, 6} | 24    | 3     | 1      |
    | ir(always_expand=true) | {3, 5} | {3, 6} | 40    | 1     | 2      |
    | layer                  | {3, 5} | {3, 6} | 40    | 3     | 1      |
    | ir(always_expand=true) | {3, 5} | {3, 6} | 80    | 1     | 2      |
    | layer                  | {3, 5} | {3, 6} | 80    | 3     | 1      |
    | ir(always_expand=true) | {3, 5} | {3, 6} | 96    | 1     | 1      |
    | layer                  | {3, 5} | {3, 6} | 96    | 3     | 1      |
    | ir(always_expand=true) | {3, 5} | {3, 6} | 192   | 1     | 2      |
    | layer                  | {3, 5} | {3, 6} | 192   | 3     | 1      |
    | ir(expand=6)           | 3      | -      | 320   | 1     | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 340M
}
