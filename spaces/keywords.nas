# Keyword spotters that hear 49 steps of 10 coefficients, around DS-CNN (Zhang et al., 2017; zoo/ds_cnn). What is
# searched is ours: the first window, and width, kernel and number of the separable convolutions.
block separable(width, kernel = 3, stride = 1) {
  depthwise = x -> dwconv(kernel, stride=stride) -> bn -> relu
  return depthwise -> conv(1, width) -> bn -> relu
}

space keywords(classes = 12) {
  x     = image(1, size=49x10)
  stem  = x -> conv({10x4, 7x3, 5x3}, 32..64 by 16, stride=2, padding=same) -> bn -> relu
  trunk = stem -> stages {
    | block     | width        | kernel           | depth     | stride |
    | separable | 32..64 by 16 | {3, 5x3, 3x5, 5} | {1, 2, 3} | 1      |
    | separable | 32..96 by 32 | {3, 5x3, 3x5, 5} | {1, 2}    | 2      |
  }
  head  = trunk -> global_avg_pool -> dropout(0.2) -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 1M, params <= 20K
}
