# ChamNet's space (Dai et al., CVPR 2019): expansion, width and depth of each stage, and the size of the image.
#
# From the paper: what is searched, stage by stage, in networks of inverted residuals. From the two released bodies
# (zoo/chamnet_v1, zoo/chamnet_v2): stages, strides and kernels, the last two of the first one. Ours: the options, which
# both bodies lie among.
from "lib/mobile.nas" import ir

space chamnet(classes = 1000, sizes = {128, 160, 192, 224}) {
  x     = image(3, size=sizes)
  stem  = x -> conv(3, 32, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block                  | kernel | expand         | width            | depth     | stride |
    | ir                     | 3      | 1              | 24               | 1         | 1      |
    | ir(always_expand=true) | 7      | let {4, 6, 8}  | let 24..48 by 8  | {2, 4}    | 2      |
    | ir(always_expand=true) | 3      | let {5, 7}     | let 40..64 by 8  | {4, 5, 6} | 2      |
    | ir(always_expand=true) | 5      | let {6, 9, 12} | let 48..64 by 8  | {3, 5, 7} | 2      |
    | ir(always_expand=true) | 3      | let {6, 8}     | let {56, 72, 88} | {4, 5, 6} | 1      |
    | ir(always_expand=true) | 3      | let {2, 4, 7}  | let {152, 160}   | {4, 6}    | 2      |
    | ir(always_expand=true) | 3      | let {6, 10}    | let {104, 112}   | 1         | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 323M
}
