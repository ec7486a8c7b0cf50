# MobileNet (Howard et al., 2017) at a quarter of its widths, MLPerf Tiny's person detector: mlcommons/tiny,
# visual_wake_words.
from "lib/tiny.nas" import conv_same, separable

space mobilenetv1(classes = 2) {
  x     = image(3, size=96)
  stem  = x -> conv_same(3, 8, stride=2)
  trunk = stem -> stages {
    | block     | width | depth | stride |
    | separable | 16    | 1     | 1      |
    | separable | 32    | 2     | 2      |
    | separable | 64    | 2     | 2      |
    | separable | 128   | 6     | 2      |
    | separable | 256   | 2     | 2      |
  }
  head  = trunk -> global_avg_pool -> linear(classes)
  return head
}
