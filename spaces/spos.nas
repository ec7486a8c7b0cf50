# Single Path One-Shot (Guo et al., 2020): each of the 20 units of a ShuffleNetV2 has one of four branches, 4^20
# networks. From the paper: the units, their branches (kernels of 3, 5 and 7, and the deeper branch of Xception), the
# channels and depths of Table 5. Ours: the shuffle stands behind each unit, as ShuffleNetV2 has it, and the middle of a
# branch is as wide as what it makes.
from "lib/shuffle.nas" import shuffle_down, shuffle_unit, xception_down, xception_unit

choice unit {
  k3: shuffle_unit(kernel=3)
  k5: shuffle_unit(kernel=5)
  k7: shuffle_unit(kernel=7)
  x:  xception_unit
}

choice down {
  k3: shuffle_down(kernel=3)
  k5: shuffle_down(kernel=5)
  k7: shuffle_down(kernel=7)
  x:  xception_down
}

space spos(classes = 1000, size = 224) {
  x     = image(3, size=size)
  stem  = x -> conv(3, 16, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block | width | depth |
    | down  | 64    | 1     |
    | unit  | 64    | 3     |
    | down  | 160   | 1     |
    | unit  | 160   | 3     |
    | down  | 320   | 1     |
    | unit  | 320   | 7     |
    | down  | 640   | 1     |
    | unit  | 640   | 3     |
  }
  last  = trunk -> conv(1, 1024) -> bn -> relu
  head  = last -> global_avg_pool -> dropout(0.1) -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 330M
}
