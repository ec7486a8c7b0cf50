# Single-Path NAS (Stamoulis et al., 2019), its network for the Pixel 1, as timm has it: spnasnet_100.
from "lib/mbconv.nas" import mbconv

space single_path(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 32, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block  | kernel | expand | width | depth | stride |
    | mbconv | 3      | 1      | 16    | 1     | 1      |
    | mbconv | 3      | 3      | 24    | 3     | 2      |
    | mbconv | 5      | 6      | 40    | 1     | 2      |
    | mbconv | 3      | 3      | 40    | 3     | 1      |
    | mbconv | 5      | 6      | 80    | 1     | 2      |
    | mbconv | 3      | 3      | 80    | 3     | 1      |
    | mbconv | 5      | 6      | 96    | 1     | 1      |
    | mbconv | 5      | 3      | 96    | 3     | 1      |
    | mbconv | 5      | 6      | 192   | 4     | 2      |
    | mbconv | 3      | 6      | 320   | 1     | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
