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
