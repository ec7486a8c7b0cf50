# Widths and depths of residual networks, around ResNet-50 (He et al., 2016). What is searched is ours: each stage's
# width, one for all its layers as their shortcuts need it, and its depth.
from "lib/residual.nas" import bottleneck

space resnets(classes = 1000, size = 224, width = 64) {
  x     = image(3, size=size)
  stem  = x -> conv(7, {width / 2, width}, stride=2) -> bn -> relu -> max_pool(3, stride=2)
  trunk = stem -> stages {
    | block      | width                                    | depth     | stride |
    | bottleneck | let {2 * width, 3 * width, 4 * width}    | {2, 3}    | 1      |
    | bottleneck | let {4 * width, 6 * width, 8 * width}    | {2, 3, 4} | 2      |
    | bottleneck | let {8 * width, 12 * width, 16 * width}  | {3, 4, 6} | 2      |
    | bottleneck | let {16 * width, 24 * width, 32 * width} | {2, 3}    | 2      |
  }
  head  = trunk -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 2000M
}
