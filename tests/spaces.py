"""Small programs that tests share."""

RESIDUAL = """
from "lib/mobile.nas" import ir

choice mb {
  block: ir(kernel=3, act=hswish, se=true, always_expand=true)
  skip:  identity
}

space residual(classes = 3) {
  x     = image(2, size=6)
  stem  = x -> conv(3, {8, 16}) -> bn -> relu
  trunk = stem -> stages {
    | block | expand    | width      | depth |
    | mb    | {1, 1.5}  | 8..16 by 8 | 2     |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
"""

TINY = """
from "lib/mobile.nas" import ir

choice mb {
  ir_k3: ir(kernel=3, act=relu, always_expand=true)
  skip:  identity  when stride == 1
}

space tiny(classes = 10) {
  x     = image(1, size=8)
  stem  = x -> conv(3, {4, 8}, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block | expand | width     | depth | stride |
    | mb    | {1, 2} | 8..16 by 8 | 2     | 1      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}

objective {
  minimize cross_entropy
  subject to macs <= 15K
}

search {
  epochs       = 3
  batch        = 256
  architecture = adam(lr=0.3)
}

train {
  epochs = 2
  batch  = 256
}
"""

EVEN = """
block layer(kernel) { return x -> conv(kernel, 8) -> group_norm(2) -> relu }

choice mb {
  wide:   layer(kernel=3)
  narrow: layer(kernel=1)
}

space even(classes = 10) {
  x    = image(1, size=8)
  stem = x -> conv(3, {4, 8}, stride=2) -> relu -> layer(kernel=1)
  more = stem -> mb -> drop_path(0.2)
  body = stem + more
  return body -> global_avg_pool -> dropout(0.3) -> linear(classes)
}

objective {
  minimize cross_entropy
  subject to macs <= 9K
}

search {
  epochs       = 2
  batch        = 100
  weights      = adam(lr=0.02)
  architecture = adam(lr=0.2)
}

train {
  epochs  = 1
  batch   = 100
  weights = adam(lr=0.02)
}
"""
"""Without statistics of batches: processes that share them compute what one does."""
