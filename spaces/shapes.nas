# A small space that tells of each pixel of a 32x32 image the shape it is of, the data set `shapes`. Every layer has the
# image's size, and the output a value for each class of each pixel.
block unit(width, kernel = 3) {
  return x -> conv(1, width) -> bn -> relu -> dwconv(kernel) -> bn -> relu
}

choice layer {
  k5:   unit(kernel=5)
  k9:   unit(kernel=9)
  skip: identity
}

space shapes(classes = 4) {
  x     = image(1, size=32)
  stem  = x -> conv(5, 8) -> bn -> relu
  trunk = stem -> stages {
    | block | width      | depth |
    | layer | 8..24 by 8 | 4     |
  }
  return trunk -> conv(1, classes, bias=true)
}

objective {
  minimize cross_entropy
  subject to macs <= 2M
}

search {
  epochs       = 10
  batch        = 32
  weights      = adam(lr=0.01)
  architecture = adam(lr=0.1)
}

train {
  epochs          = 20
  batch           = 32
  weights         = adam(lr=0.01)
  label_smoothing = 0
}
