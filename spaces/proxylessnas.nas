# ProxylessNAS's space (Cai et al., ICLR 2019): kernel and expansion of 21 inverted residuals, and which of them are
# there.
#
# From the paper: kernels 3, 5 and 7, expansions 3 and 6, a path with weights of its own for each; layers that keep the
# shape may be left out: 6^6 * 7^15 networks. From the release: widths, depths and strides, those of its network for
# phones (zoo/proxyless_mobile), and batch norm's epsilon.
from "lib/proxyless.nas" import mb

choice change {
  k3_e3: mb(kernel=3, expand=3)
  k5_e3: mb(kernel=5, expand=3)
  k7_e3: mb(kernel=7, expand=3)
  k3_e6: mb(kernel=3, expand=6)
  k5_e6: mb(kernel=5, expand=6)
  k7_e6: mb(kernel=7, expand=6)
}

choice keep {
  block: change
  skip:  identity
}

space proxylessnas(classes = 1000, size = 224) {
  x     = image(3, size=size)
  stem  = x -> conv(3, 32, stride=2) -> bn(eps=1e-3) -> relu6
  first = stem -> mb(16)
  trunk = first -> stages {
    | block  | width | depth | stride |
    | change | 32    | 1     | 2      |
    | keep   | 32    | 3     | 1      |
    | change | 40    | 1     | 2      |
    | keep   | 40    | 3     | 1      |
    | change | 80    | 1     | 2      |
    | keep   | 80    | 3     | 1      |
    | change | 96    | 1     | 1      |
    | keep   | 96    | 3     | 1      |
    | change | 192   | 1     | 2      |
    | keep   | 192   | 3     | 1      |
    | change | 320   | 1     | 1      |
  }
  last  = trunk -> conv(1, 1280) -> bn(eps=1e-3) -> relu6
  head  = last -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 320M
}
