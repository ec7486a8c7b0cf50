# FBNetV2-F0 as released (facebookresearch/mobile-vision).
# Its expansions are expectations of a search, edited by hand, and lie on no grid of the paper's Table 2.
from "lib/mobile.nas" import ir, ir_pool, skip_conv

space fbnetv2_f0(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 8, stride=2, bias=true) -> bn -> hswish
  trunk = stem -> stages {
    | block     | width | expand | kernel | act    | se   | depth | stride |
    | ir        | 8     | 1      | 5      | hswish | -    | 1     | 1      |
    | ir        | 16    | 4      | 5      | hswish | -    | 1     | 2      |
    | ir        | 16    | 3      | 5      | hswish | -    | 1     | 1      |
    | ir        | 24    | 4      | 5      | relu   | true | 1     | 2      |
    | ir        | 24    | 3      | 5      | relu   | true | 1     | 1      |
    | ir        | 48    | 4      | 5      | hswish | true | 1     | 2      |
    | ir        | 48    | 3      | 3      | hswish | true | 1     | 1      |
    | ir        | 64    | 3      | 5      | hswish | true | 1     | 1      |
    | ir        | 64    | 2      | 5      | hswish | true | 1     | 1      |
    | ir        | 128   | 3      | 3      | hswish | true | 1     | 2      |
    | ir        | 160   | 3      | 5      | hswish | true | 1     | 1      |
    | skip_conv | 192   | -      | -      | -      | -    | 1     | 1      |
  }
  last  = trunk -> ir_pool(1280, expand=4)
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
