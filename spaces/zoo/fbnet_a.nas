# FBNet-A as released (facebookresearch/mobile-vision), 73.3% top-1 on ImageNet.
from "lib/mobile.nas" import ir_v1

space fbnet_a(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 16, stride=2, bias=true) -> bn -> relu
  trunk = stem -> stages {
    | block    | width | expand | kernel | groups | stride |
    | identity | -     | -      | -      | -      | 1      |
    | ir_v1    | 24    | 3      | 3      | -      | 2      |
    | ir_v1    | 24    | 1      | 3      | -      | 1      |
    | identity | -     | -      | -      | -      | 1      |
    | identity | -     | -      | -      | -      | 1      |
    | ir_v1    | 32    | 6      | 5      | -      | 2      |
    | ir_v1    | 32    | 3      | 3      | -      | 1      |
    | ir_v1    | 32    | 1      | 5      | -      | 1      |
    | ir_v1    | 32    | 3      | 3      | -      | 1      |
    | ir_v1    | 64    | 6      | 5      | -      | 2      |
    | ir_v1    | 64    | 3      | 5      | -      | 1      |
    | ir_v1    | 64    | 1      | 5      | 2      | 1      |
    | ir_v1    | 64    | 6      | 5      | -      | 1      |
    | ir_v1    | 112   | 6      | 3      | -      | 1      |
    | ir_v1    | 112   | 1      | 5      | 2      | 1      |
    | ir_v1    | 112   | 3      | 5      | -      | 1      |
    | ir_v1    | 112   | 1      | 3      | 2      | 1      |
    | ir_v1    | 184   | 6      | 5      | -      | 2      |
    | ir_v1    | 184   | 6      | 5      | -      | 1      |
    | ir_v1    | 184   | 3      | 5      | -      | 1      |
    | ir_v1    | 184   | 6      | 5      | -      | 1      |
    | ir_v1    | 352   | 6      | 5      | -      | 1      |
  }
  last  = trunk -> conv(1, 1504, bias=true) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
