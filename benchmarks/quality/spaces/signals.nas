# Five inverted residuals for the data set signals: kernels, expansions, widths and depths.
block ir(width, expand = 1, kernel = 3, stride = 1) {
  hidden  = expand * x.channels
  project = x -> conv(1, hidden) -> bn -> relu -> dwconv(kernel, stride=stride) -> bn -> relu
            -> conv(1, width) -> bn
  return shortcut(x, project)
}

choice mb {
  k3:   ir(kernel=3)
  k7:   ir(kernel=7)
  skip: identity  when stride == 1
}

space signals(classes = 10, step = 4, first = 8) {
  x     = signal(1, 40)
  stem  = x -> conv(5, first, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block | expand    | width                           | depth | stride |
    | mb    | 1..4 by 1 | step..4 * step by step          | 2     | 1      |
    | mb    | 1..4 by 1 | 2 * step..8 * step by 2 * step  | 2     | 2      |
    | mb    | 1..4 by 1 | 2 * step..12 * step by 2 * step | 1     | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}

objective {
  minimize cross_entropy
  subject to macs <= 10K
}

search {
  split        = 0.75
  epochs       = 10
  warmup       = 2
  batch        = 64
  weights      = adam(lr=0.005)
  architecture = adam(lr=0.05)
  temperature  = 2.0 * exp(-0.3 * epoch)
  candidates   = 12
}

train {
  epochs     = 6
  batch      = 64
  weights    = adam(lr=0.01)
  validation = 0
}
