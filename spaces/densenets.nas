# Growth rates of densely connected networks, around DenseNet-121 (Huang et al., 2017). What is searched is ours: each
# block's growth, one for all its layers.
from "lib/dense.nas" import dense, transition

space densenets(classes = 1000, size = 224, depth = 6) {
  x     = image(3, size=size)
  stem  = x -> conv(7, {32, 48, 64}, stride=2) -> bn -> relu -> max_pool(3, stride=2)
  trunk = stem -> stages {
    | block      | growth          | depth     |
    | dense      | let 16..32 by 8 | depth     |
    | transition | -               | 1         |
    | dense      | let 16..32 by 8 | 2 * depth |
    | transition | -               | 1         |
    | dense      | let 16..32 by 8 | 4 * depth |
    | transition | -               | 1         |
    | dense      | let 16..32 by 8 | 2 * depth |
  }
  last  = trunk -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
