# DenseNet-121 (Huang et al., 2017), as timm has it: densenet121.
from "lib/dense.nas" import dense, transition

space densenet121(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(7, 64, stride=2) -> bn -> relu -> max_pool(3, stride=2)
  trunk = stem -> stages {
    | block      | growth | depth |
    | dense      | 32     | 6     |
    | transition | -      | 1     |
    | dense      | 32     | 12    |
    | transition | -      | 1     |
    | dense      | 32     | 24    |
    | transition | -      | 1     |
    | dense      | 32     | 16    |
  }
  last  = trunk -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
