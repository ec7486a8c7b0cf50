# Inverted residuals alike in kernel and expansion, their widths scaled by `alpha`: what one does without a search.
from "lib/mobile.nas" import ir

space template(
  classes = 10, channels = 1, size = 28, alpha = 1.0, kernel = 3, expand = 4, deep = 2
) {
  x     = image(channels, size=size)
  stem  = x -> conv(3, max(4, round_to(2, 12 * alpha)), stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block                                             | expand | width                           | depth | stride |
    | ir(kernel=kernel, act=hswish, always_expand=true) | expand | max(2, round_to(2, 12 * alpha)) | deep  | 1      |
    | ir(kernel=kernel, act=hswish, always_expand=true) | expand | max(2, round_to(2, 24 * alpha)) | deep  | 2      |
    | ir(kernel=kernel, act=hswish, always_expand=true) | expand | max(2, round_to(2, 48 * alpha)) | deep  | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
