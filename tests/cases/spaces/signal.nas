# A space over sequences: everything that slides a window, pools or normalises has one size here.
block residual(width, kernel = 3, stride = 1) {
  inner = x -> conv({1, 3, 5}, {4, 6, 8}) -> bn -> {relu, hswish}
  deep  = inner -> dwconv(kernel, stride=stride) -> layer_norm -> conv(1, width) -> bn
  return shortcut(x, deep)
}

choice layer {
  wide: residual(kernel=5)
  slim: residual
  skip: identity  when stride == 1
}

space signal_net(classes = 4, lengths = {24, 16, 20}) {
  x     = signal(2, length=lengths)
  stem  = x -> conv(3, 6, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block | width  | depth  | stride |
    | layer | {4, 8} | {1, 2} | 1      |
    | layer | {6, 9} | 1      | 2      |
  }
  s     = trunk -> global_avg_pool -> conv(1, trunk.channels) -> sigmoid
  head  = trunk * s -> max_pool(3, stride=2) -> global_avg_pool -> linear(classes)
  return head
}
