# DARTS on ImageNet (Liu et al., 2019), as released: quark0/darts, NetworkImageNet of 14 cells DARTS_V2, 48 channels.
from "lib/darts_v2.nas" import normal, reduction

space darts_imagenet(classes = 1000) {
  x     = image(3, size=224)
  stem0 = x -> conv(3, 24, stride=2) -> bn -> relu -> conv(3, 48, stride=2) -> bn
  stem1 = stem0 -> relu -> conv(3, 48, stride=2) -> bn
  cells = stem1 -> stages {
    | block     | width | depth | previous |
    | normal    | 48    | 4     | stem0    |
    | reduction | 96    | 1     | -        |
    | normal    | 96    | 4     | -        |
    | reduction | 192   | 1     | -        |
    | normal    | 192   | 4     | -        |
  }
  head  = cells -> global_avg_pool -> linear(classes)
  return head
}
