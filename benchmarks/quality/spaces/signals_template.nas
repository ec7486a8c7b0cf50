# Inverted residuals alike in kernel and expansion, their widths scaled by `alpha`: what one does without a search.
from "signals.nas" import ir

space signals_template(classes = 10, alpha = 1.0, kernel = 3, expand = 4, deep = 2) {
  x     = signal(1, 40)
  stem  = x -> conv(5, max(4, round_to(2, 8 * alpha)), stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block             | expand | width                           | depth | stride |
    | ir(kernel=kernel) | expand | max(2, round_to(2, 10 * alpha)) | deep  | 1      |
    | ir(kernel=kernel) | expand | max(2, round_to(2, 20 * alpha)) | deep  | 2      |
    | ir(kernel=kernel) | expand | max(2, round_to(2, 28 * alpha)) | 1     | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
