# The 22-layer space of FBNet (Wu et al., CVPR 2019): nine blocks a layer, widths fixed. The paper counts 9^22 networks;
# here skip stands only where it can be an identity, in 16 of the 22 layers.
from "lib/mobile.nas" import ir_v1

choice change {
  k3_e1:    ir_v1(kernel=3, expand=1)
  k3_e1_g2: ir_v1(kernel=3, expand=1, groups=2)
  k3_e3:    ir_v1(kernel=3, expand=3)
  k3_e6:    ir_v1(kernel=3, expand=6)
  k5_e1:    ir_v1(kernel=5, expand=1)
  k5_e1_g2: ir_v1(kernel=5, expand=1, groups=2)
  k5_e3:    ir_v1(kernel=5, expand=3)
  k5_e6:    ir_v1(kernel=5, expand=6)
}

choice keep {
  block: change
  skip:  identity
}

space fbnetv1(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 16, stride=2, bias=true) -> bn -> relu
  trunk = stem -> stages {
    | block  | width | depth | stride |
    | keep   | 16    | 1     | 1      |
    | change | 24    | 1     | 2      |
    | keep   | 24    | 3     | 1      |
    | change | 32    | 1     | 2      |
    | keep   | 32    | 3     | 1      |
    | change | 64    | 1     | 2      |
    | keep   | 64    | 3     | 1      |
    | change | 112   | 1     | 1      |
    | keep   | 112   | 3     | 1      |
    | change | 184   | 1     | 2      |
    | keep   | 184   | 3     | 1      |
    | change | 352   | 1     | 1      |
  }
  head  = trunk -> conv(1, 1984, bias=true) -> bn -> relu -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 300M
}
