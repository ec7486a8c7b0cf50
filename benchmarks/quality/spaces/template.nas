# Inverted residuals alike in kernel and expansion, their widths scaled by `alpha` and rounded after `shift`: what one
# does without a search.
block ir(width, expand = 1, kernel = 3, stride = 1) {
  mid       = x.channels * expand
  expansion = x -> conv(1, mid) -> bn -> hswish
  depthwise = expansion -> dwconv(kernel, stride=stride) -> bn -> hswish
  project   = depthwise -> conv(1, width) -> bn
  return shortcut(x, project)
}

space template(
  classes = 10, channels = 1, size = 28, alpha = 1.0, shift = 0.0, kernel = 3, expand = 4, deep = 2
) {
  x     = image(channels, size=size)
  stem  = x -> conv(3, round_to(1, 12 * alpha + shift), stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block             | expand | width                           | depth | stride |
    | ir(kernel=kernel) | expand | round_to(1, 12 * alpha + shift) | deep  | 1      |
    | ir(kernel=kernel) | expand | round_to(1, 24 * alpha + shift) | deep  | 2      |
    | ir(kernel=kernel) | expand | round_to(1, 48 * alpha + shift) | deep  | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
