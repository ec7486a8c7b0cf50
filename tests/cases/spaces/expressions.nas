# Kernels and depths that follow from decisions, a row that may be empty, and joined channels that a gate multiplies.
from "lib/mobile.nas" import squeeze_excite

block conv_bn(width, kernel = 3, stride = 1) {
  return x -> conv(kernel, width, stride=stride) -> bn -> relu
}

space expressions(classes = 4) {
  x = image(3, size=8)
  let k = {0, 1, 2}
  let d = {1, 2}
  a = x -> conv(2 * k + 1, {4, 8}) -> bn
  b = concat(a, x -> conv(1, 4..12 by 4)) -> squeeze_excite
  c = b -> conv(1, 8) -> stages {
    | block   | width   | depth     |
    | conv_bn | {8, 16} | {0, 1, 2} |
    | conv_bn | 16      | d + 1     |
  }
  e = concat(c, a)
  f = e + (e -> conv(3, e.channels) -> bn)
  return f -> global_avg_pool -> linear(classes)
}
