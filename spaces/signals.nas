# A small space for signals of 40 steps, the data set `signals`: kernel, width and number of layers.
block unit(width, kernel = 3, stride = 1) {
  return x -> conv(kernel, width, stride=stride) -> bn -> relu
}

choice layer {
  k3:   unit(kernel=3)
  k5:   unit(kernel=5)
  k9:   unit(kernel=9)
  skip: identity  when stride == 1
}

space signals(classes = 10) {
  x     = signal(1, 40)
  stem  = x -> conv({5, 9}, 8) -> bn -> relu -> max_pool(3, stride=2)
  trunk = stem -> stages {
    | block | width       | depth | stride |
    | layer | 8..16 by 4  | 2     | 1      |
    | layer | 16..32 by 8 | 2     | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}

objective {
  minimize cross_entropy
  subject to macs <= 80K
}

search {
  epochs       = 15
  batch        = 64
  architecture = adam(lr=0.1)
}

train {
  epochs = 15
  batch  = 64
}
