# Sizes of the image that divide nothing evenly; a flow with a table in it; maps of two parts together; a gate of
# another part's map; layers that may be skipped, and a row of undecided depth.
from "lib/mobile.nas" import ir

choice mb {
  ir_k3: ir(kernel=3, act=relu, se=true, always_expand=true)
  ir_k5: ir(kernel={3, 5}, act={relu, hswish}, always_expand=true)
  skip:  identity  when stride == 1
}

space resolution(classes = 5, sizes = {12, 9, 16, 10, 15}) {
  x    = image(2, size=sizes)
  stem = x -> conv(3, {4, 8}, stride=2) -> bn -> relu -> stages {
    | block | expand | width      | depth  | stride |
    | mb    | {1, 2} | 8..16 by 8 | {1, 2} | 1      |
    | mb    | {1, 2} | 8..16 by 8 | 2      | 2      |
  } -> conv(3, {8, 12}) -> bn
  side = x -> conv(5, 6, stride=3) -> bn -> relu -> max_pool(3)
  gate = stem -> global_avg_pool -> conv(1, stem.channels) -> hsigmoid
  main = stem * gate
  both = main -> ir(8, expand={1, 2}) -> conv(1, 6) -> {relu, hswish} -> conv(1, 6) -> bn
         -> {relu, hswish} -> bn
  sum  = both + (both -> relu)
  last = sum -> conv(3, 12, stride=2) -> bn -> relu
  return concat(last -> global_avg_pool, side -> global_avg_pool) -> linear(classes)
}
