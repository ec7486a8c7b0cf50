# ShuffleNetV2 (Ma et al., 2018), as torchvision has it: shufflenet_v2_x0_5, and by `--with width=176`
# shufflenet_v2_x1_5.
from "lib/shuffle.nas" import shuffle_down, shuffle_unit

space shufflenetv2(classes = 1000, width = 48) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 24, stride=2) -> bn -> relu -> max_pool(3, stride=2)
  trunk = stem -> stages {
    | block        | width     | depth |
    | shuffle_down | width     | 1     |
    | shuffle_unit | width     | 3     |
    | shuffle_down | 2 * width | 1     |
    | shuffle_unit | 2 * width | 7     |
    | shuffle_down | 4 * width | 1     |
    | shuffle_unit | 4 * width | 3     |
  }
  last  = trunk -> conv(1, 1024) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
