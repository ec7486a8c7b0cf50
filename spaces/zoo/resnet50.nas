# ResNet-50 (He et al., 2016), as timm has it: resnet50, its strides at the 3x3 convolutions.
from "lib/residual.nas" import bottleneck

space resnet50(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(7, 64, stride=2) -> bn -> relu -> max_pool(3, stride=2)
  trunk = stem -> stages {
    | block      | width | depth | stride |
    | bottleneck | 256   | 3     | 1      |
    | bottleneck | 512   | 4     | 2      |
    | bottleneck | 1024  | 6     | 2      |
    | bottleneck | 2048  | 3     | 2      |
  }
  head  = trunk -> global_avg_pool -> linear(classes)
  return head
}
