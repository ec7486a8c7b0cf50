block squeeze() {
  fc_0 = x -> global_avg_pool -> conv(1, 4, bias=true) -> relu
  fc   = fc_0 -> conv(1, x.channels, bias=true) -> sigmoid
  return x * fc
}

block bottleneck() {
  expanded_0 = x -> dwconv(3) -> bn -> swish
  project    = expanded_0 -> conv(1, x.channels) -> bn
  return x + project
}

block bottleneck_2(width, act, stride = 1, has_se = false) {
  expanded   = x -> conv(1, 3 * x.channels) -> bn -> act
  expanded_2 = expanded -> dwconv(3, stride=stride) -> bn
  se         = expanded_2 -> squeeze when has_se -> act
  project    = se -> conv(1, width) -> bn
  return shortcut(x, project)
}

space mobile(classes = 6) {
  x          = image(3, size=16)
  features_0 = x -> conv(3, 8, stride=2, padding=same) -> bn(eps=0.001)
  trunk      = features_0 -> stages {
    | block        | width | act      | has_se | depth | stride |
    | bottleneck   | -     | -        | -      | 1     | -      |
    | bottleneck_2 | 8     | swish    | -      | 1     | 1      |
    | bottleneck_2 | 12    | hsigmoid | true   | 2     | 2      |
  }
  return trunk -> global_avg_pool -> dropout(p=0.2) -> linear(classes)
}
