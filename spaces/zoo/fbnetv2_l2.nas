# FBNetV2-L2 as released (facebookresearch/mobile-vision), 78.2% top-1 on ImageNet. L1's body.
# Its expansions are expectations of a search, edited by hand, and lie on no grid of the paper's Table 2.
from "lib/mobile.nas" import ir, ir_pool, skip_conv

space fbnetv2_l2(classes = 1000) {
  x     = image(3, size=256)
  stem  = x -> conv(3, 16, stride=2, bias=true) -> bn -> hswish
  trunk = stem -> stages {
    | block     | width | expand | kernel | act    | se   | depth | stride |
    | ir        | 16    | 1      | 3      | hswish | -    | 1     | 1      |
    | ir        | 24    | 5.4566 | 5      | hswish | -    | 1     | 2      |
    | ir        | 24    | 1.7912 | 5      | hswish | -    | 1     | 1      |
    | ir        | 24    | 1.7912 | 3      | hswish | -    | 1     | 1      |
    | ir        | 24    | 1.7912 | 5      | hswish | -    | 1     | 1      |
    | ir        | 40    | 5.3501 | 5      | hswish | true | 1     | 2      |
    | ir        | 32    | 3.5379 | 5      | hswish | true | 1     | 1      |
    | ir        | 32    | 4.5379 | 5      | hswish | true | 2     | 1      |
    | ir        | 64    | 5.7133 | 5      | hswish | -    | 1     | 2      |
    | ir        | 64    | 2.1212 | 3      | hswish | -    | 1     | 1      |
    | identity  | -     | -      | -      | -      | -    | 1     | 1      |
    | ir        | 64    | 3.1246 | 3      | hswish | -    | 1     | 1      |
    | ir        | 112   | 5.0333 | 3      | hswish | -    | 1     | 1      |
    | ir        | 112   | 2.507  | 5      | hswish | true | 1     | 1      |
    | ir        | 112   | 1.7712 | 5      | hswish | true | 1     | 1      |
    | ir        | 112   | 2.7712 | 5      | hswish | true | 1     | 1      |
    | ir        | 112   | 3.7712 | 5      | hswish | true | 2     | 1      |
    | ir        | 184   | 5.5685 | 3      | hswish | true | 1     | 2      |
    | ir        | 184   | 2.84   | 5      | hswish | true | 2     | 1      |
    | ir        | 184   | 4.8754 | 5      | hswish | true | 2     | 1      |
    | skip_conv | 224   | -      | -      | -      | -    | 1     | 1      |
  }
  last  = trunk -> ir_pool(1984, expand=6)
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
