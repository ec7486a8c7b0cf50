# A small space for 8x8 images of digits: block, expansion and width of five layers, about 44 million networks.
from "lib/mobile.nas" import ir

choice mb {
  ir_k3:       ir(kernel=3, act=relu, always_expand=true)
  ir_k5_hs:    ir(kernel=5, act=hswish, always_expand=true)
  ir_k3_se_hs: ir(kernel=3, act=hswish, se=true, always_expand=true)
  skip:        identity  when stride == 1
}

space digits(classes = 10) {
  x     = image(1, size=8)
  stem  = x -> conv(3, 16) -> bn -> hswish
  trunk = stem -> stages {
    | block | expand    | width        | depth | stride |
    | mb    | {1, 2, 3} | 8..24 by 8   | 2     | 1      |
    | mb    | {2, 3, 4} | 16..48 by 8  | 2     | 2      |
    | mb    | {2, 3, 4} | 32..64 by 16 | 1     | 2      |
  }
  head  = trunk -> conv(1, 96) -> bn -> hswish -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 250K
}

search {
  epochs       = 40
  batch        = 64
  architecture = adam(lr=0.1)  # 288 images give the architecture 5 steps an epoch: each must count
}

train {
  epochs = 40
  batch  = 64
}
