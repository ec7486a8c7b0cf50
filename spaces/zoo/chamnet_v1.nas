# ChamNet v1 (Dai et al., CVPR 2019), by its release as the body of a detector: facebookresearch/maskrcnn-benchmark and
# facebookresearch/mobile-vision, cham_v1. From the release: the stem's width, and every row's kernel, expansion, width,
# depth and stride. Ours: what makes a classifier of it, the last convolution and the size of the images, and that
# convolutions have no biases. It is none of the paper's ChamNet-A to E, whose layers we have not seen published.
from "lib/mobile.nas" import ir

space chamnet_v1(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 32, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block | kernel | expand | width | depth | stride |
    | ir    | 3      | 1      | 24    | 1     | 1      |
    | ir    | 7      | 4      | 48    | 2     | 2      |
    | ir    | 3      | 7      | 64    | 5     | 2      |
    | ir    | 5      | 12     | 56    | 7     | 2      |
    | ir    | 3      | 8      | 88    | 5     | 1      |
    | ir    | 3      | 7      | 152   | 4     | 2      |
    | ir    | 3      | 10     | 104   | 1     | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
