# FBNet-B as released (facebookresearch/mobile-vision), 74.5% top-1 on ImageNet.
from "lib/mobile.nas" import ir_v1

space fbnet_b(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 16, stride=2, bias=true) -> bn -> relu
  trunk = stem -> stages {
    | block    | width | expand | kernel | groups | stride |
    | ir_v1    | 16    | 1      | 3      | -      | 1      |
    | ir_v1    | 24    | 6      | 3      | -      | 2      |
    | ir_v1    | 24    | 1      | 5      | -      | 1      |
    | ir_v1    | 24    | 1      | 3      | -      | 1      |
    | ir_v1    | 24    | 1      | 3      | -      | 1      |
    | ir_v1    | 32    | 6      | 5      | -      | 2      |
    | ir_v1    | 32    | 3      | 5      | -      | 1      |
    | ir_v1    | 32    | 6      | 3      | -      | 1      |
    | ir_v1    | 32    | 6      | 5      | -      | 1      |
    | ir_v1    | 64    | 6      | 5      | -      | 2      |
    | ir_v1    | 64    | 6      | 5      | -      | 1      |
    | identity | -     | -      | -      | -      | 1      |
    | ir_v1    | 64    | 3      | 5      | -      | 1      |
    | ir_v1    | 112   | 6      | 5      | -      | 1      |
    | ir_v1    | 112   | 1      | 3      | -      | 1      |
    | ir_v1    | 112   | 1      | 5      | -      | 1      |
    | ir_v1    | 112   | 3      | 5      | -      | 1      |
    | ir_v1    | 184   | 6      | 5      | -      | 2      |
    | ir_v1    | 184   | 1      | 5      | -      | 1      |
    | ir_v1    | 184   | 6      | 5      | -      | 1      |
    | ir_v1    | 184   | 6      | 5      | -      | 1      |
    | ir_v1    | 352   | 6      | 3      | -      | 1      |
  }
  last  = trunk -> conv(1, 1984, bias=true) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
