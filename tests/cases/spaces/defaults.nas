# Defaults of a file, one choice of edges for all cells, alternatives and attributes that follow from shapes.
set bn(eps = 1e-3)
set conv(bias = true)

block cell(which, previous) {
  a = x -> conv(1, 8) -> bn
  b = previous -> conv(1, 8, bias=false)
  return pick(which, a, b, x -> conv(3, 8), a -> relu) -> bn(momentum=0.2)
}

choice wide {
  a: conv(1, x.channels * 2)
  b: conv(3, x.channels * 2)
}

space defaults(classes = 3) {
  x    = image(3, size=8)
  let w = subsets(2, 4)
  stem = x -> conv(3, 8) -> bn
  y    = stem -> stages {
    | block | which | depth |
    | cell  | w     | 3     |
  }
  z    = y -> wide -> conv(3, 16, groups=y.channels) -> avg_pool(y.height, padding=0)
  return z -> linear(classes)
}
