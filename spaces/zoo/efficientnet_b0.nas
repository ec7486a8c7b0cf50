# EfficientNet-B0 (Tan and Le, 2019), as timm has it: efficientnet_b0.
from "lib/mbconv.nas" import mbconv

space efficientnet_b0(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 32, stride=2) -> bn -> swish
  trunk = stem -> stages {
    | block                      | kernel | expand | width | depth | stride |
    | mbconv(act=swish, se=0.25) | 3      | 1      | 16    | 1     | 1      |
    | mbconv(act=swish, se=0.25) | 3      | 6      | 24    | 2     | 2      |
    | mbconv(act=swish, se=0.25) | 5      | 6      | 40    | 2     | 2      |
    | mbconv(act=swish, se=0.25) | 3      | 6      | 80    | 3     | 2      |
    | mbconv(act=swish, se=0.25) | 5      | 6      | 112   | 3     | 1      |
    | mbconv(act=swish, se=0.25) | 5      | 6      | 192   | 4     | 2      |
    | mbconv(act=swish, se=0.25) | 3      | 6      | 320   | 1     | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn -> swish
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
