# ProxylessNAS for phones (Cai et al., 2019), as released: mit-han-lab/proxylessnas, proxyless_mobile.
from "lib/proxyless.nas" import mb

space proxyless_mobile(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 32, stride=2) -> bn(eps=1e-3) -> relu6
  trunk = stem -> stages {
    | block | kernel | expand | width | depth | stride |
    | mb    | 3      | 1      | 16    | 1     | 1      |
    | mb    | 5      | 3      | 32    | 1     | 2      |
    | mb    | 3      | 3      | 32    | 1     | 1      |
    | mb    | 7      | 3      | 40    | 1     | 2      |
    | mb    | 3      | 3      | 40    | 1     | 1      |
    | mb    | 5      | 3      | 40    | 2     | 1      |
    | mb    | 7      | 6      | 80    | 1     | 2      |
    | mb    | 5      | 3      | 80    | 3     | 1      |
    | mb    | 5      | 6      | 96    | 1     | 1      |
    | mb    | 5      | 3      | 96    | 3     | 1      |
    | mb    | 7      | 6      | 192   | 2     | 2      |
    | mb    | 7      | 3      | 192   | 2     | 1      |
    | mb    | 7      | 6      | 320   | 1     | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn(eps=1e-3) -> relu6
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
