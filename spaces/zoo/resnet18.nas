# ResNet-18 (He et al., 2016), as timm has it: resnet18.
from "lib/residual.nas" import basic

space resnet18(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(7, 64, stride=2) -> bn -> relu -> max_pool(3, stride=2)
  trunk = stem -> stages {
    | block | width | depth | stride |
    | basic | 64    | 2     | 1      |
    | basic | 128   | 2     | 2      |
    | basic | 256   | 2     | 2      |
    | basic | 512   | 2     | 2      |
  }
  head  = trunk -> global_avg_pool -> linear(classes)
  return head
}
