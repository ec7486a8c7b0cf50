# A search over depth, kernel, activation and squeeze-and-excite at the op: the factored micro space in small.
from "lib/mobile.nas" import ir

space depth(classes = 4) {
  x     = image(3, size=12)
  stem  = x -> conv(3, 8) -> bn -> hswish
  trunk = stem -> stages {
    | block | kernel | act            | se            | always_expand | expand | width      | depth  | stride |
    | ir    | {3, 5} | {relu, hswish} | {true, false} | true          | {1, 2} | 8..16 by 8 | {1, 2} | 1      |
    | ir    | {3, 5} | hswish         | true          | true          | 2      | 8..16 by 4 | {1, 3} | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
