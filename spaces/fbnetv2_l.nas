# FBNetV2-L: the paper's largest search space, Table 2 (macro) with Table 3 (micro).
#
# From the paper: every row, its expansions, widths, depth and stride, the eight block types and skip, one searched size
# of the image up to 256, the bound of FBNetV2-L1. Ours: the smaller sizes, which the paper does not list; skip only at
# stride 1, where it keeps the input's width; `always_expand`, for a guard that decisions decide would cost a mixture in
# every layer.
from "lib/mobile.nas" import ir

choice mb {
  ir_k3:       ir(kernel=3, act=relu, always_expand=true)
  ir_k5:       ir(kernel=5, act=relu, always_expand=true)
  ir_k3_hs:    ir(kernel=3, act=hswish, always_expand=true)
  ir_k5_hs:    ir(kernel=5, act=hswish, always_expand=true)
  ir_k3_se:    ir(kernel=3, act=relu, se=true, always_expand=true)
  ir_k5_se:    ir(kernel=5, act=relu, se=true, always_expand=true)
  ir_k3_se_hs: ir(kernel=3, act=hswish, se=true, always_expand=true)
  ir_k5_se_hs: ir(kernel=5, act=hswish, se=true, always_expand=true)
  skip:        identity  when stride == 1
}

space fbnetv2_l(classes = 1000, sizes = {128, 160, 192, 224, 256}) {
  x     = image(3, size=sizes)
  stem  = x -> conv(3, 16, stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block | expand            | width         | depth | stride |
    | mb    | 1                 | 12..16 by 4   | 1     | 1      |
    | mb    | 0.75..3.25 by 0.5 | 16..28 by 4   | 1     | 2      |
    | mb    | 0.75..3.25 by 0.5 | 16..28 by 4   | 2     | 1      |
    | mb    | 0.75..3.25 by 0.5 | 16..40 by 8   | 1     | 2      |
    | mb    | 0.75..3.25 by 0.5 | 16..40 by 8   | 2     | 1      |
    | mb    | 0.75..3.75 by 0.5 | 48..96 by 8   | 1     | 2      |
    | mb    | 0.75..3.75 by 0.5 | 48..96 by 8   | 2     | 1      |
    | mb    | 0.75..4.5 by 0.75 | 72..128 by 8  | 4     | 1      |
    | mb    | 0.75..4.5 by 0.75 | 112..216 by 8 | 1     | 2      |
    | mb    | 0.75..4.5 by 0.75 | 112..216 by 8 | 3     | 1      |
  }
  head  = trunk -> conv(1, 1984) -> bn -> hswish -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 325M
}

search {
  epochs       = 90
  split        = 0.8
  weights      = sgd(lr=0.1, momentum=0.9, weight_decay=1e-4)
  architecture = adam(lr=0.01, weight_decay=5e-4)
  temperature  = 5.0 * exp(-0.045 * epoch)
}
