# ResNet-8, MLPerf Tiny's image classifier: mlcommons/tiny, image_classification.
from "lib/tiny.nas" import conv_same

## Two 3x3 convolutions beside a shortcut, which a bare convolution fits where the size changes.
block stack(width, stride = 1) {
  inner  = x -> conv_same(3, width, stride=stride)
  outer  = inner -> conv(3, width, bias=true) -> bn(eps=1e-3)
  fitted = x -> conv(1, width, stride=stride, bias=true) when stride > 1
  return outer + fitted -> relu
}

space resnet8(classes = 10) {
  x     = image(3, size=32)
  stem  = x -> conv_same(3, 16)
  trunk = stem -> stages {
    | block | width | stride |
    | stack | 16    | 1      |
    | stack | 32    | 2      |
    | stack | 64    | 2      |
  }
  head  = trunk -> global_avg_pool -> linear(classes)
  return head
}
