# A cell whose edges are decided once for all its uses, and a guard on shapes that constants decide.
choice edge {
  conv_k1: conv(1, 8) -> bn
  conv_k3: conv({1, 3}, 8)
  skip:    identity
  pool:    avg_pool(3)
}

let first = edge
let second = relu -> edge -> bn

block plus(other) {
  return x + other
}

block widened(width) {
  y = x -> conv(1, width) -> bn
  return y -> plus(x) when x.channels == width
}

block cell() {
  let own = edge
  a = (x -> first) + (x -> own)
  b = (a -> second) + (a -> own) + x
  return b
}

space shared_cell(classes = 3) {
  x    = image(2, size=6)
  stem = x -> widened(8) -> widened(8)
  body = stem -> cell -> stages {
    | block | depth |
    | cell  | 2     |
  }
  return body -> global_avg_pool -> linear(classes)
}
