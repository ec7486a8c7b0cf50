# ChamNet v2 (Dai et al., CVPR 2019), by its release as the body of a detector: facebookresearch/maskrcnn-benchmark and
# facebookresearch/mobile-vision, cham_v2. From the release: the stem's width, and every row's kernel, expansion, width,
# depth and stride. Ours: what makes a classifier of it, the last convolution and the size of the images, and that
# convolutions have no biases. It is none of the paper's ChamNet-A to E, whose layers we have not seen published.
from "lib/mobile.nas" import ir

space chamnet_v2(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 32, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block | kernel | expand | width | depth | stride |
    | ir    | 3      | 1      | 24    | 1     | 1      |
    | ir    | 5      | 8      | 32    | 4     | 2      |
    | ir    | 5      | 5      | 48    | 6     | 2      |
    | ir    | 5      | 9      | 56    | 3     | 2      |
    | ir    | 3      | 6      | 56    | 6     | 1      |
    | ir    | 3      | 2      | 160   | 6     | 2      |
    | ir    | 3      | 6      | 112   | 1     | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
