# DARTS on CIFAR-10 (Liu et al., 2019), as released: quark0/darts, NetworkCIFAR of 20 cells DARTS_V2, 36 channels.
from "lib/darts_v2.nas" import normal, reduction

space darts_cifar10(classes = 10) {
  x     = image(3, size=32)
  stem  = x -> conv(3, 108) -> bn
  cells = stem -> stages {
    | block     | width | depth |
    | normal    | 36    | 6     |
    | reduction | 72    | 1     |
    | normal    | 72    | 6     |
    | reduction | 144   | 1     |
    | normal    | 144   | 6     |
  }
  head  = cells -> global_avg_pool -> linear(classes)
  return head
}
