# Inverted residuals alike in kernel and expansion, their widths scaled by `alpha` and rounded after `shift`: what one
# does without a search.
from "signals.nas" import ir

space signals_template(classes = 10, alpha = 1.0, shift = 0.0, kernel = 3, expand = 4, deep = 2) {
  x     = signal(1, 40)
  stem  = x -> conv(5, round_to(1, 8 * alpha + shift), stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block             | expand | width                           | depth | stride |
    | ir(kernel=kernel) | expand | round_to(1, 10 * alpha + shift) | deep  | 1      |
    | ir(kernel=kernel) | expand | round_to(1, 20 * alpha + shift) | deep  | 2      |
    | ir(kernel=kernel) | expand | round_to(1, 28 * alpha + shift) | 1     | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
