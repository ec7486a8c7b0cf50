# A space of 1,152 networks, each of which was trained with several seeds: tabular.csv has what became of them.
block mb(width, expand = 1, kernel = 3, stride = 1) {
  hidden = expand * x.channels
  y      = x -> conv(1, hidden) -> bn -> relu -> dwconv(kernel, stride=stride) -> bn -> relu
           -> conv(1, width) -> bn
  return y
}

space tabular(classes = 10) {
  x     = signal(1, 40)
  stem  = x -> conv(5, 8, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block | kernel | expand | width        | stride |
    | mb    | {3, 7} | {1, 3} | {6, 16}      | 1      |
    | mb    | {3, 7} | {1, 3} | {8, 16, 24}  | 2      |
    | mb    | {3, 7} | {1, 3} | {12, 24, 40} | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}

objective {
  minimize cross_entropy
  subject to macs <= 40K
}

search {
  epochs       = 15
  batch        = 64
  architecture = adam(lr=0.1)
}

train {
  epochs = 6
  batch  = 128
}
