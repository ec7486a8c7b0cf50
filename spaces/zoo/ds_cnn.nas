# DS-CNN (Zhang et al., 2017), MLPerf Tiny's keyword spotter: mlcommons/tiny, keyword_spotting. It hears 49 steps of 10
# coefficients. Its pooling has a window of 24 x 5 on a map of 25 x 5, so it leaves out the last row.
from "lib/tiny.nas" import conv_same, separable

space ds_cnn(classes = 12) {
  x     = image(1, size=49x10)
  stem  = x -> conv_same(10x4, 64, stride=2)
  trunk = stem -> stages {
    | block     | width | depth |
    | separable | 64    | 4     |
  }
  head  = trunk -> avg_pool(24x5, stride=24x5, padding=0) -> linear(classes)
  return head
}
