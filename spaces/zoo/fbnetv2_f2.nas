# FBNetV2-F2 as released (facebookresearch/mobile-vision), 71.0% top-1 on ImageNet. F1's body.
# Its expansions are expectations of a search, edited by hand, and lie on no grid of the paper's Table 2.
from "lib/mobile.nas" import ir, ir_pool, skip_conv

space fbnetv2_f2(classes = 1000) {
  x     = image(3, size=160)
  stem  = x -> conv(3, 8, stride=2, bias=true) -> bn -> hswish
  trunk = stem -> stages {
    | block     | width | expand | kernel | act    | se   | depth | stride |
    | ir        | 8     | 1      | 5      | relu   | -    | 1     | 1      |
    | ir        | 24    | 5.4566 | 5      | relu   | -    | 1     | 2      |
    | ir        | 24    | 4.7912 | 5      | relu   | -    | 1     | 1      |
    | ir        | 32    | 5.3501 | 5      | relu   | true | 1     | 2      |
    | ir        | 24    | 4.5379 | 5      | relu   | true | 1     | 1      |
    | ir        | 56    | 5.7133 | 5      | hswish | -    | 1     | 2      |
    | ir        | 56    | 4.1212 | 3      | hswish | -    | 1     | 1      |
    | ir        | 56    | 5.1246 | 3      | hswish | true | 1     | 1      |
    | skip_conv | 80    | -      | -      | -      | -    | 1     | 1      |
    | ir        | 80    | 4.507  | 5      | hswish | true | 1     | 1      |
    | ir        | 80    | 1.7712 | 5      | hswish | true | 1     | 1      |
    | ir        | 144   | 4.5685 | 3      | hswish | true | 1     | 2      |
    | ir        | 144   | 5.84   | 5      | hswish | true | 1     | 1      |
    | ir        | 144   | 6.8754 | 5      | hswish | true | 1     | 1      |
    | skip_conv | 224   | -      | -      | -      | -    | 1     | 1      |
  }
  last  = trunk -> ir_pool(1600, expand=6)
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
