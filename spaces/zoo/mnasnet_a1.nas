# MnasNet-A1 (Tan et al., 2019), as timm has it: semnasnet_100.
from "lib/mbconv.nas" import mbconv

space mnasnet_a1(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 32, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block  | kernel | expand | width | se   | depth | stride |
    | mbconv | 3      | 1      | 16    | -    | 1     | 1      |
    | mbconv | 3      | 6      | 24    | -    | 2     | 2      |
    | mbconv | 5      | 3      | 40    | 0.25 | 3     | 2      |
    | mbconv | 3      | 6      | 80    | -    | 4     | 2      |
    | mbconv | 3      | 6      | 112   | 0.25 | 2     | 1      |
    | mbconv | 5      | 6      | 160   | 0.25 | 3     | 2      |
    | mbconv | 3      | 6      | 320   | -    | 1     | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
